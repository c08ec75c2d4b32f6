// What the pages of applications ask the server.
import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { api, ok, type Schema } from "@/lib/api";

export type Application = Schema<"ApplicationRow">;

/** Applications with counts of their endpoints; q finds by name, uid or id. */
export const applicationsQuery = (q: string) =>
  infiniteQueryOptions({
    queryKey: ["applications", q],
    queryFn: ({ pageParam, signal }) =>
      ok(
        api.GET("/api/v1/app", {
          params: { query: { q, limit: 100, iterator: pageParam, order: "descending" } },
          signal,
        }),
      ),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => (page.done ? undefined : (page.iterator ?? undefined)),
  });

export const applicationQuery = (app: string) =>
  queryOptions({
    queryKey: ["application", app],
    queryFn: ({ signal }) => ok(api.GET("/api/v1/app/{app}", { params: { path: { app } }, signal })),
    placeholderData: undefined,
  });

export const endpointsQuery = (app: string) =>
  queryOptions({
    queryKey: ["application", app, "endpoints"],
    queryFn: ({ signal }) =>
      ok(api.GET("/api/v1/app/{app}/endpoint", { params: { path: { app }, query: { limit: 250 } }, signal })),
    placeholderData: undefined,
  });

export const recentQuery = (app: string) =>
  queryOptions({
    queryKey: ["application", app, "messages"],
    queryFn: ({ signal }) =>
      ok(
        api.GET("/api/v1/app/{app}/message", {
          params: { path: { app }, query: { limit: 50, with_content: false } },
          signal,
        }),
      ),
    placeholderData: undefined,
  });
