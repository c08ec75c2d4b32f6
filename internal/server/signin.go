package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/grapnelhq/grapnel/internal/auth"
	"github.com/grapnelhq/grapnel/internal/config"
	"github.com/grapnelhq/grapnel/internal/hook"
	"github.com/grapnelhq/grapnel/internal/netguard"
)

const (
	// providerTimeout bounds one request to the provider of OpenID Connect, and
	// providerAnswer the length of its answer in bytes.
	providerTimeout = 15 * time.Second
	providerAnswer  = 1 << 20
)

func (s *Server) wirePeople(policy *netguard.Policy) error {
	o := auth.PeopleOptions{Store: s.store, Now: s.now, Log: s.log, Forgotten: func() { s.live.LookAgain() }}
	if given := s.cfg.OIDC; given.Issuer != "" {
		p := &auth.Provider{
			Issuer: given.Issuer, ClientID: given.ClientID, ClientSecret: given.ClientSecret.Reveal(), Name: given.Name,
			Domains: given.Domains, RoleClaim: given.RoleClaim,
		}
		for value, word := range given.Roles {
			role, known := hook.ParseRole(word)
			if !known {
				return fmt.Errorf("the role %q of the settings is not known", word)
			}
			if p.Roles == nil {
				p.Roles = map[string]hook.Role{}
			}
			p.Roles[value] = role
		}
		o.Provider, o.Client = p, s.providerClient(policy)
	}
	s.people = auth.NewPeople(o)
	return nil
}

// providerClient makes the requests to the provider: by the same dialer as deliveries,
// without redirects, with limits of time and length.
func (s *Server) providerClient(policy *netguard.Policy) *http.Client {
	t := &http.Transport{
		DialContext:         (&netguard.Dialer{Policy: policy, Connect: s.world.Connect}).DialContext,
		TLSHandshakeTimeout: providerTimeout, ForceAttemptHTTP2: true, MaxIdleConns: 2, IdleConnTimeout: time.Minute,
	}
	if s.cfg.EgressProxy != nil {
		t.Proxy = http.ProxyURL(s.cfg.EgressProxy)
		t.DialContext = (&net.Dialer{Timeout: providerTimeout}).DialContext
	}
	return &http.Client{
		Transport: guarded{policy, t}, Timeout: providerTimeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// guarded holds requests to the network policy, also where a proxy makes the connection.
type guarded struct {
	policy *netguard.Policy
	next   http.RoundTripper
}

// RoundTrip sends the request if its address is allowed.
func (g guarded) RoundTrip(r *http.Request) (*http.Response, error) {
	if _, err := g.policy.CheckURL(r.URL.String()); err != nil {
		return nil, err
	}
	answer, err := g.next.RoundTrip(r)
	if err == nil {
		answer.Body = capped{io.LimitReader(answer.Body, providerAnswer), answer.Body}
	}
	return answer, err
}

// capped is a body of which only the beginning is read.
type capped struct {
	io.Reader
	io.Closer
}

// tellSetup writes the link that makes the first member to the log, as long as there
// is none.
func (s *Server) tellSetup(ctx context.Context) error {
	if s.people == nil {
		return nil
	}
	if s.owner != "" {
		_, err := s.firstOwner(ctx)
		return err
	}
	code, ends, err := s.people.SetupCode(ctx)
	if err != nil || code == "" {
		return err
	}
	s.log.WarnContext(ctx, "there is no administrator yet: open this link within 60 minutes to become the first one; after that, start the server again for another",
		"url", s.linkURL(code), "ends", ends.Format(time.RFC3339))
	return nil
}

// linkURL is where a browser takes a code, at the public address if there is one.
func (s *Server) linkURL(code string) string {
	base := s.URL()
	if s.cfg.PublicURL != nil {
		base = s.cfg.PublicURL.String()
	}
	return base + "/link#code=" + url.QueryEscape(code)
}

// firstOwner gives the oldest owner, who is made if there is no member.
func (s *Server) firstOwner(ctx context.Context) (hook.ID, error) {
	now := s.now().UTC().Truncate(time.Microsecond)
	m := hook.Member{
		ID: hook.NewID(now), Email: s.owner, Name: "Developer", Role: hook.RoleOwner, MayReadPayloads: true, CreatedAt: now, UpdatedAt: now,
	}
	err := s.store.CreateMember(ctx, &m, true)
	var taken *hook.Error
	if !errors.As(err, &taken) || taken.Code != hook.CodeConflict {
		return m.ID, err
	}
	page, err := s.store.ListMembers(ctx, hook.Page{Limit: maxLooked, Ascending: true})
	if err != nil {
		return hook.ID{}, err
	}
	for i := range page.Items {
		if page.Items[i].Role == hook.RoleOwner {
			return page.Items[i].ID, nil
		}
	}
	return hook.ID{}, fmt.Errorf("there is no owner among the first %d members", maxLooked)
}

// maxLooked is how many members are looked at to find an owner.
const maxLooked = 250

// operatorKey is the hash of the key in the settings; zero: there is none.
func operatorKey(cfg *config.Config) [32]byte {
	if token := cfg.APIKey.Reveal(); token != "" {
		return auth.Hash(token)
	}
	return [32]byte{}
}
