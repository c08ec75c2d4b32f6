package server

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/pprof"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/grapnelhq/grapnel/apitype"
	"github.com/grapnelhq/grapnel/internal/hook"
	"github.com/grapnelhq/grapnel/internal/ingest"
)

// readyTimeout bounds the question to the store.
const readyTimeout = 2 * time.Second

// handler answers the main listener. It sees paths as clients send them: a
// ServeMux would redirect some, and clients would repeat a POST as a GET.
func (s *Server) handler() http.Handler {
	var h http.Handler = http.HandlerFunc(s.route)
	if prefix := s.pathPrefix(); prefix != "" {
		h = withoutPrefix(prefix, h)
	}
	return s.logged(limitHeaders(h))
}

func (s *Server) route(w http.ResponseWriter, r *http.Request) {
	switch path := r.URL.Path; {
	case path == "/healthz":
		s.probe(w, r, func(context.Context) error { return nil })
	case path == "/readyz":
		s.probe(w, r, s.tellReady)
	case path == "/metrics":
		s.metricsWithKey(w, r)
	case s.cfg.Role.Receives() && strings.HasPrefix(r.URL.EscapedPath(), ingest.Prefix):
		s.gateway.ServeHTTP(w, s.withCaller(r))
	case s.api == nil:
		s.withoutAPI(w)
	case path == listenPath || path == listenPath+"/":
		s.hub.ServeHTTP(w, r)
	case path == "/api" || strings.HasPrefix(path, "/api/") || strings.HasPrefix(path, "/ingest/api/"):
		s.apiHandler.ServeHTTP(w, s.withCaller(r))
	case s.site != nil && s.site.Serve(w, r):
	case path == "/":
		s.landing(w, r)
	case strings.HasPrefix(path, "//"):
		fail(w, &hook.Error{Code: hook.CodeNotFound, Detail: "The path begins with two slashes.", Hint: "Remove the slash at the end of the server's URL."})
	default:
		fail(w, &hook.Error{Code: hook.CodeNotFound, Detail: "There is nothing at this path.", Hint: "The API is at /api/v1, its description at /api/docs."})
	}
}

// withoutAPI answers what a node of another role would.
func (s *Server) withoutAPI(w http.ResponseWriter) {
	fail(w, &hook.Error{
		Code: hook.CodeNotFound, Detail: "This node has the role " + string(s.cfg.Role) + " and no API.",
		Hint: "Use a node with the role all or api. Here are /healthz, /readyz and /metrics.",
	})
}

// servePrivate answers the metrics listener, which whoever can reach it may use.
func (s *Server) servePrivate(w http.ResponseWriter, r *http.Request) {
	switch path := r.URL.Path; {
	case path == "/metrics":
		s.showMetrics.ServeHTTP(w, r)
	case path == "/healthz":
		s.probe(w, r, func(context.Context) error { return nil })
	case path == "/readyz":
		s.probe(w, r, s.tellReady)
	case path == "/debug/pprof/cmdline":
		// The command line may name files that are nobody's business.
		fail(w, hook.NotFound("page"))
	case path == "/debug/pprof/profile":
		pprof.Profile(w, r)
	case path == "/debug/pprof/symbol":
		pprof.Symbol(w, r)
	case path == "/debug/pprof/trace":
		pprof.Trace(w, r)
	case strings.HasPrefix(path, "/debug/pprof/"):
		pprof.Index(w, r)
	default:
		fail(w, &hook.Error{Code: hook.CodeNotFound, Detail: "There is nothing at this path.", Hint: "Here are /metrics, /healthz, /readyz and /debug/pprof/."})
	}
}

// checkReady says why the server should get no requests now, a line for each reason.
func (s *Server) checkReady(ctx context.Context) error {
	var why []string
	if !s.ready.Load() {
		why = append(why, "The server is starting or stopping.")
	}
	if !s.keeper.Fresh() {
		why = append(why, "The lease of this node is not fresh, so it sends nothing.")
	}
	ctx, cancel := context.WithTimeout(ctx, readyTimeout)
	defer cancel()
	err := s.store.Ping(ctx)
	if err != nil {
		why = append(why, "The database cannot be written.")
	}
	if len(why) == 0 {
		return nil
	}
	return &hook.Error{Code: hook.CodeUnavailable, Detail: strings.Join(why, "\n"), Err: err}
}

