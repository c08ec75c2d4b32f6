// What the form of the portal's look holds, and what of it is sent. Pure.
import type { Schema } from "@/lib/api";
import { contrast, grounds, leastContrast, lightened } from "@/lib/contrast";
import { namesOf } from "@/lib/lines";

export type Theme = Schema<"PortalTheme">;

/** The fields as they are typed. */
export interface Draft extends Omit<Theme, "hide" | "radius"> {
  radius: string;
  hide: readonly string[];
  origins: string;
}

export const draftOf = (settings: Schema<"SettingsOut">): Draft => ({
  ...settings.portal,
  radius: String(settings.portal.radius),
  hide: settings.portal.hide ?? [],
  origins: (settings.portalOrigins ?? []).join(", "),
});

/** Colours that text is drawn in on each ground, with their contrast; undefined where the portal's own is taken. */
export function accents(draft: Pick<Draft, "accent" | "accentDark">) {
  const side = (colour: string, ground: string) =>
    colour === "" ? undefined : { colour, contrast: contrast(colour, ground) };
  return {
    light: side(draft.accent, grounds.light),
    dark: side(draft.accentDark || (contrast(draft.accent, "#000000") ? lightened(draft.accent) : ""), grounds.dark),
  };
}

/** Whether a colour that was chosen can be read. */
export const readable = (side: { contrast: number } | undefined): boolean =>
  side === undefined || side.contrast >= leastContrast;

export const patchOf = ({ origins, radius, hide, ...theme }: Draft): Schema<"SettingsPatch"> => ({
  portal: { ...theme, radius: Number(radius) || 0, hide: [...hide] as Theme["hide"] },
  portalOrigins: namesOf(origins),
});
