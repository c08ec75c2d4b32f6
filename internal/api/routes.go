package api

import (
	_ "embed"
	"net/http"
	"strings"

	"github.com/grapnelhq/grapnel/apitype"
	"github.com/grapnelhq/grapnel/internal/hook"
)

// route is one line of the table: who may call it, what it takes and gives.
type route struct {
	method, path string
	id           string // operation id
	tag          string // noun under which the document lists it
	summary      string
	right        right
	query        string // names of query parameters, see queryParams
	in           any    // zero value of the body; nil: none
	out          any    // zero value of the answer; nil: none
	status       int    // of success
	other        int    // a second status of success; 0: none
	do           func(*call) (reply, error)
	bytes        bool // the answer is bytes that are no JSON
	stream       bool // the answer is server-sent events, whose data is out
	again        bool // of a POST: each call has its effect, whatever the idempotency key
	quiet        bool // changes nothing that the audit log would tell of
	signsIn      bool // of a GET: it begins a session
	hidden       bool // kept for old clients, not documented
	params       []string
}

const (
	v1       = "/api/v1"
	atApp    = v1 + "/app/{app}"
	atEp     = atApp + "/endpoint/{ep}"
	atMsg    = atApp + "/msg/{msg}"
	atTokens = v1 + "/management/authentication/{env}/api-token"

	listQuery    = "limit iterator order"
	messageQuery = "limit iterator before after event_types channel tag with_content"
	attemptQuery = messageQuery + " status status_code_class expanded_statuses"
)

// allRoutes is the whole table.
func allRoutes() []route {
	var table []route
	for _, part := range [][]route{
		applicationRoutes, endpointRoutes, endpointPartRoutes, eventTypeRoutes, messageRoutes, attemptRoutes, contentRoutes,
		sourceRoutes, sourceEndpointRoutes, requestRoutes, searchRoutes, portalSearchRoutes, accessRoutes, sessionRoutes, memberRoutes, portalRoutes, serverRoutes, laterRoutes(),
	} {
		table = append(table, part...)
	}
	return table
}

var applicationRoutes = []route{
	{method: "GET", path: v1 + "/app", id: "application.list", tag: "Application", summary: "List applications", right: rightRead,
		query: listQuery + " exclude_apps_with_no_endpoints exclude_apps_with_disabled_endpoints exclude_apps_with_svix_play_endpoints q", out: apitype.List[apitype.ApplicationRow]{}, status: 200, do: listApplications},
	{method: "POST", path: v1 + "/app", id: "application.create", tag: "Application", summary: "Create an application", right: rightManage,
		query: "get_if_exists", in: apitype.ApplicationIn{}, out: apitype.ApplicationOut{}, status: 201, other: 200, do: createApplication},
	{method: "GET", path: atApp, id: "application.get", tag: "Application", summary: "Get an application", right: rightViewBase,
		out: apitype.ApplicationOut{}, status: 200, do: getApplication},
	{method: "PUT", path: atApp, id: "application.update", tag: "Application", summary: "Change or create an application", right: rightManage,
		in: apitype.ApplicationIn{}, out: apitype.ApplicationOut{}, status: 200, other: 201, do: putApplication},
	{method: "PATCH", path: atApp, id: "application.patch", tag: "Application", summary: "Change some members of an application", right: rightManage,
		in: apitype.ApplicationPatch{}, out: apitype.ApplicationOut{}, status: 200, do: patchApplication},
	{method: "DELETE", path: atApp, id: "application.delete", tag: "Application", summary: "Delete an application with its endpoints", right: rightManage,
		status: 204, do: deleteApplication},
}

