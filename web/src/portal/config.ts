import { queryOptions, useSuspenseQuery } from "@tanstack/react-query";
import { api, ok, type Schema } from "@/lib/api";
import { enter } from "./access";
import { applyTheme } from "./theme";

/** Lets the reader in and learns how the portal looks and what it may do. The theme is on when it is there. */
export const configQuery = queryOptions({
  queryKey: ["portal"],
  queryFn: async () => {
    await enter();
    const config = await ok(api.GET("/api/v1/portal/config"));
    await applyTheme(config);
    return config;
  },
  staleTime: Number.POSITIVE_INFINITY,
  retry: false,
});

/** The config, inside the shell. */
export const useConfig = () => useSuspenseQuery(configQuery).data;

type Capability = NonNullable<Schema<"PortalConfigOut">["capabilities"]>[number];

/** Whether the token may do this. */
export const useCan = (capability: Capability): boolean => useConfig().capabilities?.includes(capability) ?? false;
