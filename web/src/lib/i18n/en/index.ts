// The English texts, which are part of the program. Each area has a file, with the same name in ../de.

import { applications } from "./applications";
import { common } from "./common";
import { endpoints } from "./endpoints";
import { eventtypes } from "./eventtypes";
import { issues } from "./issues";
import { messages } from "./messages";
import { overview } from "./overview";
import { parts } from "./parts";
import { payload } from "./payload";
import { portal } from "./portal";
import { requests } from "./requests";
import { settings } from "./settings";
import { shell } from "./shell";
import { signin } from "./signin";
import { sources } from "./sources";
import { system } from "./system";
import { ui } from "./ui";

export const en = {
  ...common,
  ...ui,
  ...shell,
  ...payload,
  ...portal,
  ...messages,
  ...applications,
  ...endpoints,
  ...eventtypes,
  ...sources,
  ...requests,
  ...overview,
  ...issues,
  ...system,
  ...settings,
  ...signin,
  ...parts,
};
