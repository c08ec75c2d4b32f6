export { api, environment, ok, sessionExpired, token } from "./client";
export { ApiError, type Fault } from "./error";
export { queryClient } from "./queries";

import type { components } from "./schema.gen";

/** A type of the server's document: Schema<"EndpointOut">. */
export type Schema<Name extends keyof components["schemas"]> = components["schemas"][Name];
