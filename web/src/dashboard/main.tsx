import "@/ui/style.css";
import { RouterProvider } from "@tanstack/react-router";
import { start } from "@/lib/start";
import { router } from "./routes";

void start(() => <RouterProvider router={router} />);
