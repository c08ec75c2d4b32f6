// The portal: what the customers of our customers read.
export const portal = {
  "portal.name": "Webhooks",
} as const;
