package provider

import (
	"context"
	"fmt"
	"math"
	"net/http"
	"strings"
	"time"
)

// Bounds of one diagnosis.
const (
	maxProbes     = 3000
	maxProbeBytes = 64 << 20 // of bodies, over all probes
	maxReencoded  = 1 << 20  // a larger body is not written in other ways
)

// Diagnose says why a request is refused and what to do, the most likely first. It
// tries the mistakes that people make with secrets, bodies, addresses, clocks and
// headers, one at a time, until one of them makes the signature fit. others are
// secrets that the receiver knows from elsewhere: of other endpoints, or of test and
// live mode. There is at least one finding, and no finding has a part of a secret.
// The work is bounded, and nothing is fetched but what Verify fetches once.
func (v *Verifier) Diagnose(r Request, now time.Time, others ...Secret) []Finding {
	d := &doctor{provider: &v.provider, settings: v.settings, r: r, now: now}
	d.settings.Fetch = nil
	if d.r.Header == nil {
		d.r.Header = http.Header{}
	}
	verdict := v.decide(context.Background(), &d.r, now)
	if finding, ok := plainFinding(verdict); ok {
		return []Finding{finding}
	}
	for _, k := range v.keys {
		d.keys = append(d.keys, k.key)
	}
	if len(d.keys) == 0 && v.provider.SecretOptional {
		d.keys = []key{{}}
	}
	d.examine(verdict, others)
	return append(d.findings, d.summary(verdict)...)
}

// plainFinding is the finding for verdicts that need no examination.
func plainFinding(verdict Verdict) (Finding, bool) {
	switch verdict.Reason {
	case Verified:
		return Finding{"verified", "The request verifies with this secret at this time: nothing is wrong with it."}, true
	case Unchecked:
		return Finding{"unchecked", "This source checks nothing, so nothing can be wrong with the signature."}, true
	case SecretExpired:
		return Finding{"secret_expired", "The signature fits a secret whose time has ended. The sender still signs with it: give the sender the new one, or let the old one live longer."}, true
	case NotAllowed:
		return Finding{"not_allowed", "The signature is right, but the request is not meant for this source. " + verdict.Detail}, true
	case KeyUnavailable:
		return Finding{"key_unavailable", "The key or certificate of the sender could not be fetched. " + verdict.Detail}, true
	case UntrustedKey:
		return Finding{"untrusted_key", "The request names a key or certificate that is not one of the sender's. " + verdict.Detail}, true
	case MissingHeader, MalformedHeader, MalformedBody, TooOld, TooNew, SignatureMismatch:
	}
	return Finding{}, false
}

// doctor is one diagnosis on its way.
type doctor struct {
	provider *Provider
	settings Settings
	r        Request
	keys     []key
	now      time.Time
	findings []Finding
	probes   int
	bytes    int
}

func (d *doctor) found(code, format string, args ...any) bool {
	d.findings = append(d.findings, Finding{Code: code, Text: fmt.Sprintf(format, args...)})
	return true
}

// fits tells whether the request would be believed under the key at its own time,
// and what that time is.
func (d *doctor) fits(s scheme, r *Request, k key) (at time.Time, ok bool) {
	d.probes++
	d.bytes += len(r.Body)
	if d.probes > maxProbes || d.bytes > maxProbeBytes {
		return at, false
	}
	verdict := s.verify(context.Background(), r, k, &d.settings, d.now)
	if (verdict.Reason == TooOld || verdict.Reason == TooNew) && !verdict.SignedAt.IsZero() {
		verdict = s.verify(context.Background(), r, k, &d.settings, verdict.SignedAt)
	}
	return verdict.SignedAt, verdict.OK()
}

// fitsAny tries the keys of the receiver.
func (d *doctor) fitsAny(s scheme, r *Request) bool {
	for _, k := range d.keys {
		if _, ok := d.fits(s, r, k); ok {
			return true
		}
	}
	return false
}

// examine looks for one mistake after the other, the frequent before the rare.
func (d *doctor) examine(verdict Verdict, others []Secret) {
	if d.clock() {
		return
	}
	if verdict.Reason == MissingHeader || verdict.Reason == MalformedHeader {
		if d.headerNames() || d.headerValues() {
			return
		}
	}
	if d.otherSecrets(others) || d.secretSpelling() || d.bodies(d.keys, "") || d.addresses() || d.headerValues() || d.hashes() {
		return
	}
	// Two mistakes at once: another secret and a changed body.
	d.bodies(d.parse(others), " It fits another of the known secrets, too: both are wrong.")
}

