// What pages ask the server about event types.
import { queryOptions } from "@tanstack/react-query";
import { api, ok, type Schema } from "@/lib/api";

export type EventType = Schema<"EventTypeOut">;

/** So many types are read for choosing from; a search finds the others. */
const most = 2000;

/** The catalogue in the order of names, with schemas or without. Archived types are in it only if asked for. */
export const catalogueQuery = (content = false, archived = false, q = "") =>
  queryOptions({
    queryKey: ["event-types", { content, archived, q }],
    queryFn: async ({ signal }) => {
      const all: EventType[] = [];
      let iterator: string | undefined;
      for (;;) {
        const query = {
          limit: 250,
          iterator,
          with_content: content,
          include_archived: archived,
          q: q || undefined,
        };
        const page = await ok(api.GET("/api/v1/event-type", { params: { query }, signal }));
        all.push(...page.data);
        iterator = page.iterator ?? undefined;
        if (page.done || iterator === undefined || all.length >= most) return all;
      }
    },
  });

export const eventTypeQuery = (name: string) =>
  queryOptions({
    queryKey: ["event-type", name],
    queryFn: ({ signal }) => ok(api.GET("/api/v1/event-type/{name}", { params: { path: { name } }, signal })),
    placeholderData: undefined,
  });
