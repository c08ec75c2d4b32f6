import { Bookmark, Trash2 } from "lucide-react";
import { useState } from "react";
import { t } from "@/lib/i18n";
import { keep, keepInList, recallList } from "@/lib/storage";
import { Button } from "@/ui/Button";
import { Menu, MenuItem, MenuLine } from "@/ui/Menu";
import { toast } from "@/ui/Toast";

/** Searches kept in this browser. Each is also an address that can be sent to somebody. */
export function SavedViews({ list, q, onOpen }: { list: string; q: string; onOpen(q: string): void }) {
  const name = `saved.${list}`;
  const [saved, setSaved] = useState(() => recallList(name));
  const save = () => {
    keepInList(name, q, 30);
    setSaved(recallList(name));
    toast(t("msg.saved.done"));
  };
  const remove = () => {
    keep(name, JSON.stringify(saved.filter((one) => one !== q)));
    setSaved(recallList(name));
  };
  return (
    <Menu trigger={<Button icon={Bookmark}>{t("msg.saved")}</Button>}>
      {saved.length === 0 && <MenuItem disabled>{t("msg.saved.none")}</MenuItem>}
      {saved.map((one) => (
        <MenuItem key={one} onSelect={() => onOpen(one)}>
          <span className="data">{one}</span>
        </MenuItem>
      ))}
      <MenuLine />
      {q !== "" && saved.includes(q) ? (
        <MenuItem icon={Trash2} onSelect={remove}>
          {t("msg.saved.remove")}
        </MenuItem>
      ) : (
        <MenuItem icon={Bookmark} disabled={q === ""} onSelect={save}>
          {t("msg.saved.save")}
        </MenuItem>
      )}
    </Menu>
  );
}
