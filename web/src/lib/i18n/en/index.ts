// The English texts, which are part of the program. Each area has a file, with the same name in ../de.
import { common } from "./common";
import { portal } from "./portal";
import { shell } from "./shell";
import { ui } from "./ui";

export const en = { ...common, ...ui, ...shell, ...portal };
