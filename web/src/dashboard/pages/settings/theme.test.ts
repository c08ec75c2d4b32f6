import { expect, it } from "vitest";
import type { Schema } from "@/lib/api";
import { accents, draftOf, patchOf, readable } from "./theme";

const settings: Schema<"SettingsOut"> = {
  portal: {
    name: "Acme",
    logoLight: "",
    logoDark: "",
    accent: "#0b5fff",
    accentDark: "",
    radius: 4,
    font: "inter",
    mode: "system",
    language: "",
    hide: ["test"],
    texts: { title: "", welcome: "", support: "", supportUrl: "" },
  },
  portalOrigins: ["https://app.example.com", "https://*.example.org"],
  updatedAt: null,
};

it("sends back what is there", () => {
  const { portal, portalOrigins } = settings;
  expect(patchOf(draftOf(settings))).toEqual({ portal, portalOrigins });
});

it("says whether colours can be read, and makes the one for the dark ground", () => {
  const both = accents(settings.portal);
  expect(readable(both.light)).toBe(true);
  expect(readable(both.dark)).toBe(true);
  expect(both.dark?.colour).not.toBe("#0b5fff");
  expect(readable(accents({ accent: "#ffff00", accentDark: "" }).light)).toBe(false);
  expect(readable(accents({ accent: "#0b5fff", accentDark: "#000033" }).dark)).toBe(false);
  expect(readable(accents({ accent: "#0b5f", accentDark: "" }).light)).toBe(false);
  expect(accents({ accent: "", accentDark: "" })).toEqual({ light: undefined, dark: undefined });
});
