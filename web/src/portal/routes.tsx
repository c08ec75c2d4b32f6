// All pages of the portal, below /portal or /portal/e/{environment}, whichever the page was opened at.
import { createRootRoute, createRoute, createRouter, lazyRouteComponent } from "@tanstack/react-router";
import { basePath } from "@/lib/base";
import { parseSearch, stringifySearch } from "@/lib/search";
import { PortalShell } from "./PortalShell";

const root = createRootRoute({ component: PortalShell });

const endpoints = createRoute({
  getParentRoute: () => root,
  path: "/",
  component: lazyRouteComponent(() => import("./pages/endpoints"), "PortalEndpoints"),
});

const prefix = basePath === "/" ? "" : basePath;
const environment = /^\/portal(\/e\/[^/]+)?/.exec(location.pathname.slice(prefix.length))?.[0] ?? "/portal";

export const portalRouter = createRouter({
  routeTree: root.addChildren([endpoints]),
  basepath: prefix + environment,
  parseSearch,
  stringifySearch,
  scrollRestoration: true,
});
