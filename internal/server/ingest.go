package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/grapnelhq/grapnel/apitype"
	"github.com/grapnelhq/grapnel/internal/api"
	"github.com/grapnelhq/grapnel/internal/hook"
	"github.com/grapnelhq/grapnel/internal/ingest"
	"github.com/grapnelhq/grapnel/internal/netguard"
	"github.com/grapnelhq/grapnel/provider"
)

// wireIngest makes the gateway. Nodes that do not receive have it too: the API checks
// sources with it, and any node can be the one that makes the events of cron sources.
func (s *Server) wireIngest(policy *netguard.Policy, sealIt, open hook.SealFunc) {
	accept := s.acceptDue
	if s.engine != nil {
		accept = s.engine.Accept
	}
	nodes := &looked[[]hook.NodeInfo]{elapsed: s.elapsed, read: func(ctx context.Context) ([]hook.NodeInfo, error) {
		return s.store.ListNodes(ctx, s.now())
	}}
	s.gateway = ingest.New(ingest.Deps{
		Store: s.store, Accept: s.observed(hook.KindSource, accept), Now: s.now, Elapsed: s.elapsed, Seal: sealIt, Open: open,
		PublicURL: s.ingestURL, ClientOf: s.clientOf, Fetch: s.fetcher(policy), Leads: s.keeper.Leads,
		Nodes:   func() int { return aliveIn(nodes.get()) },
		MaxBody: int64(s.cfg.MaxBody), Logger: s.log,
		Observed: s.metrics.received, Dropped: func(n int) { s.metrics.unrecorded.Add(float64(n)) },
	})
}

func aliveIn(nodes []hook.NodeInfo) int {
	sum := 0
	for i := range nodes {
		if nodes[i].Alive {
			sum++
		}
	}
	return max(sum, 1)
}

// ingestURL is the address that ingest URLs begin with, and whether the operator has
// named it.
func (s *Server) ingestURL(r *http.Request) (base string, told bool) {
	switch {
	case s.cfg.PublicURL != nil:
		return s.cfg.PublicURL.String(), true
	case r == nil:
		return s.URL(), false
	}
	return s.publicURL(r), false
}

// Bounds of what is fetched to verify a webhook or to confirm a subscription.
const (
	fetchTimeout = 5 * time.Second
	fetchBytes   = 64 << 10
)

var (
	errFetchScheme = errors.New("only https is fetched")
	errFetchLong   = errors.New("the answer is longer than 64 KiB")
)

// fetcher gets what a scheme has pinned, by the one way out: https only, to
// addresses that the policy allows, without redirects.
func (s *Server) fetcher(policy *netguard.Policy) func(ctx context.Context, address string) ([]byte, error) {
	transport := &http.Transport{
		DialContext:       (&netguard.Dialer{Policy: policy, Connect: s.world.Connect}).DialContext,
		ForceAttemptHTTP2: true, MaxIdleConns: 8, IdleConnTimeout: time.Minute, MaxResponseHeaderBytes: fetchBytes, TLSHandshakeTimeout: fetchTimeout,
	}
	if s.cfg.EgressProxy != nil {
		transport.Proxy, transport.DialContext = http.ProxyURL(s.cfg.EgressProxy), nil
	}
	client := &http.Client{
		Transport: transport, Timeout: fetchTimeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return func(ctx context.Context, address string) ([]byte, error) {
		u, err := url.Parse(address)
		if err != nil || u.Scheme != "https" || u.User != nil {
			return nil, errFetchScheme
		}
		if _, err := policy.CheckURL(address); err != nil {
			return nil, fmt.Errorf("fetching from %s: %w", u.Host, err)
		}
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, http.NoBody)
		if err != nil {
			return nil, errFetchScheme
		}
		r.Header.Set("User-Agent", "Grapnel/"+s.version)
		answer, err := client.Do(r)
		if err != nil {
			return nil, fmt.Errorf("fetching from %s: %w", u.Host, withoutURL(err))
		}
		defer answer.Body.Close()
		if answer.StatusCode < 200 || answer.StatusCode > 299 {
			return nil, fmt.Errorf("fetching from %s: status %d", u.Host, answer.StatusCode)
		}
		text, err := io.ReadAll(io.LimitReader(answer.Body, fetchBytes+1))
		switch {
		case err != nil:
			return nil, fmt.Errorf("fetching from %s: %w", u.Host, err)
		case len(text) > fetchBytes:
			return nil, fmt.Errorf("fetching from %s: %w", u.Host, errFetchLong)
		}
		return text, nil
	}
}

// withoutURL takes the address out of an error: it can hold a secret.
func withoutURL(err error) error {
	var e *url.Error
	if errors.As(err, &e) {
		return e.Err
	}
	return err
}

// addSources hands the API what it needs of the gateway.
func (s *Server) addSources(d *api.Deps) {
	d.SourceTypes = sourceTypes
	d.CheckSource, d.NextFire, d.NewSourceToken = s.gateway.Check, ingest.NextFire, ingest.NewToken
	d.ForgetSource = s.gateway.ForgetSources
	d.VerifyRequest, d.ReplayRequest = s.gateway.Verify, s.gateway.Replay
	d.SendTo = func(ctx context.Context, address string, r hook.Request) (hook.Attempt, error) {
		return s.sender.Pass(ctx, address, &hook.Message{
			ID: r.ID, ContentType: r.ContentType, Envelope: r.Envelope, Body: r.Body, BodyGone: r.BodyGone, BodySize: r.BodySize,
		}), nil
	}
}

// sourceTypes describes the providers.
func sourceTypes() []apitype.SourceTypeOut {
	list := provider.List()
	types := make([]apitype.SourceTypeOut, len(list))
	samples := make(map[string][]string)
	for _, s := range provider.Samples() {
		samples[s.Provider] = append(samples[s.Provider], s.Type)
	}
	for i, p := range list {
		types[i] = apitype.SourceTypeOut{
			Name: p.Name, Title: p.Title, Scheme: p.Scheme, Headers: append([]string{}, p.Headers...), SecretHelp: p.SecretHelp,
			SecretOptional: p.SecretOptional, ToleranceSeconds: int(p.Tolerance / time.Second), Settings: append([]string{}, p.Uses...),
			Samples: append([]string{}, samples[p.Name]...),
		}
	}
	return types
}
