export const requests = {
  "request.state.accepted": "angenommen",
  "request.state.duplicate": "doppelt",
  "request.state.duplicate_differs": "abweichend",
  "request.state.refused": "abgelehnt",
  "request.state.handshake": "Handschlag",
} as const;
