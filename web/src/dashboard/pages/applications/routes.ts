// Addresses of applications.
import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { shellRoute } from "@/dashboard/root";
import { listSearch, texts } from "@/lib/search";

const parent = { getParentRoute: () => shellRoute };

export const applicationsRoute = createRoute({
  ...parent,
  path: "applications",
  validateSearch: listSearch,
  component: lazyRouteComponent(() => import("."), "Applications"),
});

export const applicationRoute = createRoute({
  ...parent,
  path: "applications/$app",
  validateSearch: (search: Record<string, unknown>) => texts(search, ["tab"]),
  component: lazyRouteComponent(() => import("."), "ApplicationPage"),
});
