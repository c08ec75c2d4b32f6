import { queryOptions, useSuspenseQuery } from "@tanstack/react-query";
import { api, ok, type Schema } from "@/lib/api";
import { followApplication } from "@/lib/live";
import { onlyApplication } from "@/parts/message/queries";
import { enter } from "./access";
import { applyTheme } from "./theme";

/** Lets the reader in and learns how the portal looks and what it may do. The theme is on when it is there. */
export const configQuery = queryOptions({
  queryKey: ["portal"],
  queryFn: async () => {
    await enter();
    const config = await ok(api.GET("/api/v1/portal/config"));
    onlyApplication.set(config.app.id);
    followApplication(config.app.id);
    await applyTheme(config);
    return config;
  },
  staleTime: Number.POSITIVE_INFINITY,
  gcTime: Number.POSITIVE_INFINITY,
  retry: false,
});

/** The config, inside the shell. */
export const useConfig = () => useSuspenseQuery(configQuery).data;

type Capability = NonNullable<Schema<"PortalConfigOut">["capabilities"]>[number];

/** Whether the token may do this. Who manages endpoints may do everything with them, their secret included. */
export function useCan(capability: Capability): boolean {
  const mine = useConfig().capabilities ?? [];
  const stronger: Partial<Record<Capability, readonly Capability[]>> = {
    ViewEndpointSecret: ["ManageEndpointSecret", "ManageEndpoint"],
    ManageEndpointSecret: ["ManageEndpoint"],
  };
  return mine.includes(capability) || (stronger[capability] ?? []).some((one) => mine.includes(one));
}

export type Part = NonNullable<Schema<"PortalTheme">["hide"]>[number];

/** Whether a part is to be seen. */
export const useShown = (part: Part): boolean => !(useConfig().theme.hide ?? []).includes(part);
