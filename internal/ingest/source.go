package ingest

import (
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/grapnelhq/grapnel/internal/hook"
	"github.com/grapnelhq/grapnel/provider"
)

// TypeCron is the type of a source that makes its events itself.
const TypeCron = "cron"

// source is a hook.Source made ready to receive. It is read by many goroutines and
// not changed.
type source struct {
	hook.Source
	provider provider.Provider
	verifier *provider.Verifier // nil: fault says why
	fault    refusal            // what becomes of every request while there is no verifier
	nets     []netip.Prefix
	roots    *x509.CertPool // nil: no certificate is asked for
	forward  []string
	events   []string // methods that events come by whatever the provider says
	methods  []string // all that are looked at, for Allow
}

var errSealed = errors.New("the master key does not fit it")

// compile makes a source ready. now decides about secrets that have ended. The
// error is the operator's to mend; what the owner can mend becomes the fault.
func (g *Gateway) compile(s hook.Source) (*source, error) {
	c := &source{Source: s}
	secrets, err := g.openSecrets(&s)
	if err != nil {
		return nil, err
	}
	c.provider, _ = provider.Find(s.Type)
	c.verifier, err = newVerifier(s.Type, s.Settings.Verification, g.fetch, secrets)
	switch {
	case errors.Is(err, provider.ErrNoSecret):
		c.fault = refusal{status: c.refusalStatus(), reason: reasonNoSecret, detail: "The source has no secret yet. " + c.provider.SecretHelp, empty: c.provider.RefusalEmpty}
	case err != nil:
		c.fault = refusal{status: c.refusalStatus(), reason: reasonSettings, detail: "The settings of the source cannot be used: " + err.Error(), empty: c.provider.RefusalEmpty}
	default:
		c.provider = c.verifier.Provider()
	}
	if c.nets, err = parseNets(s.Settings.AllowNets); err != nil {
		return nil, err
	}
	if c.roots, err = parseRoots(s.Settings.ClientCA); err != nil {
		return nil, err
	}
	for _, name := range s.Settings.ForwardHeaders {
		c.forward = append(c.forward, strings.ToLower(name))
	}
	c.events = append([]string{http.MethodPost}, s.Settings.Methods...)
	c.methods = slices.Clone(c.events)
	for _, m := range c.provider.Methods {
		if !slices.Contains(c.methods, m) {
			c.methods = append(c.methods, m)
		}
	}
	return c, nil
}

func (s *source) refusalStatus() int {
	if s.provider.Refusal != 0 {
		return s.provider.Refusal
	}
	return http.StatusUnauthorized
}

// maxBody is the bound for this source, in bytes.
func (s *source) maxBody(server int64) int64 {
	if own := int64(s.Settings.MaxBody); own > 0 {
		return min(own, server)
	}
	return server
}

func (g *Gateway) openSecrets(s *hook.Source) ([]provider.Secret, error) {
	secrets := make([]provider.Secret, 0, len(s.Secrets))
	for _, sealed := range s.Secrets {
		text, err := g.Open(hook.PurposeSourceSecret, s.ID, sealed.Sealed)
		if err != nil {
			return nil, fmt.Errorf("opening a secret of %s: %w: %w", hook.KindSource.Format(s.ID), errSealed, err)
		}
		secrets = append(secrets, provider.Secret{Value: string(text), Until: sealed.ExpiresAt})
	}
	return secrets, nil
}

// newVerifier reads the provider's part of the settings.
func newVerifier(name string, settings json.RawMessage, fetch fetchFunc, secrets []provider.Secret) (*provider.Verifier, error) {
	var own provider.Settings
	if len(settings) > 0 {
		if err := json.Unmarshal(settings, &own); err != nil {
			return nil, fmt.Errorf("reading the verification settings: %w", err)
		}
	}
	own.Fetch = fetch
	return provider.New(name, own, secrets...)
}

func parseNets(texts []string) ([]netip.Prefix, error) {
	nets := make([]netip.Prefix, 0, len(texts))
	for _, text := range texts {
		p, err := netip.ParsePrefix(text)
		if err != nil {
			a, err := netip.ParseAddr(text)
			if err != nil || a.Zone() != "" {
				return nil, fmt.Errorf("%q is no network", text)
			}
			p = netip.PrefixFrom(a, a.BitLen())
		}
		if p.Addr().Is4In6() {
			return nil, fmt.Errorf("%q is an IPv4 network in the form of IPv6", text)
		}
		nets = append(nets, p.Masked())
	}
	return nets, nil
}

func parseRoots(text string) (*x509.CertPool, error) {
	if text == "" {
		return nil, nil
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM([]byte(text)) {
		return nil, errors.New("there is no certificate in PEM in it")
	}
	return roots, nil
}

// admit decides what can be decided before the body: nil goes on.
func (s *source) admit(r *http.Request, from netip.Addr, now time.Time, maxBody int64) *refusal {
	switch {
	case !slices.Contains(s.methods, r.Method):
		return &refusal{status: http.StatusMethodNotAllowed, reason: reasonMethod, detail: "The source takes no " + known(r.Method) + ".", allow: s.methods}
	case len(s.nets) > 0 && !within(s.nets, from):
		return &refusal{status: http.StatusForbidden, reason: reasonAddress, detail: "The address is in none of the networks that the source allows.", close: true}
	case s.roots != nil && !hasCertificate(r, s.roots, now):
		return &refusal{status: http.StatusForbidden, reason: reasonCertificate, detail: "The sender showed no certificate of the authority that the source asks for. It has to reach this server by TLS itself, not through a proxy that ends it.", close: true}
	case hops(r.Header) >= maxHops:
		return &refusal{status: http.StatusLoopDetected, reason: reasonLoop, detail: "The event has been handed on from source to source too often.", close: true}
	case r.ContentLength > maxBody:
		large := tooLarge(maxBody)
		return &large
	}
	return nil
}

// known gives the method if it is a usual one, so that no text of strangers is shown.
func known(method string) string {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions:
		return method
	}
	return "such method"
}

func within(nets []netip.Prefix, a netip.Addr) bool {
	return slices.ContainsFunc(nets, func(p netip.Prefix) bool { return p.Contains(a) })
}

// hasCertificate reports whether the client has proven to hold a certificate of one
// of the authorities. The TLS listener asks every client for one and believes none.
func hasCertificate(r *http.Request, roots *x509.CertPool, now time.Time) bool {
	if r.TLS == nil || len(r.TLS.PeerCertificates) == 0 {
		return false
	}
	between := x509.NewCertPool()
	for _, c := range r.TLS.PeerCertificates[1:] {
		between.AddCert(c)
	}
	_, err := r.TLS.PeerCertificates[0].Verify(x509.VerifyOptions{
		Roots: roots, Intermediates: between, CurrentTime: now, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	})
	return err == nil
}