var endpointRoutes = []route{
	{method: "GET", path: atApp + "/endpoint", id: "endpoint.list", tag: "Endpoint", summary: "List endpoints", right: rightViewBase,
		query: listQuery, out: apitype.List[apitype.EndpointOut]{}, status: 200, do: listEndpoints},
	{method: "POST", path: atApp + "/endpoint", id: "endpoint.create", tag: "Endpoint", summary: "Create an endpoint", right: rightManageEndpoint,
		in: apitype.EndpointIn{}, out: apitype.EndpointOut{}, status: 201, do: createEndpoint},
	{method: "GET", path: atEp, id: "endpoint.get", tag: "Endpoint", summary: "Get an endpoint", right: rightViewBase,
		out: apitype.EndpointOut{}, status: 200, do: getEndpoint},
	{method: "PUT", path: atEp, id: "endpoint.update", tag: "Endpoint", summary: "Change or create an endpoint", right: rightManageEndpoint,
		in: apitype.EndpointUpdate{}, out: apitype.EndpointOut{}, status: 200, other: 201, do: putEndpoint},
	{method: "PATCH", path: atEp, id: "endpoint.patch", tag: "Endpoint", summary: "Change some members of an endpoint", right: rightManageEndpoint,
		in: apitype.EndpointPatch{}, out: apitype.EndpointOut{}, status: 200, do: patchEndpoint},
	{method: "DELETE", path: atEp, id: "endpoint.delete", tag: "Endpoint", summary: "Delete an endpoint", right: rightManageEndpoint,
		status: 204, do: deleteEndpoint},
}

var endpointPartRoutes = []route{
	{method: "GET", path: atEp + "/secret", id: "endpoint.get-secret", tag: "Endpoint", summary: "Get the key that verifies signatures", right: rightViewSecret,
		out: apitype.EndpointSecretOut{}, status: 200, do: getSecret},
	{method: "POST", path: atEp + "/secret/rotate", id: "endpoint.rotate-secret", tag: "Endpoint", summary: "Replace the signing key", right: rightManageSecret,
		in: apitype.EndpointSecretRotateIn{}, status: 204, do: rotateSecret},
	{method: "GET", path: atEp + "/headers", id: "endpoint.get-headers", tag: "Endpoint", summary: "Get the added request headers", right: rightViewBase,
		out: apitype.EndpointHeadersOut{}, status: 200, do: getHeaders},
	{method: "PUT", path: atEp + "/headers", id: "endpoint.update-headers", tag: "Endpoint", summary: "Replace the added request headers", right: rightManageEndpoint,
		in: apitype.EndpointHeadersIn{}, status: 204, do: putHeaders},
	{method: "PATCH", path: atEp + "/headers", id: "endpoint.patch-headers", tag: "Endpoint", summary: "Change some added request headers", right: rightManageEndpoint,
		in: apitype.EndpointHeadersPatchIn{}, status: 204, do: patchHeaders},
	{method: "GET", path: atEp + "/stats", id: "endpoint.get-stats", tag: "Endpoint", summary: "Count by status in a range of at most 28 days", right: rightViewBase,
		query: "since until", out: apitype.EndpointStats{}, status: 200, do: endpointStats},
	{method: "POST", path: atEp + "/recover", id: "endpoint.recover", tag: "Endpoint", summary: "Send again what failed for good since a time", right: rightCreateAttempts,
		in: apitype.RecoverIn{}, out: apitype.TaskRef{}, status: 202, do: recoverEndpoint},
	{method: "POST", path: atEp + "/send-example", id: "endpoint.send-example", tag: "Endpoint", summary: "Send the example of an event type, or a payload, to this endpoint only", right: rightCreateAttempts,
		in: apitype.EventExampleIn{}, out: apitype.MessageOut{}, status: 200, do: sendExample},
}

var eventTypeRoutes = []route{
	{method: "GET", path: v1 + "/event-type", id: "event-type.list", tag: "Event type", summary: "List event types", right: rightViewBase,
		query: listQuery + " include_archived with_content q", out: apitype.List[apitype.EventTypeOut]{}, status: 200, do: listEventTypes},
	{method: "POST", path: v1 + "/event-type", id: "event-type.create", tag: "Event type", summary: "Create an event type, or revive an archived one", right: rightManage,
		in: apitype.EventTypeIn{}, out: apitype.EventTypeOut{}, status: 201, do: createEventType},
	{method: "GET", path: v1 + "/event-type/{name}", id: "event-type.get", tag: "Event type", summary: "Get an event type", right: rightViewBase,
		out: apitype.EventTypeOut{}, status: 200, do: getEventType},
	{method: "PUT", path: v1 + "/event-type/{name}", id: "event-type.update", tag: "Event type", summary: "Change or create an event type", right: rightManage,
		in: apitype.EventTypeUpdate{}, out: apitype.EventTypeOut{}, status: 200, other: 201, do: putEventType},
	{method: "PATCH", path: v1 + "/event-type/{name}", id: "event-type.patch", tag: "Event type", summary: "Change some members of an event type", right: rightManage,
		in: apitype.EventTypePatch{}, out: apitype.EventTypeOut{}, status: 200, do: patchEventType},
	{method: "DELETE", path: v1 + "/event-type/{name}", id: "event-type.delete", tag: "Event type", summary: "Archive an event type, or remove it for good", right: rightManage,
		query: "expunge", status: 204, do: deleteEventType},
}

