package provider

import (
	"context"
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/subtle"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

// mac is the scheme of most providers, described by data: a digest (or an Ed25519
// signature, or the secret itself) in one or several headers, over a content that
// is put together from the body, the time, an id, the URL and the method.
type mac struct {
	algorithm algorithm
	encoding  encoding
	key       keyForm
	// headers carry the signatures; every value of each is tried.
	headers []string
	// prefix stands in front of each signature: "sha256=".
	prefix string
	// list separates several signatures in one header; empty: there is but one.
	list string
	// pairs: the header is a list of names and values, time and signatures among them.
	pairs *pairs
	// stamp is where the signed time is.
	stamp stamp
	// id is the header with the signed id.
	id string
	// content is what is signed; nil: the body.
	content content
	// fixed are headers that must have one value.
	fixed []fixedHeader
	// account is a header that must be Settings.AccountKey if that is set.
	account string
	// legacy takes over when headers are absent and Settings.LegacySHA1 is set.
	legacy *mac
}

// fixedHeader must be there once, with that value.
type fixedHeader struct{ name, value string }

// evidence is what a request says for itself under one scheme.
type evidence struct {
	id         string
	stamp      string // the time as it was sent
	at         time.Time
	signatures []string // without prefix
}

var _ scheme = (*mac)(nil)

const maxSecretBytes = 1024

func (m *mac) parse(text string) (key, error) {
	switch {
	case text == "":
		return key{}, errors.New("it is empty")
	case len(text) > maxSecretBytes:
		return key{}, fmt.Errorf("it is longer than %d bytes", maxSecretBytes)
	case strings.TrimSpace(text) != text:
		return key{}, errors.New("there are blanks or line ends around it")
	}
	return m.key.parse(text)
}

func (m *mac) verify(ctx context.Context, r *Request, k key, s *Settings, now time.Time) Verdict {
	if m.legacy != nil && s.LegacySHA1 && absent(r.Header, m.headers) {
		return m.legacy.verify(ctx, r, k, s, now)
	}
	e, verdict := m.read(r)
	if verdict.Reason != "" {
		return verdict
	}
	verdict.SignedAt = e.at
	if len(k.bytes) == 0 {
		verdict.Reason, verdict.Detail = SignatureMismatch, "No secret is configured."
		return verdict
	}
	if reason, detail := m.compare(r, k, &e); reason != Verified {
		verdict.Reason, verdict.Detail = reason, detail
		return verdict
	}
	if m.account != "" && s.AccountKey != "" && subtle.ConstantTimeCompare([]byte(r.Header.Get(m.account)), []byte(s.AccountKey)) != 1 {
		verdict.Reason, verdict.Detail = NotAllowed, m.account+" is not the configured one."
		return verdict
	}
	verdict.Reason, verdict.Detail = m.stamp.judge(e.at, s, now)
	return verdict
}

// read takes the evidence out of the request. A verdict with a reason says why it
// cannot.
func (m *mac) read(r *Request) (e evidence, refused Verdict) {
	lines := m.lines(r.Header)
	if len(lines) == 0 {
		return e, Verdict{Reason: MissingHeader, Detail: "The header " + m.headers[0] + " is absent or empty."}
	}
	for _, fixed := range m.fixed {
		text, refused := single(r.Header, fixed.name)
		if refused.Reason == "" && text != fixed.value {
			refused = Verdict{Reason: MalformedHeader, Detail: "The header " + fixed.name + " is not " + fixed.value + "."}
		}
		if refused.Reason != "" {
			return e, refused
		}
	}
	if m.account != "" {
		if _, refused := single(r.Header, m.account); refused.Reason != "" {
			return e, refused
		}
	}
	if m.id != "" {
		if e.id, refused = single(r.Header, m.id); refused.Reason != "" {
			return e, refused
		}
	}
	if refused = m.signatures(lines, &e); refused.Reason != "" {
		return e, refused
	}
	if refused = m.stamp.read(r, &e); refused.Reason != "" {
		return e, refused
	}
	return e, Verdict{}
}

// lines are the values of the signature headers that are not empty.
func (m *mac) lines(h http.Header) []string {
	var lines []string
	for _, name := range m.headers {
		for _, line := range h.Values(name) {
			if line != "" && len(lines) < MaxSignatures {
				lines = append(lines, line)
			}
		}
	}
	return lines
}

// signatures splits the lines into signatures without their prefix, and finds the
// time if it is among them.
func (m *mac) signatures(lines []string, e *evidence) Verdict {
	if m.pairs != nil {
		if len(lines) > 1 {
			return Verdict{Reason: MalformedHeader, Detail: "There are several headers " + m.headers[0] + "."}
		}
		return m.pairs.read(m.headers[0], lines[0], m.stamp.place == stampInPairs, e)
	}
	for _, line := range lines {
		if m.list == "" {
			m.add(line, e)
			continue
		}
		for item := range strings.SplitSeq(line, m.list) {
			if len(e.signatures) == MaxSignatures {
				break
			}
			m.add(strings.Trim(item, " \t"), e)
		}
	}
	if len(e.signatures) == 0 {
		return Verdict{Reason: MalformedHeader, Detail: fmt.Sprintf("The header %s does not begin with %q.", m.headers[0], m.prefix)}
	}
	return Verdict{}
}

func (m *mac) add(text string, e *evidence) {
	if text, ok := strings.CutPrefix(text, m.prefix); ok && text != "" {
		e.signatures = append(e.signatures, text)
	}
}

// compare says whether any signature fits. Digests are compared in the one spelling
// that the provider writes, so nothing of the request is decoded.
func (m *mac) compare(r *Request, k key, e *evidence) (Reason, string) {
	if m.algorithm == ed25519Signature {
		return m.compareEd25519(r, k, e)
	}
	want := m.signature(r, k, e)
	shaped, fits := false, 0
	for _, got := range e.signatures {
		shaped = shaped || len(got) == len(want)
		fits |= subtle.ConstantTimeCompare([]byte(got), []byte(want))
	}
	switch {
	case fits == 1:
		return Verified, ""
	case m.algorithm == plain:
		return SignatureMismatch, "The text in " + m.headers[0] + " is not the secret."
	case !shaped:
		return MalformedHeader, fmt.Sprintf("The signature in %s is not %d characters of %s.", m.headers[0], len(want), m.encoding)
	}
	return SignatureMismatch, "No signature fits the request under the secret."
}

// signature is the text of the signature without its prefix.
func (m *mac) signature(r *Request, k key, e *evidence) string {
	if m.algorithm == plain {
		return k.text
	}
	h := hmac.New(m.algorithm.hash(), k.bytes)
	m.content.writeTo(h, r, e)
	return m.encoding.text(h.Sum(nil))
}

func (m *mac) compareEd25519(r *Request, k key, e *evidence) (Reason, string) {
	public := ed25519.PublicKey(k.bytes)
	if len(public) != ed25519.PublicKeySize {
		return SignatureMismatch, "The secret is not a public key."
	}
	shaped := false
	for _, got := range e.signatures {
		signature, ok := m.encoding.bytes(got)
		if !ok || len(signature) != ed25519.SignatureSize {
			continue
		}
		shaped = true
		if ed25519.Verify(public, m.content.bytes(r, e), signature) {
			return Verified, ""
		}
	}
	if !shaped {
		return MalformedHeader, fmt.Sprintf("The signature in %s is not %d bytes as %s.", m.headers[0], ed25519.SignatureSize, m.encoding)
	}
	return SignatureMismatch, "No signature fits the request under the public key."
}

func (m *mac) sign(r *Request, k key, s *Settings, id string, now time.Time) error {
	if len(k.bytes) == 0 {
		return errNoSecret
	}
	e := evidence{id: id}
	if m.id != "" {
		if id == "" {
			return errors.New("the scheme signs an id, and there is none")
		}
		r.Header.Set(m.id, id)
	}
	m.stamp.sign(r, &e, now)
	for _, fixed := range m.fixed {
		r.Header.Set(fixed.name, fixed.value)
	}
	if m.account != "" {
		r.Header.Set(m.account, s.AccountKey)
	}
	text := ""
	if m.algorithm == ed25519Signature {
		private, ok := k.other.(ed25519.PrivateKey)
		if !ok {
			return errors.New("only the private key can sign, and this is the public one")
		}
		text = m.encoding.text(ed25519.Sign(private, m.content.bytes(r, &e)))
	} else {
		text = m.signature(r, k, &e)
	}
	if m.pairs != nil {
		text = m.pairs.text(&e, text)
	}
	r.Header.Set(m.headers[0], m.prefix+text)
	return nil
}

// single is the value of a header that must be there once.
func single(h http.Header, name string) (string, Verdict) {
	values := h.Values(name)
	switch {
	case len(values) == 0 || len(values) == 1 && strings.Trim(values[0], " \t") == "":
		return "", Verdict{Reason: MissingHeader, Detail: "The header " + name + " is absent or empty."}
	case len(values) > 1:
		// A proxy or framework in between may have acted on the one that was not signed.
		return "", Verdict{Reason: MalformedHeader, Detail: "There are several headers " + name + "."}
	}
	return values[0], Verdict{}
}

func absent(h http.Header, names []string) bool {
	return !slices.ContainsFunc(names, func(name string) bool { return len(h.Values(name)) > 0 })
}
