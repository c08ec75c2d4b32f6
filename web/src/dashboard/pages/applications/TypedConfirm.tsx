import { type ReactNode, useState } from "react";
import { t } from "@/lib/i18n";
import { ConfirmDialog } from "@/ui/Dialog";
import { Field, TextInput } from "@/ui/Field";

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
      throw new Error(t("app.delete.differs"));
    }
    await onConfirm();
  };
  return (
    <ConfirmDialog {...rest} onClose={close} onConfirm={confirm}>
      <Field label={t("app.delete.type", { name })} error={differs ? t("app.delete.differs") : undefined}>
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