var messageRoutes = []route{
	{method: "GET", path: atApp + "/msg", id: "message.list", tag: "Message", summary: "List messages", right: rightViewBase,
		query: messageQuery + " q", out: apitype.List[apitype.MessageOut]{}, status: 200, do: listMessages},
	{method: "POST", path: atApp + "/msg", id: "message.create", tag: "Message", summary: "Publish a message", right: rightPublish,
		query: "with_content wait", in: apitype.MessageIn{}, out: apitype.MessageCreateOut{}, status: 202, do: createMessage},
	{method: "POST", path: atApp + "/msg/batch", id: "message.create-batch", tag: "Message", summary: "Publish up to 1,000 messages in one commit", right: rightPublish,
		in: apitype.MessageBatchIn{}, out: apitype.MessageBatchOut{}, status: 202, do: createBatch},
	{method: "GET", path: atMsg, id: "message.get", tag: "Message", summary: "Get a message", right: rightViewBase,
		query: "with_content", out: apitype.MessageOut{}, status: 200, do: getMessage},
	{method: "DELETE", path: atMsg + "/content", id: "message.expunge-content", tag: "Message", summary: "Drop the payload of a message", right: rightManage,
		status: 204, do: expungeMessage},
	{method: "GET", path: atMsg + "/explain", id: "message.explain", tag: "Message", summary: "Tell for every endpoint what became of a message, and why", right: rightViewBase,
		out: apitype.ExplainOut{}, status: 200, do: explainMessage},
}

var attemptRoutes = []route{
	{method: "GET", path: atApp + "/attempt/endpoint/{ep}", id: "message-attempt.list-by-endpoint", tag: "Attempt", summary: "List the attempts at an endpoint", right: rightViewBase,
		query: attemptQuery + " with_msg", out: apitype.List[apitype.MessageAttemptOut]{}, status: 200, do: listEndpointAttempts},
	{method: "GET", path: atApp + "/attempt/msg/{msg}", id: "message-attempt.list-by-msg", tag: "Attempt", summary: "List the attempts of a message", right: rightViewBase,
		query: attemptQuery + " endpoint_id", out: apitype.List[apitype.MessageAttemptOut]{}, status: 200, do: listMessageAttempts},
	{method: "GET", path: atEp + "/msg", id: "message-attempt.list-attempted-messages", tag: "Attempt", summary: "List the messages of an endpoint with their state there", right: rightViewBase,
		query: messageQuery + " status expanded_statuses", out: apitype.List[apitype.EndpointMessageOut]{}, status: 200, do: listEndpointMessages},
	{method: "GET", path: atMsg + "/endpoint", id: "message-attempt.list-attempted-destinations", tag: "Attempt", summary: "List the endpoints of a message with its state there", right: rightViewBase,
		query: "limit iterator expanded_statuses", out: apitype.List[apitype.MessageEndpointOut]{}, status: 200, do: listMessageEndpoints},
	{method: "GET", path: atMsg + "/attempt/{attempt}", id: "message-attempt.get", tag: "Attempt", summary: "Get an attempt", right: rightViewBase,
		query: "expanded_statuses", out: apitype.MessageAttemptOut{}, status: 200, do: getAttempt},
	{method: "DELETE", path: atMsg + "/attempt/{attempt}/content", id: "message-attempt.expunge-content", tag: "Attempt", summary: "Drop the stored answer of an attempt", right: rightManage,
		status: 204, do: expungeAttempt},
	{method: "POST", path: atMsg + "/endpoint/{ep}/resend", id: "message-attempt.resend", tag: "Attempt", summary: "Send a message to an endpoint again", right: rightCreateAttempts,
		out: apitype.Empty{}, status: 202, do: resend},
	{method: "GET", path: atMsg + "/attempt", id: "message-attempt.list-by-msg-old", right: rightViewBase, hidden: true,
		query: attemptQuery, out: apitype.List[apitype.MessageAttemptOut]{}, status: 200, do: listMessageAttempts},
	{method: "GET", path: atMsg + "/endpoint/{ep}/attempt", id: "message-attempt.list-by-both-old", right: rightViewBase, hidden: true,
		query: attemptQuery, out: apitype.List[apitype.MessageAttemptOut]{}, status: 200, do: listAttemptsOfBoth},
}

