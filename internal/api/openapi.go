package api

import (
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/grapnelhq/grapnel/apitype"
)

// queryParams says for each query parameter what it is: its type and a sentence.
var queryParams = map[string]struct {
	kind any
	doc  string
}{
	"limit":                                 {0, "Rows of a page, 1 to 250. Default: 50."},
	"iterator":                              {"", "Where the page starts: the iterator or prevIterator of another page."},
	"order":                                 {apitype.Ascending, "ascending or descending."},
	"before":                                {"", "Only what is older than this time (RFC 3339)."},
	"after":                                 {"", "Only what is newer than this time (RFC 3339)."},
	"since":                                 {"", "Start of the range (RFC 3339). Default: 28 days before its end."},
	"until":                                 {"", "End of the range (RFC 3339). Default: now."},
	"event_types":                           {"", "Only these event types, separated by commas."},
	"channel":                               {"", "Only messages of this channel."},
	"tag":                                   {"", "Only messages with this tag."},
	"with_content":                          {false, "False to leave payloads, responses or schemas out."},
	"with_msg":                              {false, "True to add the message without its payload."},
	"status":                                {"", "Only this status."},
	"status_code_class":                     {0, "Only answers of this class: 100, 200, 300, 400, 500; 0 for none."},
	"expanded_statuses":                     {false, "True to show canceled deliveries as status 4, not as 0."},
	"endpoint_id":                           {"", "Only this endpoint, by id or uid."},
	"task":                                  {"", "Only this type of task."},
	"state":                                 {"", "Only these states, separated by commas. Of requests: accepted, duplicate, duplicate_differs, refused, handshake. Of issues: open, muted, resolved."},
	"q":                                     {"", "A search in the language that /api/v1/search/fields lists the fields of, such as status:failed type:invoice.* after:2h."},
	"list":                                  {"", "messages, requests, endpoints, issues, applications or event-types."},
	"reason":                                {"", "Only this reason."},
	"topics":                                {"", "Only these topics, separated by commas: messages, attempts, requests, tasks. Default: all."},
	"last_event_id":                         {"", "Where to go on: the id of the last event. The header Last-Event-ID goes before it."},
	"environment":                           {"", "Of a member, for pages that can set no header: the environment that the call is about."},
	"include_archived":                      {false, "True to list archived event types as well."},
	"expunge":                               {false, "True to remove the event type for good."},
	"get_if_exists":                         {false, "True to get the application of this uid if there is one."},
	"wait":                                  {"", "Wait until each endpoint was tried once, at most this long: seconds, such as 5 or 5s, up to 60."},
	"exclude_apps_with_no_endpoints":        {false, "True to leave out applications without endpoints."},
	"exclude_apps_with_disabled_endpoints":  {false, "True to leave out applications that have a disabled endpoint."},
	"exclude_apps_with_svix_play_endpoints": {false, "Accepted for older clients; such endpoints do not exist here."},
}

// pathParams says what each path parameter is.
var pathParams = map[string]string{ //nolint:gosec // texts for people
	"app": "Id or uid of the application.", "ep": "Id or uid of the endpoint.", "msg": "Id or eventId of the message.",
	"attempt": "Id of the attempt.", "name": "Name of the event type.", "task": "Id of the task.",
	"source": "Id or uid of the source.", "req": "Id of the request.",
	"env": "Id of the key's own environment, or a minus sign for it.", "key": "Id of the API token.",
	"issue":  "Id of the issue.",
	"member": "Id of the member.", "session": "Id of the session.", "passkey": "Id of the passkey.",
}

// openAPIDocument describes the table as OpenAPI 3.1.
func openAPIDocument(table []route, version string) []byte {
	reg := huma.NewMapRegistry("#/components/schemas/", huma.DefaultSchemaNamer)
	for _, o := range apitype.OptionalTypes() {
		reg.RegisterTypeAlias(o.Optional, o.Pointer)
	}
	reg.RegisterTypeAlias(reflect.TypeFor[apitype.ErrorDetail](), reflect.TypeFor[json.RawMessage]())
	doc := &huma.OpenAPI{
		OpenAPI: "3.1.0",
		Info:    &huma.Info{Title: "Grapnel API", Version: version, Description: "Publish events, and manage who gets them."},
		// Relative to the document, so that it holds behind a path prefix.
		Servers:    []*huma.Server{{URL: ".."}},
		Components: &huma.Components{Schemas: reg, SecuritySchemes: map[string]*huma.SecurityScheme{"key": {Type: "http", Scheme: "bearer"}}},
		Security:   []map[string][]string{{"key": {}}},
	}
	for i := range table {
		rt := &table[i]
		if rt.hidden {
			continue
		}
		doc.AddOperation(operation(rt, reg))
		if n := len(doc.Tags); n == 0 || doc.Tags[n-1].Name != rt.tag {
			doc.Tags = append(doc.Tags, &huma.Tag{Name: rt.tag})
		}
	}
	doc.Webhooks = map[string]*huma.PathItem{"message": {Post: delivered()}}
	for _, s := range reg.Map() {
		if forbids, ok := s.AdditionalProperties.(bool); ok && !forbids {
			// Unknown members are ignored, and answers may gain members.
			s.AdditionalProperties = nil
		}
	}
	doc.Extensions = map[string]any{"x-not-implemented": strings.Split(strings.TrimSpace(laterList), "\n")}
	text, err := json.Marshal(doc)
	if err != nil {
		panic(fmt.Errorf("the OpenAPI document does not encode: %w", err)) // a fault of the table, seen by every test
	}
	return text
}

