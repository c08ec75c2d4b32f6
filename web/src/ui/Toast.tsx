import { Toast as Base } from "@base-ui/react/toast";
import { Check, X } from "lucide-react";
import type { ReactNode } from "react";
import { t } from "@/lib/i18n";
import { IconButton } from "./Button";

const manager = Base.createToastManager();

/** Says that something worked. What failed is said where it was done, never here. */
export function toast(text: string): void {
  manager.add({ title: text, timeout: 4000 });
}

/** Shows toasts; once, around the program. */
export function ToastProvider({ children }: { children: ReactNode }) {
  return (
    <Base.Provider toastManager={manager} limit={3}>
      {children}
      <Base.Portal>
        <Base.Viewport className="fixed right-4 bottom-4 z-50 flex w-80 max-w-[calc(100vw-2rem)] flex-col gap-2">
          <Toasts />
        </Base.Viewport>
      </Base.Portal>
    </Base.Provider>
  );
}

function Toasts() {
  const { toasts } = Base.useToastManager();
  return toasts.map((item) => (
    <Base.Root
      key={item.id}
      toast={item}
      className="opens flex items-center gap-2 rounded border border-line bg-surface py-1.5 pr-1.5 pl-3 shadow-float"
    >
      <Check aria-hidden size={16} className="shrink-0 text-delivered" />
      <Base.Title className="min-w-0 flex-1" />
      <Base.Close render={<IconButton icon={X} label={t("do.close")} />} />
    </Base.Root>
  ));
}
