import { t } from "@/lib/i18n";
import { liveState } from "@/lib/live/state";
import { useStore } from "@/lib/store";
import { cx } from "@/ui/cx";
import { Tooltip } from "@/ui/Tooltip";

const dots = {
  live: "bg-delivered-fill",
  reconnecting: "bg-retrying-fill",
  polling: "bg-retrying-fill",
  paused: "border border-edge",
  offline: "border border-edge",
};

/** Says in a word how fresh the page is. */
export function LiveDot() {
  const state = useStore(liveState);
  return (
    <Tooltip text={t(`live.about.${state}`)} side="bottom">
      <button type="button" className="flex h-7 items-center gap-1.5 rounded px-2 text-ink-2">
        <span aria-hidden className={cx("size-2 rounded-full", dots[state])} />
        <span role="status" className="max-sm:sr-only">
          {t(`live.${state}`)}
        </span>
      </button>
    </Tooltip>
  );
}
