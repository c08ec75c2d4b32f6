// Die deutschen Texte, geladen nur von denen, die sie lesen.
import type { Catalogue } from "..";
import { common } from "./common";
import { portal } from "./portal";
import { shell } from "./shell";
import { ui } from "./ui";

export const de: Catalogue = { ...common, ...ui, ...shell, ...portal };
