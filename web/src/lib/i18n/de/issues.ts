export const issues = {
  "issue.search": "Störungen suchen",
  "issue.col.state": "Zustand",
  "issue.col.cause": "Was geschieht",
  "issue.col.endpoint": "Endpunkt",
  "issue.col.failures": "Fehler",
  "issue.col.last": "Zuletzt",
  "issue.healed": "geht wieder",
  "issue.healedAt": "geht wieder seit",
  "issue.until": "bis",
  "issue.first": "Zuerst gesehen",
  "issue.last": "Zuletzt gesehen",
  "issue.affected": "Betroffene Nachrichten",
  "issue.messages": "Nachrichten zeigen",
  "issue.sample": "Einen Versuch zeigen",
  "issue.empty.title": "Keine offene Störung.",
  "issue.empty.text":
    "Scheitern Versuche, stehen sie hier nach Endpunkt und Ursache gruppiert: Tausend Fehler sind eine Zeile.",
  "issue.none": "Keine Störung passt.",
  "issue.showOpen": "Offene Störungen zeigen",
  "issue.showEnded": "Stumme und gelöste zeigen",
  "issue.resolve": "Als gelöst melden",
  "issue.reopen": "Wieder öffnen",
  "issue.mute": "Stumm schalten",
  "issue.mute.hour": "Für eine Stunde",
  "issue.mute.day": "Für einen Tag",
  "issue.mute.week": "Für eine Woche",
  "issue.mute.ever": "Bis sie wieder geöffnet wird",
  "issue.recover": "Gescheitertes neu senden",
  "issue.recovering": "Was seit Beginn der Störung scheiterte, wird neu gesendet.",
  "issue.progress": "Fortschritt verfolgen",
  "issue.may": "Braucht die Rolle Entwickler.",
  "issue.notes": "Notizen",
  "issue.assignee": "Wer sich kümmert",
  "issue.note": "Notiz",
  "issue.advice": "Was zu tun ist",
  "issue.advice.dns":
    "Der Name des Hosts lässt sich nicht auflösen. Prüfen Sie die URL auf Tippfehler und ob die Domain noch besteht.",
  "issue.advice.network":
    "Die Verbindung kommt nicht zustande oder bricht ab. Der Server des Empfängers kann ausgefallen sein, oder eine Firewall steht dazwischen.",
  "issue.advice.tls":
    "Die verschlüsselte Verbindung kommt nicht zustande. Meist ist das Zertifikat des Empfängers abgelaufen, gilt für einen anderen Namen, oder ein Zwischenzertifikat fehlt.",
  "issue.advice.timeout":
    "Der Empfänger antwortet zu langsam. Er sollte das Ereignis speichern, sofort antworten und danach arbeiten.",
  "issue.advice.protocol": "Was antwortet, ist kein richtiges HTTP. Prüfen Sie Port und Schema der URL.",
  "issue.advice.redirect":
    "Der Empfänger leitet weiter. Weiterleitungen werden nie befolgt: Tragen Sie die endgültige Adresse ein.",
  "issue.advice.policy": "Die Netzregeln dieses Servers verbieten die Adresse. Private Netze erlaubt --allow-net.",
  "issue.advice.refused": "Der Empfänger lehnt die Anfrage ab. Seine Antwort, beim Versuch zu sehen, sagt meist warum.",
  "issue.advice.server":
    "Der Empfänger hat selbst einen Fehler. Sein Log kennt die Ursache; Wiederholungen gehen weiter.",
  "issue.advice.rate": "Der Empfänger will weniger Anfragen. Setzen Sie am Endpunkt eine Ratengrenze.",
  "issue.advice.gone":
    "Der Empfänger sagt, dass es ihn nicht mehr gibt; der Endpunkt wurde abgeschaltet. Ändern Sie die URL oder löschen Sie ihn.",
  "issue.advice.secret":
    "Der Empfänger glaubt der Signatur nicht. Vergleichen Sie das Geheimnis dort mit dem des Endpunkts; nach einem Wechsel hat er vielleicht noch das alte.",
  "issue.advice.path": "Unter diesem Pfad hört niemand. Prüfen Sie das Ende der URL.",
  "issue.advice.size": "Die Nutzlast ist größer, als der Empfänger annimmt. Er muss seine Grenze anheben.",
};
