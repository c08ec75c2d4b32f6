// The texts of the dashboard: those that it has in common with the portal, and its own.
import { issues } from "./issues";
import { overview } from "./overview";
import { requests } from "./requests";
import { settings } from "./settings";
import { shared } from "./shared";
import { signin } from "./signin";
import { sources } from "./sources";
import { system } from "./system";

export const en = {
  ...shared,
  ...issues,
  ...overview,
  ...requests,
  ...settings,
  ...signin,
  ...sources,
  ...system,
};