// tellReady is checkReady, and tells the log when its answer is another one than
// before: probes come many times a minute.
func (s *Server) tellReady(ctx context.Context) error {
	err := s.checkReady(ctx)
	var now string
	if err != nil {
		now = asShown(err).Detail
	}
	before := s.unready.Swap(&now)
	switch {
	case before != nil && *before == now:
	case err != nil:
		s.log.WarnContext(ctx, "not ready", "error", err)
	case before != nil:
		s.log.InfoContext(ctx, "ready again")
	}
	return err
}

// probe answers whoever looks after the server.
func (s *Server) probe(w http.ResponseWriter, r *http.Request, check func(context.Context) error) {
	if !readOnly(w, r) {
		return
	}
	if err := check(r.Context()); err != nil {
		fail(w, err)
		return
	}
	answer(w, http.StatusOK, map[string]string{"status": "ok"})
}

// metricsWithKey shows metrics to environment keys.
func (s *Server) metricsWithKey(w http.ResponseWriter, r *http.Request) {
	if !readOnly(w, r) {
		return
	}
	token, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	key, err := s.auth.Authenticate(r.Context(), strings.TrimSpace(token))
	if err == nil && (!key.App.IsZero() || len(key.Scopes) > 0) {
		err = &hook.Error{Code: hook.CodeNotAllowed, Detail: "Metrics are for keys with all rights of an environment."}
	}
	if err != nil {
		fail(w, err)
		return
	}
	s.showMetrics.ServeHTTP(w, r)
}

func (s *Server) metricsHandler() http.Handler {
	return promhttp.HandlerFor(s.metrics.registry, promhttp.HandlerOpts{
		MaxRequestsInFlight: 4, Timeout: 10 * time.Second, EnableOpenMetrics: true,
	})
}

func readOnly(w http.ResponseWriter, r *http.Request) bool {
	if r.Method == http.MethodGet || r.Method == http.MethodHead {
		return true
	}
	w.Header().Set("Allow", "GET, HEAD")
	fail(w, &hook.Error{Code: hook.CodeMethod, Detail: "This path can only be read."})
	return false
}

// limitHeaders refuses requests with too much in front of the body.
func limitHeaders(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		bytes, lines := len(r.RequestURI), 0
		for name, values := range r.Header {
			for _, v := range values {
				bytes += len(name) + len(v) + len(": \r\n")
				lines++
			}
		}
		if bytes > maxHeader || lines > maxHeaderLines {
			w.Header().Set("Connection", "close")
			fail(w, &hook.Error{Code: hook.CodeHeadersTooBig, Detail: "The request has more than 64 KiB or 200 lines of headers."})
			return
		}
		next.ServeHTTP(w, r)
	})
}

// fail answers with the error object of the API.
func fail(w http.ResponseWriter, err error) {
	e := asShown(err)
	info := e.Code.Info()
	if e.Code == hook.CodeAuthentication {
		w.Header().Set("WWW-Authenticate", "Bearer")
	}
	if e.Code == hook.CodeUnavailable {
		w.Header().Set("Retry-After", "1")
	}
	hint := e.Hint
	if hint == "" {
		hint = info.Remedy
	}
	answer(w, info.Status, apitype.Error{
		Code: string(e.Code), Title: info.Title, Status: info.Status, Hint: hint, Detail: apitype.ErrorDetail{Text: e.Detail},
	})
}

func answer(w http.ResponseWriter, status int, body any) {
	text, err := json.Marshal(body)
	if err != nil {
		status, text = http.StatusInternalServerError, []byte(`{"code":"internal_error","detail":"The server failed."}`)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(append(text, '\n')) // the client has gone; nobody is left to tell
}
