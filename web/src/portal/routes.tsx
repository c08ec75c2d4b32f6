// All pages of the portal, below /portal or /portal/e/{environment}, whichever the page was opened at. Their addresses are those of the
// dashboard, so that links in shared parts lead to the right page in both.
import { createRootRoute, createRoute, createRouter, lazyRouteComponent, redirect } from "@tanstack/react-router";
import { basePath } from "@/lib/base";
import { listSearch, parseSearch, stringifySearch, texts } from "@/lib/search";
import { PortalShell } from "./PortalShell";

const root = createRootRoute();
const shell = createRoute({ getParentRoute: () => root, id: "shell", component: PortalShell });
const parent = { getParentRoute: () => shell };

const home = createRoute({
  ...parent,
  path: "/",
  beforeLoad: () => {
    throw redirect({ to: "/endpoints", search: {}, hash: true, replace: true });
  },
});

const endpoints = createRoute({
  ...parent,
  path: "endpoints",
  validateSearch: listSearch,
  component: lazyRouteComponent(() => import("./pages/endpoints"), "Endpoints"),
});

const endpoint = createRoute({
  ...parent,
  path: "endpoints/$endpoint",
  validateSearch: (search: Record<string, unknown>) => texts(search, ["tab", "status", "range", "since", "until"]),
  component: lazyRouteComponent(() => import("./pages/endpoints"), "EndpointPage"),
});

const messages = createRoute({
  ...parent,
  path: "messages",
  validateSearch: listSearch,
  component: lazyRouteComponent(() => import("./pages/messages"), "Messages"),
});

const attempt = createRoute({
  ...parent,
  path: "messages/$message/attempt/$attempt",
  validateSearch: (search: Record<string, unknown>) => texts(search, ["tab", "diff"]),
  component: lazyRouteComponent(() => import("./pages/messages"), "AttemptPage"),
});

const eventTypes = createRoute({
  ...parent,
  path: "event-types",
  validateSearch: listSearch,
  component: lazyRouteComponent(() => import("./pages/catalogue"), "Catalogue"),
});

const prefix = basePath === "/" ? "" : basePath;
const environment = /^\/portal(\/e\/[^/]+)?/.exec(location.pathname.slice(prefix.length))?.[0] ?? "/portal";

export const portalRouter = createRouter({
  routeTree: root.addChildren([shell.addChildren([home, endpoints, endpoint, messages, attempt, eventTypes])]),
  basepath: prefix + environment,
  parseSearch,
  stringifySearch,
  scrollRestoration: true,
});
