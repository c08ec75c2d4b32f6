// Die deutschen Texte, geladen nur von denen, die sie lesen.
import type { Catalogue } from "..";
import { applications } from "./applications";
import { common } from "./common";
import { messages } from "./messages";
import { payload } from "./payload";
import { portal } from "./portal";
import { shell } from "./shell";
import { ui } from "./ui";

export const de: Catalogue = { ...common, ...ui, ...shell, ...payload, ...portal, ...messages, ...applications };
