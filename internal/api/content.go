package api

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/grapnelhq/grapnel/apitype"
	"github.com/grapnelhq/grapnel/internal/hook"
)

// contentRoutes give what was sent and answered, byte for byte.
var contentRoutes = []route{
	{method: "GET", path: atMsg + "/body", id: "message.get-body", tag: "Message", summary: "Get the body of a message, byte for byte as it is sent", right: rightViewBase,
		bytes: true, status: 200, do: getMessageBody},
	{method: "GET", path: atMsg + "/attempt/{attempt}/headers", id: "message-attempt.get-headers", tag: "Attempt", summary: "Get the headers of an attempt and of its answer", right: rightViewBase,
		out: apitype.AttemptHeadersOut{}, status: 200, do: getAttemptHeaders},
	{method: "GET", path: atMsg + "/attempt/{attempt}/response", id: "message-attempt.get-response", tag: "Attempt", summary: "Get the body of an attempt's answer, byte for byte up to the limit", right: rightViewBase,
		bytes: true, status: 200, do: getAttemptResponse},
}

func getMessageBody(c *call) (reply, error) {
	if c.hidesPayloads() {
		return reply{}, payloadsHidden()
	}
	app, msg, err := c.appAndMessage()
	if err != nil {
		return reply{}, err
	}
	m, err := c.Store.FindMessage(c.ctx(), c.key.Env, app, msg, true)
	if err != nil {
		return reply{}, err
	}
	if m.BodyGone {
		return reply{}, &hook.Error{Code: hook.CodeMissingPayload, Detail: "The payload of this message is not kept any more."}
	}
	return download(messageKey(&m), m.ContentType, m.Body), nil
}

func getAttemptResponse(c *call) (reply, error) {
	if c.hidesPayloads() {
		return reply{}, payloadsHidden()
	}
	a, err := c.attempt()
	if err != nil {
		return reply{}, err
	}
	if a.ResponseGone {
		return reply{}, &hook.Error{Code: hook.CodeMissingPayload, Detail: "The answer of this attempt is not kept any more."}
	}
	return download(attemptKey(&a), "", a.Response), nil
}

func getAttemptHeaders(c *call) (reply, error) {
	a, err := c.attempt()
	if err != nil {
		return reply{}, err
	}
	out := apitype.AttemptHeadersOut{SentHeaders: map[string]string{}, Sensitive: []string{}}
	if err := keptHeaders(a.RequestHeaders, &out.SentHeaders, &out.Sensitive); err != nil {
		return reply{}, err
	}
	if err := keptHeaders(a.ResponseHeaders, &out.ResponseHeaders, &out.Sensitive); err != nil {
		return reply{}, err
	}
	slices.Sort(out.Sensitive)
	out.Sensitive = slices.Compact(out.Sensitive)
	return ok(out)
}

// attempt finds the attempt of the path.
func (c *call) attempt() (hook.Attempt, error) {
	app, msg, id, err := c.attemptPath()
	if err != nil {
		return hook.Attempt{}, err
	}
	return c.Store.FindAttempt(c.ctx(), c.key.Env, app, msg, id)
}

// keptHeaders reads headers as an attempt keeps them, and collects the names of the
// secret ones.
func keptHeaders(kept []byte, into *map[string]string, secret *[]string) error {
	if len(kept) == 0 {
		return nil
	}
	if err := json.Unmarshal(kept, into); err != nil {
		return fmt.Errorf("read the headers of an attempt: %w", err)
	}
	for name, value := range *into {
		if value != "" && strings.Trim(value, "*, ") == "" { // masked, perhaps several times
			*secret = append(*secret, name)
		}
	}
	return nil
}

// download answers with bytes of a stranger: whatever they claim to be, no browser
// may show or run them.
func download(name, contentType string, body []byte) reply {
	header := http.Header{
		"Content-Type":            {octetContent},
		"Content-Disposition":     {`attachment; filename="` + name + `.bin"`},
		"Content-Length":          {strconv.Itoa(len(body))},
		"X-Content-Type-Options":  {"nosniff"},
		"Content-Security-Policy": {"sandbox; default-src 'none'"},
		"Cache-Control":           {"no-store"},
	}
	if contentType != "" && isHeaderValue(contentType) {
		header.Set("X-Original-Content-Type", contentType)
	}
	return reply{status: http.StatusOK, json: append([]byte{}, body...), header: header}
}
