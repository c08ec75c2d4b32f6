// The English texts, which are part of the program. Each area has a file, with the same name in ../de.
import { applications } from "./applications";
import { common } from "./common";
import { messages } from "./messages";
import { payload } from "./payload";
import { portal } from "./portal";
import { shell } from "./shell";
import { ui } from "./ui";

export const en = { ...common, ...ui, ...shell, ...payload, ...portal, ...messages, ...applications };
