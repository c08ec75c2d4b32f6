import { BellOff } from "lucide-react";
import { t } from "@/lib/i18n";
import { Button } from "@/ui/Button";
import { Menu, MenuItem } from "@/ui/Menu";

const hour = 3_600_000;
const lengths = [
  ["issue.mute.hour", hour],
  ["issue.mute.day", 24 * hour],
  ["issue.mute.week", 7 * 24 * hour],
  ["issue.mute.ever", 0],
] as const;

/** For how long nobody wants to hear of an issue. */
export function MuteMenu({ reason, onMute }: { reason?: string; onMute(until: string | null): void }) {
  if (reason !== undefined)
    return (
      <Button icon={BellOff} reason={reason}>
        {t("issue.mute")}
      </Button>
    );
  return (
    <Menu align="start" trigger={<Button icon={BellOff}>{t("issue.mute")}</Button>}>
      {lengths.map(([key, length]) => (
        <MenuItem key={key} onSelect={() => onMute(length ? new Date(Date.now() + length).toISOString() : null)}>
          {t(key)}
        </MenuItem>
      ))}
    </Menu>
  );
}
