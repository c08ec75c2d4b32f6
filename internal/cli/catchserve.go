package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"time"

	"github.com/grapnelhq/grapnel/apitype"
	"github.com/grapnelhq/grapnel/provider"
)

// sink is the receiver of grapnel catch --port.
type sink struct {
	*catching
	verifier *provider.Verifier // nil: nothing is verified
	answer   []byte
	header   http.Header
	url      string
	stop     func()
}

// serve takes requests on this machine until ctx ends or enough have come.
func (c *catching) serve(ctx context.Context) error {
	s := &sink{catching: c}
	var err error
	if s.answer, err = c.input("the body of the answer", c.body); err != nil {
		return err
	}
	if s.header, err = parseHeaders(c.headers); err != nil {
		return err
	}
	if c.name != "" {
		p, err := findScheme("--verify ", c.name)
		if err != nil {
			return err
		}
		if s.verifier, err = c.verifier(&c.Streams, &p); err != nil {
			return err
		}
	}
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(c.port)))
	if err != nil {
		return &failure{exit: ExitConflict, code: "port_taken", what: fmt.Sprintf("grapnel catch cannot listen on port %d", c.port), why: shortError(err), fix: "Choose another port, or --port 0 for any that is free.", err: err}
	}
	s.url = "http://" + l.Addr().String() + c.path
	ctx, s.stop = context.WithCancel(ctx)
	defer s.stop()
	server := &http.Server{Handler: s, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: time.Minute, BaseContext: func(net.Listener) context.Context { return ctx }}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(l) }()
	c.begin(s.url)
	select {
	case err = <-ended:
	case <-ctx.Done():
		// The answer to the last request is still on its way.
		last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		err = errors.Join(ignoreDeadline(server.Shutdown(last)), server.Close())
		<-ended //nolint:errcheck // what ended it is known: the line before
	}
	if err != nil && !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return c.verdict()
}

func ignoreDeadline(err error) error {
	if errors.Is(err, context.DeadlineExceeded) {
		return nil
	}
	return err
}

// ServeHTTP verifies a request, shows it and answers.
func (s *sink) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if s.path != "" && r.URL.Path != s.path {
		http.Error(w, "grapnel catch takes requests to "+s.path, http.StatusNotFound)
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, s.maxBody))
	if err != nil {
		http.Error(w, "the body cannot be read", http.StatusRequestEntityTooLarge)
		return
	}
	c := &caught{
		ReceivedAt: time.Now(), Method: r.Method, Path: r.URL.EscapedPath(), Query: r.URL.RawQuery, Remote: r.RemoteAddr, Headers: sortedHeaders(r.Header),
	}
	c.setBody(body)
	answer := s.decide(r, c, body)
	c.Status = answer.Status
	if s.delay > 0 {
		timer := time.NewTimer(s.delay)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-r.Context().Done(): // the sender has gone, or the command ends
		}
	}
	for name, values := range answer.Header {
		w.Header()[name] = values
	}
	w.WriteHeader(answer.Status)
	_, _ = w.Write(answer.Body) // the sender has gone; what came is shown all the same
	if s.show(c) {
		s.stop()
	}
}

// decide gives the answer: what the flags say, else what the provider wants to hear.
func (s *sink) decide(r *http.Request, c *caught, body []byte) provider.Answer {
	answer := provider.Answer{Status: http.StatusOK, Header: http.Header{}}
	if s.verifier != nil {
		req := provider.Request{Method: r.Method, URL: "http://" + r.Host + r.URL.RequestURI(), Header: r.Header, Body: body}
		j := judge(r.Context(), s.verifier, req, c.ReceivedAt)
		c.Verdict, c.EventType = &j, j.EventType
		p := s.verifier.Provider()
		shake, is := s.verifier.Handshake(req, provider.Verdict{Reason: provider.Reason(j.Reason)}, c.ReceivedAt)
		switch {
		case is:
			answer = shake.Answer
			c.Verdict.Findings = append(c.Verdict.Findings, apitype.Finding{Code: "handshake", Text: "This is no event but part of a subscription, and it is answered as " + p.Title + " wants."})
			c.Verdict.OK = true
		case !j.OK:
			answer.Status = p.Refusal
			if !p.RefusalEmpty {
				answer.Body = []byte(j.Reason + "\n")
			}
		case p.Accepted.Status != 0:
			answer = p.Accepted
		}
	}
	if s.status != 0 {
		answer.Status = s.status
	}
	if s.body != "" {
		answer.Body = s.answer
	}
	header := http.Header{}
	for _, from := range []http.Header{answer.Header, s.header} {
		for name, values := range from {
			header[name] = values
		}
	}
	answer.Header = header
	if answer.Status == http.StatusNoContent || answer.Status == http.StatusNotModified {
		answer.Body = nil
	}
	return answer
}