// clock looks whether the signature is right and only the time is not.
func (d *doctor) clock() bool {
	for _, k := range d.keys {
		at, ok := d.fits(d.provider.scheme, &d.r, k)
		if !ok || at.IsZero() {
			continue
		}
		for _, factor := range []float64{1000, 0.001} {
			if n := float64(at.UnixMilli()) * factor; math.Abs(n-float64(d.now.UnixMilli())) < float64(24*time.Hour.Milliseconds()) {
				return d.found("clock_unit", "The signature fits, but the sender's time is in the wrong unit: it was read as %s. Let the sender write %s.",
					at.Format(time.RFC3339), map[bool]string{true: "milliseconds", false: "seconds"}[factor > 1])
			}
		}
		skew := d.now.Sub(at).Round(time.Second)
		side := "past"
		if skew < 0 {
			side, skew = "future", -skew
		}
		return d.found("clock_skew", "The signature fits at its own time, %s, which lies %s in the %s. If the request is an old one, that is as it should be; else set the clocks by NTP, or raise the tolerance.",
			at.Format(time.RFC3339), skew, side)
	}
	return false
}

// otherSecrets looks whether a secret from elsewhere fits.
func (d *doctor) otherSecrets(others []Secret) bool {
	for i, k := range d.parse(others) {
		if _, ok := d.fits(d.provider.scheme, &d.r, k); ok {
			return d.found("other_secret", "The signature fits another secret that you have (number %d of those tried): the source has the secret of another endpoint, or of test instead of live mode. Configure that one here.", i+1)
		}
	}
	return false
}

// parse reads secrets, and leaves an unusable one as a key that fits nothing.
func (d *doctor) parse(secrets []Secret) []key {
	keys := make([]key, 0, len(secrets))
	for _, secret := range secrets[:min(len(secrets), MaxProbedSecrets)] {
		k, _ := d.provider.scheme.parse(strings.TrimSpace(secret.Value))
		keys = append(keys, k)
	}
	return keys
}

// MaxProbedSecrets is how many secrets from elsewhere a diagnosis tries.
const MaxProbedSecrets = 64

// secretSpelling looks whether the secret was meant in another spelling.
func (d *doctor) secretSpelling() bool {
	for _, k := range d.keys {
		for _, spelled := range d.spellings(k) {
			if _, ok := d.fits(d.provider.scheme, &d.r, spelled.key); ok {
				return d.found(spelled.code, "The signature fits the secret %s. %s", spelled.how, spelled.advice)
			}
		}
	}
	return false
}

// bodies looks whether the body was changed on its way.
func (d *doctor) bodies(keys []key, also string) bool {
	for _, variant := range bodyVariants(d.r.Body) {
		r := d.r
		r.Body = variant.body
		for _, k := range keys {
			if _, ok := d.fits(d.provider.scheme, &r, k); ok {
				return d.found(variant.code, "The body was changed on its way: the signature fits it %s. Something in front of this source (a proxy, a framework, a tool that reads and writes JSON) must hand on the raw bytes.%s", variant.how, also)
			}
		}
	}
	return false
}

// addresses looks whether the sender was given another spelling of the URL.
func (d *doctor) addresses() bool {
	if m, ok := d.provider.scheme.(*mac); ok && !m.content.has(address) {
		return false
	}
	for _, other := range addressVariants(d.r.URL) {
		r := d.r
		r.URL = other
		if d.fitsAny(d.provider.scheme, &r) {
			return d.found("url_differs", "The sender signs the URL, and the signature fits %s, while this source has %s. Give the sender the same URL, letter by letter.", withoutQuery(other), withoutQuery(d.r.URL))
		}
	}
	return false
}

func withoutQuery(address string) string {
	address, query, found := strings.Cut(address, "?")
	if found && query != "" {
		address += "?…"
	}
	return address
}

// summary tells what is left when nothing tried has made the signature fit.
func (d *doctor) summary(verdict Verdict) []Finding {
	if len(d.findings) > 0 {
		return nil
	}
	switch verdict.Reason {
	case MissingHeader:
		return []Finding{{"header_missing", verdict.Detail + " Either the sender is not " + d.provider.Title + ", or it has no secret configured, or a proxy in front drops the header."}}
	case MalformedHeader:
		return []Finding{{"header_malformed", verdict.Detail + " " + d.provider.Title + " signs like this: " + d.provider.Scheme + "."}}
	case MalformedBody:
		return []Finding{{"body_malformed", verdict.Detail + " " + d.provider.Title + " signs like this: " + d.provider.Scheme + "."}}
	case TooOld, TooNew:
		return []Finding{
			{"clock_skew", verdict.Detail + " Set the clocks by NTP; if the request is an old one, it is refused as it should be."},
			{"wrong_secret", "The signature does not fit at its own time either: the secret is most likely another one. " + d.provider.SecretHelp},
		}
	case SignatureMismatch, Verified, Unchecked, SecretExpired, UntrustedKey, KeyUnavailable, NotAllowed:
	}
	if len(d.keys) == 0 || len(d.keys) == 1 && d.keys[0].text == "" && d.provider.SecretOptional {
		return []Finding{{"secret_missing", "No secret is configured. " + d.provider.SecretHelp}}
	}
	return []Finding{{"wrong_secret", "No change of the body, the address or the spelling of the secret makes the signature fit: the secret is most likely another one. " + d.provider.SecretHelp}}
}
