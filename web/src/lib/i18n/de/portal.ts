export const portal = {
  "portal.name": "Webhooks",
  "portal.ended": "Ihr Zugang zu dieser Seite ist abgelaufen.",
  "portal.ended.hint":
    "Gehen Sie dorthin zurück, woher Sie kamen, und öffnen Sie sie neu. Was auf dieser Seite steht, bleibt.",
  "portal.closed": "Dieser Link öffnet die Seite nicht mehr",
  "portal.closed.text":
    "Ein Link gilt einmal und für begrenzte Zeit. Gehen Sie dorthin zurück, wo Sie ihn bekamen, und öffnen Sie die Seite neu.",
  "portal.may": "Ihr Zugang umfasst das nicht.",
  "portal.filter": "Welche Nachrichten",
  "portal.filter.all": "Alle Nachrichten",
  "portal.endpoints.empty": "Noch kein Endpunkt.",
  "portal.endpoints.empty.text":
    "Ein Endpunkt ist eine Ihrer URLs, die empfängt, was geschieht: signiert und mit Wiederholungen.",
  "portal.messages.empty": "Hier stehen Nachrichten, sobald etwas geschieht.",
  "portal.catalogue.empty": "Hier sind keine Ereignistypen beschrieben.",
};
