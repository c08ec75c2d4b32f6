// What the overview asks the server.
import { queryOptions } from "@tanstack/react-query";
import { api, ok } from "@/lib/api";

const hour = 3_600_000;

/** Ranges to choose from, in milliseconds. */
export const ranges = { hour, day: 24 * hour, week: 7 * 24 * hour, month: 30 * 24 * hour } as const;
export type Range = keyof typeof ranges;

/** The range of the address; anything else is a day. */
export const rangeOf = (text: string | undefined): Range =>
  text !== undefined && text in ranges ? (text as Range) : "day";

/** How the environment has been doing since so long ago. It is looked at again by itself. */
export const overviewQuery = (range: Range) =>
  queryOptions({
    queryKey: ["overview", range],
    queryFn: ({ signal }) =>
      ok(
        api.GET("/api/v1/overview", {
          params: { query: { since: new Date(Date.now() - ranges[range]).toISOString() } },
          signal,
        }),
      ),
    refetchInterval: 10_000,
  });

/** What there is to send with: the first application, endpoint, message and source. */
export const firstThings = queryOptions({
  queryKey: ["first-things"],
  queryFn: async ({ signal }) => {
    const one = { params: { query: { limit: 1 } }, signal };
    const [apps, endpoints, messages, delivered, sources, requests] = await Promise.all([
      ok(api.GET("/api/v1/app", one)),
      ok(api.GET("/api/v1/endpoint", one)),
      ok(api.GET("/api/v1/message", one)),
      ok(api.GET("/api/v1/message", { params: { query: { limit: 1, q: "status:delivered" } }, signal })),
      ok(api.GET("/ingest/api/v1/source", one)),
      ok(api.GET("/ingest/api/v1/request", one)),
    ]);
    return {
      application: apps.data.length > 0,
      endpoint: endpoints.data.length > 0,
      message: messages.data.length > 0,
      delivered: delivered.data.length > 0,
      source: sources.data.length > 0,
      request: requests.data.length > 0,
    };
  },
  refetchInterval: ({ state }) => (state.data?.delivered || state.data?.request ? false : 2000),
});
