import { type ReactNode, useState } from "react";
import { t } from "@/lib/i18n";
import { ConfirmDialog } from "./Dialog";
import { Field, TextInput } from "./Field";

interface TypedConfirmProps {
  open: boolean;
  onClose(): void;
  /** What must be typed. */
  name: string;
  title: string;
  text: ReactNode;
  verb: string;
  onConfirm(): Promise<unknown>;
}

/** Asks for the name of what is about to be lost. */
export function TypedConfirm({ name, onConfirm, onClose, ...rest }: TypedConfirmProps) {
  const [typed, setTyped] = useState("");
  const [differs, setDiffers] = useState(false);
  const close = () => {
    setTyped("");
    setDiffers(false);
    onClose();
  };
  const confirm = async () => {
    if (typed.trim() !== name.trim()) {
      setDiffers(true);
      throw new Error(t("confirm.differs"));
    }
    await onConfirm();
  };
  return (
    <ConfirmDialog {...rest} onClose={close} onConfirm={confirm}>
      <Field label={t("confirm.type", { name })} error={differs ? t("confirm.differs") : undefined}>
        <TextInput
          value={typed}
          autoComplete="off"
          onChange={(event) => {
            setTyped(event.target.value);
            setDiffers(false);
          }}
        />
      </Field>
    </ConfirmDialog>
  );
}
