import "@/ui/style.css";
import { RouterProvider } from "@tanstack/react-router";
import { shared } from "@/lib/i18n/en/shared";
import { start } from "@/ui/start";
import { portalRouter } from "./routes";

// One program has one registered router, the dashboard's; this one is another.
void start({ en: shared, de: async () => (await import("@/lib/i18n/de/shared")).shared }, () => (
  <RouterProvider router={portalRouter as never} />
));