var accessRoutes = []route{
	{method: "POST", path: v1 + "/auth/app-portal-access/{app}", id: "authentication.app-portal-access", tag: "Access", summary: "Make a link to the portal of an application", right: rightManage,
		in: apitype.PortalAccessIn{}, out: apitype.PortalAccessOut{}, status: 200, do: portalAccess},
	{method: "POST", path: v1 + "/auth/dashboard-access/{app}", id: "authentication.dashboard-access", right: rightManage, hidden: true,
		out: apitype.PortalAccessOut{}, status: 200, do: portalAccess},
	{method: "POST", path: v1 + "/auth/logout", id: "authentication.logout", tag: "Access", summary: "End the portal token of this request", right: rightApp,
		status: 204, do: logout},
	{method: "POST", path: v1 + "/auth/app/{app}/expire-all", id: "authentication.expire-all", tag: "Access", summary: "End the portal tokens of an application", right: rightManage,
		in: apitype.TokenExpireIn{}, status: 204, do: expireAll},
	{method: "GET", path: v1 + "/auth/whoami", id: "authentication.whoami", tag: "Access", summary: "Tell whose token this request carries", right: rightAny,
		out: apitype.WhoamiOut{}, status: 200, do: whoami},
	{method: "GET", path: atTokens, id: "api-token.list", tag: "Access", summary: "List API tokens", right: rightAdmin,
		query: listQuery, out: apitype.List[apitype.APITokenCensoredOut]{}, status: 200, do: listAPITokens},
	{method: "POST", path: atTokens, id: "api-token.create", tag: "Access", summary: "Create an API token", right: rightAdmin,
		in: apitype.APITokenIn{}, out: apitype.APITokenOut{}, status: 200, do: createAPIToken},
	{method: "POST", path: atTokens + "/{key}/expire", id: "api-token.expire", tag: "Access", summary: "End an API token", right: rightAdmin,
		in: apitype.APITokenExpireIn{}, status: 204, do: expireAPIToken},
}

var serverRoutes = []route{
	{method: "GET", path: v1 + "/background-task", id: "background-task.list", tag: "Task", summary: "List background tasks", right: rightRead,
		query: listQuery + " status task", out: apitype.List[apitype.TaskOut]{}, status: 200, do: listTasks},
	{method: "GET", path: v1 + "/background-task/{task}", id: "background-task.get", tag: "Task", summary: "Get a background task", right: rightRead,
		out: apitype.TaskOut{}, status: 200, do: getTask},
	{method: "POST", path: v1 + "/background-task/{task}/cancel", id: "background-task.cancel", tag: "Task", summary: "Stop a background task", right: rightManage,
		out: apitype.TaskOut{}, status: 200, do: cancelTask},
	{method: "GET", path: v1 + "/health", id: "health.get", tag: "Server", summary: "Tell whether the store can be read and written", right: rightNone,
		status: 204, do: health},
	{method: "GET", path: v1 + "/health/ping", id: "health.ping", right: rightNone, hidden: true, status: 204, do: healthPing},
	{method: "GET", path: "/api/openapi.json", id: "openapi", right: rightNone, hidden: true, status: 200, do: getOpenAPI},
	{method: "GET", path: "/api/docs", id: "docs", right: rightNone, hidden: true, status: 200, do: getDocs},
}

// laterList names the operations of the compatible API that this server does not
// offer: methods and path, one path a line.
//
//go:embed later.txt
var laterList string

// laterRoutes answers those with 501 and the error object, so that clients raise
// their normal exception.
func laterRoutes() []route {
	var table []route
	for line := range strings.Lines(laterList) {
		words := strings.Fields(line)
		for _, method := range words[:len(words)-1] {
			table = append(table, route{
				method: method, path: words[len(words)-1], id: "not-implemented", right: rightNone, hidden: true,
				status: http.StatusNotImplemented, do: notImplemented,
			})
		}
	}
	return table
}

func notImplemented(*call) (reply, error) {
	return reply{}, &hook.Error{Code: hook.CodeNotImplemented, Detail: "This server does not offer this operation."}
}
