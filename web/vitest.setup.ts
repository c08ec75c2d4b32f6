import { speak } from "./src/lib/i18n";
import { de } from "./src/lib/i18n/de";
import { en } from "./src/lib/i18n/en";

speak({ en, de: async () => de });
