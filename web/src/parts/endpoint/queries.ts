// What pages ask the server about one endpoint. app may be the id of a source too.
import { infiniteQueryOptions, queryOptions, type useQueryClient } from "@tanstack/react-query";
import { api, ok, type Schema } from "@/lib/api";

export type Endpoint = Schema<"EndpointOut">;
export type Task = Schema<"TaskOut">;

/** Whether the owner of an endpoint is a source: then it is sent what the source received. */
export const ofSource = (app: string): boolean => app.startsWith("src_");

/** Everything that is kept of an endpoint begins with this key. */
export const endpointKey = (ep: string) => ["endpoint", ep] as const;

export const endpointQuery = (app: string, ep: string) =>
  queryOptions({
    queryKey: [...endpointKey(ep), "one"],
    queryFn: ({ signal }) => ok(api.GET("/api/v1/app/{app}/endpoint/{ep}", { params: { path: { app, ep } }, signal })),
    placeholderData: undefined,
  });

export const headersQuery = (app: string, ep: string) =>
  queryOptions({
    queryKey: [...endpointKey(ep), "headers"],
    queryFn: ({ signal }) =>
      ok(api.GET("/api/v1/app/{app}/endpoint/{ep}/headers", { params: { path: { app, ep } }, signal })),
    placeholderData: undefined,
  });

/** Health in a range: the last hours so many. */
export const healthQuery = (app: string, ep: string, hours: number) =>
  queryOptions({
    queryKey: [...endpointKey(ep), "health", hours],
    queryFn: ({ signal }) => {
      // The current hour is one of them.
      const since = new Date(Math.floor(Date.now() / 3_600_000 - (hours - 1)) * 3_600_000).toISOString();
      const params = { path: { app, ep }, query: { since } };
      return ok(api.GET("/api/v1/app/{app}/endpoint/{ep}/health", { params, signal }));
    },
    refetchInterval: 15_000,
  });

/** What was recovered and replayed, newest first; looked at every second while one runs. */
export const tasksQuery = (app: string, ep: string) =>
  queryOptions({
    queryKey: [...endpointKey(ep), "tasks"],
    queryFn: ({ signal }) =>
      ok(
        api.GET("/api/v1/app/{app}/endpoint/{ep}/task", {
          params: { path: { app, ep }, query: { limit: 20 } },
          signal,
        }),
      ),
    refetchInterval: (query) => (query.state.data?.data.some((task) => task.status === "running") ? 1000 : false),
    placeholderData: undefined,
  });

export interface AttemptFilter {
  /** 0 success, 2 failed; all without one. */
  status?: "0" | "2";
  /** Names with commas. */
  types?: string;
  /** Only from here on, only before: RFC 3339. */
  since?: string;
  until?: string;
}

/** Attempts at an endpoint, newest first, each with its message but not its payload. */
export const attemptsAtQuery = (app: string, ep: string, { status, types, since, until }: AttemptFilter) =>
  infiniteQueryOptions({
    queryKey: [...endpointKey(ep), "attempts", status ?? "", types ?? "", since ?? "", until ?? ""],
    queryFn: ({ pageParam, signal }) =>
      ok(
        api.GET("/api/v1/app/{app}/attempt/endpoint/{ep}", {
          params: {
            path: { app, ep },
            query: {
              limit: 50,
              iterator: pageParam,
              status,
              event_types: types || undefined,
              after: since,
              before: until,
              with_content: false,
              with_msg: true,
            },
          },
          signal,
        }),
      ),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => (page.done ? undefined : (page.iterator ?? undefined)),
    refetchInterval: (query) => ((query.state.data?.pages.length ?? 0) <= 1 ? 5000 : false),
  });

/** Looks again at everything that shows the endpoint, after it was changed. */
export function endpointChanged(client: ReturnType<typeof useQueryClient>, ep: string): Promise<unknown> {
  return Promise.all([
    client.invalidateQueries({ queryKey: endpointKey(ep) }),
    client.invalidateQueries({ queryKey: ["endpoints"] }),
    client.invalidateQueries({ queryKey: ["application"] }),
  ]);
}
