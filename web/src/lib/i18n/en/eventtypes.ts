// Event types, in the dashboard and the portal.
export const eventtypes = {
  "type.deprecated": "deprecated",
} as const;
