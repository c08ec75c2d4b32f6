import "@/ui/style.css";
import { RouterProvider } from "@tanstack/react-router";
import { start } from "@/lib/start";
import { portalRouter } from "./routes";

// One program has one registered router, the dashboard's; this one is another.
void start(() => <RouterProvider router={portalRouter as never} />);
