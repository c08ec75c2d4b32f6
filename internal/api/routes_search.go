package api

import "github.com/grapnelhq/grapnel/apitype"

const (
	atIssue   = v1 + "/issue/{issue}"
	walkQuery = "q limit iterator"
)

// searchRoutes go over a whole environment. Tokens of applications have no business with
// them; portalSearchRoutes are for those too.
var searchRoutes = []route{
	{method: "GET", path: v1 + "/message", id: "environment.list-messages", tag: "Search", summary: "Search the messages of all applications and sources", right: rightRead,
		query: walkQuery + " with_content", out: apitype.MessageRows{}, status: 200, do: listRecent},
	{method: "GET", path: v1 + "/message/count", id: "environment.count-messages", tag: "Search", summary: "Count the messages that a search finds, up to 10,000", right: rightRead,
		query: "q", out: apitype.CountOut{}, status: 200, do: countRecent},
	{method: "GET", path: v1 + "/message/{msg}", id: "environment.get-message", tag: "Search", summary: "Get a message of whatever application or source", right: rightRead,
		query: "with_content", out: apitype.MessageRow{}, status: 200, do: getRecent},
	{method: "GET", path: v1 + "/endpoint", id: "environment.list-endpoints", tag: "Search", summary: "Search the endpoints of all applications and sources", right: rightRead,
		query: walkQuery, out: apitype.EndpointRows{}, status: 200, do: listAllEndpoints},
	{method: "GET", path: v1 + "/endpoint/{ep}", id: "environment.get-endpoint", tag: "Search", summary: "Get an endpoint of whatever application or source", right: rightRead,
		out: apitype.EndpointRow{}, status: 200, do: getAnyEndpoint},
	{method: "GET", path: ingestV1 + "/request", id: "environment.list-requests", tag: "Search", summary: "Search what reached all sources", right: rightRead,
		query: walkQuery, out: apitype.RequestRows{}, status: 200, do: listAllRequests},
	{method: "GET", path: v1 + "/search/fields", id: "search.fields", tag: "Search", summary: "Tell what a list can be searched by", right: rightRead,
		query: "list", out: apitype.SearchFields{}, status: 200, do: getSearchFields},
	{method: "GET", path: v1 + "/overview", id: "overview.get", tag: "Overview", summary: "Show a range of time in figures, and what needs somebody", right: rightRead,
		query: "since until", out: apitype.OverviewOut{}, status: 200, do: getOverview},
	{method: "GET", path: v1 + "/issue", id: "issue.list", tag: "Issue", summary: "List failures by endpoint and cause, the last seen first", right: rightRead,
		query: walkQuery + " state", out: apitype.IssueRows{}, status: 200, do: listIssues},
	{method: "GET", path: atIssue, id: "issue.get", tag: "Issue", summary: "Get an issue with how many messages it affects", right: rightRead,
		out: apitype.IssueOut{}, status: 200, do: getIssue},
	{method: "PATCH", path: atIssue, id: "issue.patch", tag: "Issue", summary: "Open, mute or resolve an issue, or note who looks after it", right: rightManage,
		in: apitype.IssuePatch{}, out: apitype.IssueOut{}, status: 200, do: patchIssue},
	{method: "POST", path: atIssue + "/recover", id: "issue.recover", tag: "Issue", summary: "Send again what failed for good at the endpoint of an issue since it began", right: rightManage,
		in: apitype.IssueRecoverIn{}, out: apitype.TaskRef{}, status: 202, do: recoverIssue},
}

var portalSearchRoutes = []route{
	{method: "GET", path: atApp + "/message", id: "message.search", tag: "Message", summary: "Search the messages of an application, with how their deliveries stand", right: rightViewBase,
		query: walkQuery + " with_content", out: apitype.MessageRows{}, status: 200, do: listRecent},
	{method: "GET", path: atEp + "/health", id: "endpoint.get-health", tag: "Endpoint", summary: "Tell hour by hour how an endpoint has been, in at most 31 days", right: rightViewBase,
		query: "since until", out: apitype.EndpointHealth{}, status: 200, do: getHealth},
	{method: "POST", path: atEp + "/recover/count", id: "endpoint.count-recover", tag: "Endpoint", summary: "Count what a recover would send, up to 10,000", right: rightViewBase,
		in: apitype.RecoverRange{}, out: apitype.CountOut{}, status: 200, again: true, quiet: true, do: countRecover},
	{method: "POST", path: atEp + "/replay-missing", id: "endpoint.replay-missing", tag: "Endpoint", summary: "Send what the endpoint would get by its filters of today and never got", right: rightCreateAttempts,
		in: apitype.RecoverIn{}, out: apitype.TaskRef{}, status: 202, do: replayMissing},
	{method: "POST", path: atEp + "/replay-missing/count", id: "endpoint.count-missing", tag: "Endpoint", summary: "Count what a replay of missing messages would send, up to 10,000", right: rightViewBase,
		in: apitype.RecoverRange{}, out: apitype.CountOut{}, status: 200, again: true, quiet: true, do: countMissing},
	{method: "GET", path: atEp + "/task", id: "endpoint.list-tasks", tag: "Endpoint", summary: "List the tasks of an endpoint, newest first", right: rightViewBase,
		query: "limit", out: apitype.List[apitype.TaskOut]{}, status: 200, do: listEndpointTasks},
	{method: "POST", path: atEp + "/task/{task}/cancel", id: "endpoint.cancel-task", tag: "Endpoint", summary: "Stop a task of an endpoint", right: rightCreateAttempts,
		out: apitype.TaskOut{}, status: 200, do: cancelEndpointTask},
}
