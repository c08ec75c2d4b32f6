// Issues: failures grouped by endpoint and cause.
export const issues = {
  "issue.search": "Search issues",
  "issue.col.state": "State",
  "issue.col.cause": "What happens",
  "issue.col.endpoint": "Endpoint",
  "issue.col.failures": "Failures",
  "issue.col.last": "Last seen",
  "issue.healed": "works again",
  "issue.healedAt": "works again since",
  "issue.until": "until",
  "issue.first": "First seen",
  "issue.last": "Last seen",
  "issue.affected": "Messages affected",
  "issue.messages": "Show the messages",
  "issue.sample": "Show an attempt",
  "issue.empty.title": "No open issue.",
  "issue.empty.text":
    "When attempts fail they are grouped here by endpoint and cause, so that a thousand failures are one line.",
  "issue.none": "No issue fits.",
  "issue.showOpen": "Show open issues",
  "issue.showEnded": "Show muted and resolved issues",
  "issue.resolve": "Resolve",
  "issue.reopen": "Reopen",
  "issue.mute": "Mute",
  "issue.mute.hour": "For an hour",
  "issue.mute.day": "For a day",
  "issue.mute.week": "For a week",
  "issue.mute.ever": "Until it is reopened",
  "issue.recover": "Send what failed again",
  "issue.recovering": "What failed since the issue began is being sent again.",
  "issue.progress": "Follow the progress",
  "issue.may": "Needs the role developer.",
  "issue.notes": "Notes",
  "issue.assignee": "Who looks after it",
  "issue.note": "Note",
  "issue.advice": "What to do",
  "issue.advice.dns":
    "The name of the host cannot be resolved. Check the URL for a typing mistake, and whether the domain still exists.",
  "issue.advice.network":
    "The connection is not made, or breaks. The receiver's server may be down, or a firewall may stand between.",
  "issue.advice.tls":
    "The encrypted connection cannot be made. Mostly the receiver's certificate has run out, is for another name, or lacks an intermediate one.",
  "issue.advice.timeout":
    "The receiver takes too long to answer. It should store the event, answer at once and work afterwards.",
  "issue.advice.protocol": "What answers is not HTTP as it should be. Check the port and the scheme of the URL.",
  "issue.advice.redirect":
    "The receiver redirects. Redirects are never followed: put the final address into the endpoint.",
  "issue.advice.policy":
    "The network policy of this server forbids the address. Private networks must be allowed by --allow-net.",
  "issue.advice.refused": "The receiver refuses the request. The body of its answer, in the attempt, mostly says why.",
  "issue.advice.server": "The receiver has a fault of its own. Its log has the cause; retries go on meanwhile.",
  "issue.advice.rate": "The receiver wants fewer requests. Set a rate limit on the endpoint.",
  "issue.advice.gone":
    "The receiver says that it is gone for good, so the endpoint was disabled. Change its URL or delete it.",
  "issue.advice.secret":
    "The receiver does not believe the signature. Compare the secret there with the endpoint's; after a rotation it may still have the old one.",
  "issue.advice.path": "Nothing listens at this path. Check the end of the URL.",
  "issue.advice.size": "The payload is larger than the receiver takes. It has to raise its limit.",
} as const;
