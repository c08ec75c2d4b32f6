package send

import (
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"time"

	"github.com/grapnelhq/grapnel/internal/hook"
	"github.com/grapnelhq/grapnel/internal/netguard"
)

// SignatureHeaders says under which names the id, time and signature are sent.
type SignatureHeaders uint8

// The choices of names.
const (
	HeadersWebhook SignatureHeaders = iota // webhook-id, webhook-timestamp, webhook-signature
	HeadersSvix                            // svix-id, svix-timestamp, svix-signature
	HeadersBoth                            // both sets, with the same values
)

// String gives the word of the setting.
func (h SignatureHeaders) String() string {
	switch h {
	case HeadersWebhook:
		return "webhook"
	case HeadersSvix:
		return "svix"
	case HeadersBoth:
		return "both"
	}
	return "unknown"
}

// ParseSignatureHeaders reads the word of the setting.
func ParseSignatureHeaders(word string) (SignatureHeaders, error) {
	for _, h := range []SignatureHeaders{HeadersWebhook, HeadersSvix, HeadersBoth} {
		if h.String() == word {
			return h, nil
		}
	}
	return 0, fmt.Errorf("signature headers are %q, must be webhook, svix or both", word)
}

// Timeouts are the limits of one attempt. A zero field takes its default.
type Timeouts struct {
	Total     time.Duration // the whole attempt; 15 s
	DNS       time.Duration // resolving the name; 5 s
	Connect   time.Duration // all addresses together; 5 s
	TLS       time.Duration // the handshake; 5 s
	FirstByte time.Duration // from the request written to the answer's header; Total
	Body      time.Duration // from the answer's header to its end; 5 s
}

// Options are the settings of a Sender. Open is required.
type Options struct {
	// Open decrypts secrets and custom headers.
	Open hook.SealFunc
	// Dialer is the guard that every connection goes through, and whose policy
	// every URL is checked with. Its limits are set from Timeouts. Nil: a guard
	// with the strictest policy.
	Dialer *netguard.Dialer
	// TLS is the base for every connection: RootCAs of tests, for example. The
	// version is 1.2 at least, whatever it says. Nil: the system's roots.
	TLS              *tls.Config
	UserAgent        string // "Grapnel/VERSION"; empty: "Grapnel"
	SignatureHeaders SignatureHeaders
	// Traceparent appends the value of the header of that name for an attempt. An
	// endpoint whose own headers have one gets its own. Nil: it is not sent.
	Traceparent func(dst []byte, l *hook.Lease) []byte
	Timeouts    Timeouts
	// Fresh reports whether the leases of this node are still good. It is asked once
	// more when a request is signed, for the process may have stood still since the
	// engine asked. Nil: they are.
	Fresh func() bool
	// ResponseCap is how many bytes of an answer's body are kept; 0: 20,000,
	// negative: none.
	ResponseCap int
	// MaxIdle and MaxIdlePerHost bound the connections that each of the two
	// transports keeps for later; 0: 4,096, and as many per host: idle ones cost a
	// file each and nothing else, and behind one host may be many endpoints.
	// IdleTimeout is how long one is kept; 0: 90 s.
	MaxIdle        int
	MaxIdlePerHost int
	IdleTimeout    time.Duration
	// MaxPrepared bounds the endpoints whose secrets are kept opened; 0: 16,384.
	MaxPrepared int
	// EgressProxy is the way out: an http, https, socks5 or socks5h URL. The
	// environment is never asked. Names are then resolved by the proxy, so of our
	// own policy only the check of the URL is left: its form, port and literal
	// address. The proxy itself may be anywhere.
	EgressProxy *url.URL
	// Now is the wall clock of signatures and secret expiry; nil: time.Now.
	Now func() time.Time
	// Log tells the operator about secrets that cannot be opened; nil: nobody.
	Log *slog.Logger
}

// withDefaults validates and fills in what was left zero.
func (o Options) withDefaults() (Options, error) {
	if o.Open == nil {
		return o, errors.New("a sender needs a way to open secrets")
	}
	if o.TLS != nil && o.TLS.InsecureSkipVerify {
		return o, errors.New("a sender never skips the verification of certificates")
	}
	if o.SignatureHeaders > HeadersBoth {
		return o, fmt.Errorf("no such choice of signature headers: %d", o.SignatureHeaders)
	}
	if err := checkProxy(o.EgressProxy); err != nil {
		return o, err
	}
	t := &o.Timeouts
	for _, d := range []*time.Duration{&t.Total, &t.DNS, &t.Connect, &t.TLS, &t.FirstByte, &t.Body, &o.IdleTimeout} {
		if *d < 0 {
			return o, errors.New("a sender's time limits cannot be negative")
		}
	}
	orElse(&t.Total, 15*time.Second)
	orElse(&t.DNS, 5*time.Second)
	orElse(&t.Connect, 5*time.Second)
	orElse(&t.TLS, 5*time.Second)
	orElse(&t.FirstByte, t.Total)
	orElse(&t.Body, 5*time.Second)
	orElse(&o.IdleTimeout, 90*time.Second)
	orElse(&o.UserAgent, "Grapnel")
	orElse(&o.ResponseCap, 20_000)
	orElse(&o.MaxIdle, 4096)
	orElse(&o.MaxIdlePerHost, o.MaxIdle)
	orElse(&o.MaxPrepared, 16_384)
	o.Dialer = guard(o.Dialer, o.Timeouts)
	o.ResponseCap = max(o.ResponseCap, 0)
	if !validValue(o.UserAgent) {
		return o, errors.New("the user agent has characters that a header cannot hold")
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return o, nil
}

// guard gives the dialer with a policy and with the limits.
func guard(d *netguard.Dialer, limits Timeouts) *netguard.Dialer {
	var own netguard.Dialer
	if d != nil {
		own = *d
	}
	if own.Policy == nil {
		own.Policy = new(netguard.Policy)
	}
	own.ResolveTimeout, own.ConnectTimeout = limits.DNS, limits.Connect
	return &own
}

func orElse[T comparable](value *T, otherwise T) {
	var zero T
	if *value == zero {
		*value = otherwise
	}
}

func checkProxy(proxy *url.URL) error {
	if proxy == nil {
		return nil
	}
	switch proxy.Scheme {
	case "http", "https", "socks5", "socks5h":
	default:
		return fmt.Errorf("the egress proxy's scheme is %q, must be http, https, socks5 or socks5h", proxy.Scheme)
	}
	if proxy.Hostname() == "" {
		return errors.New("the egress proxy's URL names no host")
	}
	return nil
}

// tlsConfig is what every connection's configuration is cloned from.
func (o *Options) tlsConfig() *tls.Config {
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if o.TLS != nil {
		config = o.TLS.Clone()
		config.MinVersion = max(config.MinVersion, tls.VersionTLS12)
	}
	return config
}
