// Addresses of messages and of attempts at delivering them.
import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { shellRoute } from "@/dashboard/root";
import { listSearch, texts } from "@/lib/search";

const parent = { getParentRoute: () => shellRoute };

export const messagesRoute = createRoute({
  ...parent,
  path: "messages",
  validateSearch: listSearch,
  component: lazyRouteComponent(() => import("."), "Messages"),
});

export const attemptRoute = createRoute({
  ...parent,
  path: "messages/$message/attempt/$attempt",
  validateSearch: (search: Record<string, unknown>) => texts(search, ["tab", "diff"]),
  component: lazyRouteComponent(() => import("."), "AttemptPage"),
});
