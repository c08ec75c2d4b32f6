// All pages of the dashboard. Each is loaded when it is first opened. A noun with more than one page lists them in its own routes.tsx.
import { createRoute, createRouter, lazyRouteComponent } from "@tanstack/react-router";
import { basePath } from "@/lib/base";
import { listSearch, parseSearch, stringifySearch, texts } from "@/lib/search";
import { applicationRoute, applicationsRoute } from "./pages/applications/routes";
import { endpointRoute, endpointsRoute } from "./pages/endpoints/routes";
import { attemptRoute, messagesRoute } from "./pages/messages/routes";
import { newSourceRoute, sourceRoute, sourcesRoute } from "./pages/sources/routes";
import { linkRoute, rootRoute, shellRoute } from "./root";

const parent = { getParentRoute: () => shellRoute, validateSearch: listSearch };

const overview = createRoute({
  ...parent,
  path: "/",
  component: lazyRouteComponent(() => import("./pages/overview"), "Overview"),
});
const eventTypes = createRoute({
  ...parent,
  path: "event-types",
  component: lazyRouteComponent(() => import("./pages/eventtypes"), "EventTypes"),
});
const requests = createRoute({
  ...parent,
  path: "requests",
  component: lazyRouteComponent(() => import("./pages/requests"), "Requests"),
});
const issues = createRoute({
  ...parent,
  path: "issues",
  component: lazyRouteComponent(() => import("./pages/issues"), "Issues"),
});
const settings = createRoute({
  ...parent,
  path: "settings",
  validateSearch: (search: Record<string, unknown>) => texts(search, ["tab", "open"]),
  component: lazyRouteComponent(() => import("./pages/settings"), "Settings"),
});
const system = createRoute({
  ...parent,
  path: "system",
  validateSearch: (search: Record<string, unknown>) => texts(search, ["tab"]),
  component: lazyRouteComponent(() => import("./pages/system"), "System"),
});

const tree = rootRoute.addChildren([
  linkRoute,
  shellRoute.addChildren([
    overview,
    messagesRoute,
    attemptRoute,
    endpointsRoute,
    endpointRoute,
    applicationsRoute,
    applicationRoute,
    eventTypes,
    requests,
    sourcesRoute,
    newSourceRoute,
    sourceRoute,
    issues,
    settings,
    system,
  ]),
]);

export const router = createRouter({
  routeTree: tree,
  basepath: basePath,
  parseSearch,
  stringifySearch,
  defaultPreload: "intent",
  scrollRestoration: true,
});

declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router;
  }
}
