package server

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/grapnelhq/grapnel/internal/hook"
	"github.com/grapnelhq/grapnel/internal/ingest"
)

func asShown(err error) *hook.Error {
	var e *hook.Error
	if errors.As(err, &e) {
		return e
	}
	return &hook.Error{Code: hook.CodeInternal, Detail: "The server failed. Its log has the cause.", Err: err}
}

// pathPrefix is the path of the public address, without a slash at its end.
func (s *Server) pathPrefix() string {
	if s.cfg.PublicURL == nil {
		return ""
	}
	return s.cfg.PublicURL.EscapedPath()
}

// withoutPrefix takes the path prefix off where a proxy has left it on, so that
// both kinds of proxy work.
func withoutPrefix(prefix string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		rest, ok := strings.CutPrefix(r.URL.EscapedPath(), prefix)
		if !ok || rest != "" && rest[0] != '/' {
			next.ServeHTTP(w, r)
			return
		}
		if rest == "" {
			rest = "/"
		}
		u := *r.URL
		path, err := url.PathUnescape(rest)
		if err != nil {
			fail(w, &hook.Error{Code: hook.CodeBadRequest, Detail: "The path cannot be decoded."})
			return
		}
		u.Path, u.RawPath = path, rest
		inner := *r
		inner.URL = &u
		next.ServeHTTP(w, &inner)
	})
}

// publicURL is the address by which a caller reached the server.
func (s *Server) publicURL(r *http.Request) string {
	if s.cfg.PublicURL != nil {
		return s.cfg.PublicURL.String()
	}
	scheme, host := "http", r.Host
	if r.TLS != nil {
		scheme = "https"
	}
	if s.trusted(peer(r)) {
		if proto := lastOf(r.Header.Get("X-Forwarded-Proto")); proto == "https" || proto == "http" {
			scheme = proto
		}
		if forwarded := lastOf(r.Header.Get("X-Forwarded-Host")); isHost(forwarded) {
			host = forwarded
		}
	}
	return scheme + "://" + host
}

// clientOf is the address of the client: the peer, or what trusted proxies say
// about it. The list of addresses grows to the right, so that the last one that
// is no trusted proxy is the one that a proxy of ours has seen.
func (s *Server) clientOf(r *http.Request) netip.Addr {
	addr := peer(r)
	if !s.trusted(addr) {
		return addr
	}
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for _, hop := range slices.Backward(hops) {
		next, err := netip.ParseAddr(strings.TrimSpace(hop))
		if err != nil {
			return addr
		}
		addr = next.Unmap()
		if !s.trusted(addr) {
			return addr
		}
	}
	return addr
}

func (s *Server) trusted(addr netip.Addr) bool {
	for _, net := range s.cfg.TrustedProxies {
		if net.Contains(addr) {
			return true
		}
	}
	return false
}

func peer(r *http.Request) netip.Addr {
	a, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	return a.Addr().Unmap()
}

func lastOf(list string) string {
	return strings.TrimSpace(list[strings.LastIndexByte(list, ',')+1:])
}

// isHost reports whether a text can stand as host and port in a URL.
func isHost(text string) bool {
	if text == "" || strings.ContainsAny(text, "/?#@\\ \t") {
		return false
	}
	u, err := url.Parse("http://" + text)
	return err == nil && u.Host == text
}

// logged writes a line for each request at level debug.
func (s *Server) logged(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !s.log.Enabled(r.Context(), slog.LevelDebug) {
			next.ServeHTTP(w, r)
			return
		}
		began := s.elapsed()
		seen := &statusWriter{ResponseWriter: w}
		next.ServeHTTP(seen, r)
		s.log.LogAttrs(r.Context(), slog.LevelDebug, "request",
			slog.String("method", r.Method), slog.String("path", pathForLog(r)), slog.Int("status", seen.status),
			slog.String("client", s.clientOf(r).String()), slog.String("requestId", w.Header().Get("X-Request-Id")),
			slog.Duration("took", s.elapsed()-began))
	})
}

// pathForLog gives the path without what follows the prefix of ingest URLs: who knows
// a token can post to its source.
func pathForLog(r *http.Request) string {
	path := r.URL.Path
	if i := strings.Index(path, ingest.Prefix); i >= 0 {
		return path[:i] + ingest.Prefix + "[token]"
	}
	return path
}

// statusWriter remembers the status of an answer.
type statusWriter struct {
	http.ResponseWriter
	status int
}

// WriteHeader notes the first status that is final.
func (w *statusWriter) WriteHeader(status int) {
	if w.status == 0 && status >= http.StatusOK {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

// Write implies status 200.
func (w *statusWriter) Write(b []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	return w.ResponseWriter.Write(b)
}

// Unwrap gives http.ResponseController the connection's own writer.
func (w *statusWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

type acceptFunc = func(context.Context, []hook.NewEvent) ([]hook.Accepted, error)

// observed measures accepting, and writes the one wide line of each event. first is
// what owns the first event of a call; all others are of applications.
func (s *Server) observed(first hook.Kind, accept acceptFunc) acceptFunc {
	return func(ctx context.Context, events []hook.NewEvent) ([]hook.Accepted, error) {
		began := time.Now()
		accepted, err := accept(ctx, events)
		took := time.Since(began)
		s.metrics.acceptSeconds.Observe(took.Seconds())
		s.traceAccept(ctx, events, accepted, err, took)
		if err == nil {
			s.hub.Wake()
			s.live.Wake()
		}
		if err == nil && s.log.Enabled(ctx, slog.LevelInfo) {
			for i := range accepted {
				owner := hook.KindApplication
				if i == 0 {
					owner = first
				}
				s.logAccepted(ctx, owner, &events[i], &accepted[i], took)
			}
		}
		return accepted, err
	}
}

func (s *Server) logAccepted(ctx context.Context, owner hook.Kind, e *hook.NewEvent, a *hook.Accepted, took time.Duration) {
	key := "app"
	if owner == hook.KindSource {
		key = "source"
	}
	attrs := []slog.Attr{
		slog.String(key, owner.Format(e.App)),
		slog.String("message", hook.KindMessage.Format(a.Message.ID)),
		slog.String("type", e.EventType),
	}
	if e.EventID != "" {
		attrs = append(attrs, slog.String("event_id", e.EventID))
	}
	attrs = append(attrs, slog.Int("bytes", len(e.Body)), slog.Int("endpoints", a.Matched), slog.Int("leased", len(a.Leased)),
		slog.Float64("took_ms", float64(took.Microseconds())/1000))
	text := "accepted"
	switch {
	case a.Err != nil:
		text = "refused"
		attrs = append(attrs, slog.String("reason", a.Err.Error()))
	case a.Duplicate:
		text = "duplicate"
	}
	s.log.LogAttrs(ctx, slog.LevelInfo, text, attrs...)
}
