// Die Texte beider Programme.
import { applications } from "./applications";
import { common } from "./common";
import { endpoints } from "./endpoints";
import { eventtypes } from "./eventtypes";
import { messages } from "./messages";
import { parts } from "./parts";
import { payload } from "./payload";
import { portal } from "./portal";
import { shell } from "./shell";
import { ui } from "./ui";

export const shared = {
  ...applications,
  ...common,
  ...endpoints,
  ...eventtypes,
  ...messages,
  ...parts,
  ...payload,
  ...portal,
  ...shell,
  ...ui,
};
