// Die Texte des Dashboards.
import type { Catalogue } from "..";
import { issues } from "./issues";
import { overview } from "./overview";
import { requests } from "./requests";
import { settings } from "./settings";
import { shared } from "./shared";
import { signin } from "./signin";
import { sources } from "./sources";
import { system } from "./system";

export const de: Catalogue = {
  ...shared,
  ...issues,
  ...overview,
  ...requests,
  ...settings,
  ...signin,
  ...sources,
  ...system,
};
