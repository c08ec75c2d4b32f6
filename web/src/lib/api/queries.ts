// How data is kept: what is on the screen stays until better is there, and nothing is fetched behind the reader's back.
import { keepPreviousData, QueryClient } from "@tanstack/react-query";
import { environment, sessionExpired } from "./client";
import { ApiError } from "./error";

export const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      placeholderData: keepPreviousData,
      staleTime: 10_000,
      refetchOnWindowFocus: false,
      refetchOnReconnect: true,
      // Only what may be different the next time is tried again: no answer, and the server's own faults.
      retry: (failures, error) =>
        failures < 2 && error instanceof ApiError && (error.status === 0 || error.status >= 502),
    },
    mutations: { retry: false },
  },
});

// Another environment is another world; after signing in again, what failed meanwhile is asked anew.
environment.subscribe(() => queryClient.clear());
sessionExpired.subscribe(() => {
  if (!sessionExpired.get())
    void queryClient.invalidateQueries({ predicate: (query) => query.state.status === "error" });
});
