// Requests that reached sources.
export const requests = {
  "request.state.accepted": "accepted",
  "request.state.duplicate": "duplicate",
  "request.state.duplicate_differs": "differs",
  "request.state.refused": "refused",
  "request.state.handshake": "handshake",
} as const;
