// Addresses of sources.
import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { shellRoute } from "@/dashboard/root";
import { listSearch, texts } from "@/lib/search";

const parent = { getParentRoute: () => shellRoute };

export const sourcesRoute = createRoute({
  ...parent,
  path: "sources",
  validateSearch: listSearch,
  component: lazyRouteComponent(() => import("."), "Sources"),
});

/** The gallery; with a type the form of a new source. */
export const newSourceRoute = createRoute({
  ...parent,
  path: "sources/new",
  validateSearch: (search: Record<string, unknown>) => texts(search, ["q", "type"]),
  component: lazyRouteComponent(() => import("."), "NewSource"),
});

export const sourceRoute = createRoute({
  ...parent,
  path: "sources/$source",
  validateSearch: (search: Record<string, unknown>) => texts(search, ["tab"]),
  component: lazyRouteComponent(() => import("."), "SourcePage"),
});
