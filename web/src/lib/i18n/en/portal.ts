// The portal: what the customers of our customers read.
export const portal = {
  "portal.name": "Webhooks",
  "portal.ended": "Your access to this page has ended.",
  "portal.ended.hint": "Go back to where you came from and open it again. What is on this page stays.",
  "portal.closed": "This link does not open the page any more",
  "portal.closed.text":
    "A link works once and for a limited time. Go back to where you got it and open the page again.",
  "portal.may": "Your access does not include this.",
  "portal.filter": "Which messages",
  "portal.filter.all": "All messages",
  "portal.endpoints.empty": "No endpoint yet.",
  "portal.endpoints.empty.text": "An endpoint is a URL of yours that receives what happens, signed and with retries.",
  "portal.messages.empty": "Messages stand here as soon as something happens.",
  "portal.catalogue.empty": "No event types are described here.",
} as const;
