// Who is signed in, and what they may do.
import { queryOptions, useQuery, useQueryClient } from "@tanstack/react-query";
import { api, environment, ok, type Schema, sessionExpired } from "@/lib/api";
import { useStore } from "@/lib/store";

export type Session = Schema<"SessionOut">;

export const sessionQuery = queryOptions({
  queryKey: ["session"],
  queryFn: ({ signal }) => ok(api.GET("/api/v1/session", { signal })),
  staleTime: 60_000,
});

/** The session; inside the gate there always is one with a member. */
export const useSession = () => useQuery(sessionQuery);

const ranks = ["viewer", "developer", "admin", "owner"] as const;
export type Role = (typeof ranks)[number];

/** Whether the member has at least this role. What it may not do is absent or disabled with the reason. */
export function useMay(role: Role): boolean {
  const mine = useSession().data?.member?.role;
  return mine !== undefined && ranks.indexOf(mine as Role) >= ranks.indexOf(role);
}

/** The environment that the page is about, once the session is known. */
export function useEnvironment() {
  const id = useStore(environment);
  const all = useSession().data?.environments ?? [];
  return all.find((one) => one.id === id) ?? all[0];
}

/** Takes a new session over, wherever it came from: form, link or the dialog over an expired page. */
export function useTakeSession(): (session: Session | undefined) => void {
  const client = useQueryClient();
  return (session) => {
    client.setQueryData(sessionQuery.queryKey, session);
    sessionExpired.set(false);
  };
}
