// Addresses of endpoints.
import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { shellRoute } from "@/dashboard/root";
import { listSearch, texts } from "@/lib/search";

const parent = { getParentRoute: () => shellRoute };

/** open is the id of an endpoint, which leads to its page, or "new" for the form of a new one. */
export const endpointsRoute = createRoute({
  ...parent,
  path: "endpoints",
  validateSearch: listSearch,
  component: lazyRouteComponent(() => import("."), "Endpoints"),
});

export const endpointRoute = createRoute({
  ...parent,
  path: "endpoints/$endpoint",
  validateSearch: (search: Record<string, unknown>) => texts(search, ["tab", "status", "range", "since", "until"]),
  component: lazyRouteComponent(() => import("."), "EndpointPage"),
});
