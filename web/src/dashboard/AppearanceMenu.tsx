import { Moon, Sun } from "lucide-react";
import { type Language, language, languages, setLanguage, t } from "@/lib/i18n";
import { clock, density, theme, themes } from "@/lib/preferences";
import { keep } from "@/lib/storage";
import { useStore } from "@/lib/store";
import { IconButton } from "@/ui/Button";
import { Menu, MenuChoice, MenuLine } from "@/ui/Menu";

/** Theme, density, clock and language of this browser. */
export function AppearanceMenu() {
  const chosen = useStore(theme);
  const rows = useStore(density);
  const zone = useStore(clock);
  return (
    <Menu trigger={<IconButton icon={chosen === "dark" ? Moon : Sun} label={t("shell.theme")} />}>
      <MenuChoice
        label={t("shell.theme")}
        value={chosen}
        onChange={theme.set}
        options={themes.map((value) => ({ value, label: t(`theme.${value}`) }))}
      />
      <MenuLine />
      <MenuChoice
        label={t("shell.rows")}
        value={rows}
        onChange={density.set}
        options={(["normal", "compact"] as const).map((value) => ({ value, label: t(`density.${value}`) }))}
      />
      <MenuLine />
      <MenuChoice
        label={t("shell.times")}
        value={zone}
        onChange={clock.set}
        options={(["local", "utc"] as const).map((value) => ({ value, label: t(`clock.${value}`) }))}
      />
      <MenuLine />
      <MenuChoice
        label={t("shell.language")}
        value={language()}
        onChange={(name) => {
          keep("language", name);
          void setLanguage(name);
        }}
        options={(Object.keys(languages) as Language[]).map((value) => ({ value, label: languages[value] }))}
      />
    </Menu>
  );
}