// delivered describes what an endpoint receives.
func delivered() *huma.Operation {
	op := &huma.Operation{
		OperationID: "webhook.message", Summary: "A message on its way to an endpoint, signed as Standard Webhooks 1.0.0 has it",
		RequestBody: &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{jsonContent: {Schema: &huma.Schema{
			Description: "The payload, byte for byte as it was published.",
		}}}},
		Responses: map[string]*huma.Response{
			"2XX": {Description: "Taken. Any other answer is a failure and leads to another attempt."},
			"410": {Description: "Gone for good: the endpoint is disabled."},
		},
	}
	for _, h := range [][2]string{
		{"webhook-id", "Id of the message, the same in every attempt: what has it already can be dropped."},
		{"webhook-timestamp", "Time of the attempt in Unix seconds."},
		{"webhook-signature", "Signatures of id, timestamp and body joined by dots, separated by blanks: v1 is HMAC-SHA256, v1a Ed25519."},
	} {
		op.Parameters = append(op.Parameters, &huma.Param{
			Name: h[0], In: "header", Required: true, Description: h[1], Schema: &huma.Schema{Type: huma.TypeString},
		})
	}
	return op
}

func operation(rt *route, reg huma.Registry) *huma.Operation {
	op := &huma.Operation{
		Method: rt.method, Path: rt.path, OperationID: rt.id, Summary: rt.summary, Tags: []string{rt.tag},
		Responses: map[string]*huma.Response{"default": {Description: "What went wrong.", Content: content(apitype.Error{}, reg, jsonContent)}},
	}
	if rt.right == rightNone {
		op.Security = []map[string][]string{{}}
	}
	for _, name := range rt.params {
		op.Parameters = append(op.Parameters, &huma.Param{
			Name: name, In: "path", Required: true, Description: pathParams[name], Schema: &huma.Schema{Type: huma.TypeString},
		})
	}
	for _, name := range strings.Fields(rt.query) {
		p := queryParams[name]
		op.Parameters = append(op.Parameters, &huma.Param{
			Name: name, In: "query", Description: p.doc, Schema: reg.Schema(reflect.TypeOf(p.kind), true, name),
		})
	}
	if rt.method == http.MethodPost && !rt.again {
		op.Parameters = append(op.Parameters, &huma.Param{
			Name: "idempotency-key", In: "header", Schema: &huma.Schema{Type: huma.TypeString},
			Description: "Makes the call happen once: a second one with the same key, path and body has the result of the first.",
		})
	}
	if rt.in != nil {
		types := []string{jsonContent}
		if _, batch := rt.in.(apitype.MessageBatchIn); batch {
			types = append(types, "application/x-ndjson")
		}
		op.RequestBody = &huma.RequestBody{Content: content(rt.in, reg, types...)}
	}
	for _, status := range []int{rt.status, rt.other} {
		if status == 0 {
			continue
		}
		response := &huma.Response{Description: http.StatusText(status)}
		if rt.out != nil {
			response.Content = content(rt.out, reg, jsonContent)
		}
		if rt.stream {
			response.Content = content(rt.out, reg, "text/event-stream")
		}
		if rt.bytes {
			response.Content = map[string]*huma.MediaType{octetContent: {Schema: &huma.Schema{Type: huma.TypeString, Format: "binary"}}}
		}
		op.Responses[strconv.Itoa(status)] = response
	}
	return op
}

func content(v any, reg huma.Registry, types ...string) map[string]*huma.MediaType {
	m := map[string]*huma.MediaType{}
	for _, t := range types {
		m[t] = &huma.MediaType{Schema: reg.Schema(reflect.TypeOf(v), true, "Body")}
	}
	return m
}

func getOpenAPI(c *call) (reply, error) {
	return reply{status: http.StatusOK, json: c.openAPI()}, nil
}
