import { keyLabels } from "@/lib/keyboard";

/** Keys as they are printed on the keyboard. */
export function Kbd({ keys }: { keys: string }) {
  return (
    <span className="inline-flex items-center gap-0.5">
      {keyLabels(keys).map((label) => (
        <kbd
          key={label}
          className="inline-flex h-[18px] min-w-[18px] items-center justify-center rounded-sm border border-edge/60 px-1 font-sans text-xs leading-none"
        >
          {label}
        </kbd>
      ))}
    </span>
  );
}
