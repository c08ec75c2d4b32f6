export const portal = {
  "portal.name": "Webhooks",
};
