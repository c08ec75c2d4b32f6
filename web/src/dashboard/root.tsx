import { createRootRoute, createRoute, lazyRouteComponent, Outlet, retainSearchParams } from "@tanstack/react-router";
import { useEffect } from "react";
import { environment } from "@/lib/api";
import { texts } from "@/lib/search";
import { Crash, NotFound } from "./Broken";
import { Gate } from "./Gate";

/** Around everything. The environment stands in the address, so that two tabs can look at two of them. */
export const rootRoute = createRootRoute({
  validateSearch: (search: Record<string, unknown>) => texts(search, ["env"]),
  search: { middlewares: [retainSearchParams(["env"])] },
  beforeLoad: ({ search }) => environment.set(search.env ?? ""),
  component: Root,
  notFoundComponent: NotFound,
  errorComponent: Crash,
});

function Root() {
  const { env } = rootRoute.useSearch();
  useEffect(() => environment.set(env ?? ""), [env]);
  return <Outlet />;
}

/** The pages that need a member, in the frame. */
export const shellRoute = createRoute({
  getParentRoute: () => rootRoute,
  id: "shell",
  component: Gate,
  errorComponent: Crash,
});

/** Where links lead that the server makes: set-up, invitation, new password, sign-in. Their code is behind the "#". */
export const linkRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "link",
  component: lazyRouteComponent(() => import("./pages/signin"), "LinkPage"),
});
