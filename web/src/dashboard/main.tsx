import "@/ui/style.css";
import { RouterProvider } from "@tanstack/react-router";
import { en } from "@/lib/i18n/en";
import { start } from "@/ui/start";
import { router } from "./routes";

void start({ en, de: async () => (await import("@/lib/i18n/de")).de }, () => <RouterProvider router={router} />);
