package listen

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/coder/websocket"

	"github.com/grapnelhq/grapnel/internal/hook"
)

// frameLimit bounds what a client may send in one frame, in bytes.
const frameLimit = 4 << 10

// request is what a listener asks for.
type request struct {
	sources []string // ids, uids, names or types
	apps    []string // ids or uids
	all     bool     // every source, those made later too
	cursor  string
	since   time.Duration // how far back to begin; 0: now
}

// ServeHTTP answers GET /api/v1/listen.
func (h *Hub) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	l, err := h.prepare(r)
	if err == nil {
		err = h.join(l)
	}
	if err != nil {
		h.Fail(w, err)
		return
	}
	defer h.leave(l)
	// A client that is no browser brings no Origin; one that does must be of this server.
	conn, err := websocket.Accept(w, r, nil)
	if err != nil {
		return // it has answered
	}
	conn.SetReadLimit(frameLimit)
	l.conn = conn
	l.serve(context.WithoutCancel(r.Context()))
}

// prepare checks everything while there is still an HTTP answer to say it with.
func (h *Hub) prepare(r *http.Request) (*listener, error) {
	if r.Method != http.MethodGet {
		return nil, &hook.Error{Code: hook.CodeMethod, Detail: "This path is for GET requests that become a WebSocket."}
	}
	ctx := r.Context()
	token, err := bearer(r.Header.Get("Authorization"))
	if err != nil {
		return nil, err
	}
	key, err := h.Authenticate(ctx, token)
	if err != nil {
		return nil, err
	}
	if err := mayListen(&key); err != nil {
		return nil, err
	}
	asked, err := parse(r.URL.Query())
	if err != nil {
		return nil, err
	}
	if !strings.EqualFold(r.Header.Get("Upgrade"), "websocket") {
		return nil, &hook.Error{Code: hook.CodeBadRequest, Detail: "This path speaks the WebSocket protocol only.", Hint: "Use `grapnel listen`, or a WebSocket client."}
	}
	l := &listener{
		hub: h, key: key, token: token, wake: make(chan struct{}, 1), acks: make(chan string, Window), ended: make(chan goodbye, 1),
		url: func(s *hook.Source) string { return h.IngestURL(r, s) },
	}
	if err := l.findOwners(ctx, asked); err != nil {
		return nil, err
	}
	l.at, err = l.start(ctx, asked)
	return l, err
}

// mayListen lets in who may read: keys of the environment, and tokens of an
// application, which findOwners holds to that application.
func mayListen(k *hook.Key) error {
	needed := []string{"read"}
	if !k.App.IsZero() {
		needed = []string{"ViewBase", "ManageEndpoint"}
	}
	if len(k.Scopes) == 0 || slices.ContainsFunc(needed, func(n string) bool { return slices.Contains(k.Scopes, n) }) {
		return nil
	}
	return &hook.Error{Code: hook.CodeNotAllowed, Detail: "The key lacks the scope `" + needed[0] + "`."}
}

func bearer(header string) (string, error) {
	scheme, token, _ := strings.Cut(header, " ")
	if header != "" && !strings.EqualFold(scheme, "Bearer") {
		return "", &hook.Error{Code: hook.CodeAuthentication, Detail: "The Authorization header is not of the form `Bearer KEY`."}
	}
	return strings.TrimSpace(token), nil
}

// parse reads the query. What is not known is refused: a misspelt filter would show
// too much or nothing.
func parse(q url.Values) (request, error) {
	var r request
	for name, values := range q {
		for _, value := range values {
			switch name {
			case "source":
				r.sources = append(r.sources, strings.Split(value, ",")...)
			case "app":
				r.apps = append(r.apps, strings.Split(value, ",")...)
			case "all_sources":
				if value != "true" && value != "false" {
					return r, badQuery(name, "is neither true nor false")
				}
				r.all = value == "true"
			case "cursor":
				r.cursor = value
			case "since":
				d, err := time.ParseDuration(value)
				if err != nil || d <= 0 {
					return r, badQuery(name, "is not a duration such as 1h")
				}
				r.since = d
			default:
				return r, badQuery(name, "is not known here")
			}
		}
	}
	switch {
	case len(r.sources)+len(r.apps) == 0 && !r.all:
		return r, &hook.Error{Code: hook.CodeBadRequest, Detail: "The query names nothing to listen to.", Hint: "Name sources with source=, all of them with all_sources=true, or applications with app=."}
	case len(r.sources)+len(r.apps) > mostOwners:
		return r, badQuery("source", "names too many at once")
	case r.cursor != "" && r.since > 0:
		return r, badQuery("since", "cannot stand beside a cursor")
	}
	return r, nil
}

func badQuery(name, what string) *hook.Error {
	return &hook.Error{Code: hook.CodeBadRequest, Detail: "The query value `" + name + "` " + what + "."}
}
