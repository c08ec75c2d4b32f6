package provider

import (
	"encoding/base64"
	"encoding/hex"
	"maps"
	"net/http"
	"slices"
	"strings"
)

// headerNames looks whether the headers came under other names.
func (d *doctor) headerNames() bool {
	r := d.r
	r.Header = d.r.Header.Clone()
	var moved []string
	for _, want := range d.provider.Headers {
		if r.Header.Get(want) != "" {
			continue
		}
		if other := d.likeliest(want); other != "" {
			r.Header[http.CanonicalHeaderKey(want)] = d.r.Header[other]
			moved = append(moved, other+" instead of "+want)
		}
	}
	if len(moved) == 0 {
		return false
	}
	text := strings.Join(moved, ", ")
	if d.fitsAny(d.provider.scheme, &r) {
		return d.found("header_other_name", "The signature fits, but the headers have other names: %s. The sender is another kind than %s, or a proxy renames them.", text, d.provider.Title)
	}
	return d.found("header_other_name", "A header is absent, but another looks like it: %s. The sender may be another kind than %s.", text, d.provider.Title)
}

// likeliest is the header of the request that ends like the wanted one, or speaks of
// a signature if that does, and is none of the scheme's own.
func (d *doctor) likeliest(want string) string {
	word := strings.ToLower(want[strings.LastIndexByte(want, '-')+1:])
	aboutSignature := func(name string) bool {
		name = strings.ToLower(name)
		return strings.Contains(name, "signature") || strings.Contains(name, "hmac") || strings.Contains(name, "digest") && name != "content-digest"
	}
	guess := ""
	for _, name := range slices.Sorted(maps.Keys(d.r.Header)) {
		if d.r.Header.Get(name) == "" || slices.ContainsFunc(d.provider.Headers, func(own string) bool { return strings.EqualFold(own, name) }) {
			continue
		}
		if strings.HasSuffix(strings.ToLower(name), "-"+word) && word != "id" || strings.HasSuffix(strings.ToLower(name), "webhook-"+word) {
			return name
		}
		if guess == "" && aboutSignature(name) && aboutSignature(want) {
			guess = name
		}
	}
	return guess
}

// headerValues looks whether the signature is written in another way.
func (d *doctor) headerValues() bool {
	m, ok := d.provider.scheme.(*mac)
	if !ok || m.pairs != nil || m.algorithm == plain {
		return false
	}
	for _, name := range m.headers {
		for _, value := range d.r.Header.Values(name)[:min(4, len(d.r.Header.Values(name)))] {
			for _, variant := range valueVariants(value, m) {
				r := d.r
				r.Header = d.r.Header.Clone()
				r.Header.Set(name, variant.value)
				if d.fitsAny(m, &r) {
					return d.found("header_encoding", "The digest is right, but %s is written %s. %s writes it as %q and then %s.", name, variant.how, d.provider.Title, m.prefix, m.encoding)
				}
			}
		}
	}
	return false
}

type valueVariant struct{ how, value string }

// valueVariants are the value as the provider would have written it, if it was
// written in one of the other usual ways.
func valueVariants(value string, m *mac) []valueVariant {
	digest := strings.TrimSpace(value)
	if i := strings.IndexByte(digest, '='); i > 0 && i < 15 && strings.TrimRight(digest[i:], "=") != "" {
		digest = digest[i+1:]
	}
	variants := []valueVariant{{"without or with another prefix, or with blanks", m.prefix + digest}}
	bare := strings.TrimRight(digest, "=")
	for _, way := range []struct {
		how    string
		decode func(string) ([]byte, error)
	}{
		{"as hex", func(string) ([]byte, error) { return hex.DecodeString(digest) }},
		{"as base64", func(string) ([]byte, error) { return base64.RawStdEncoding.DecodeString(bare) }},
		{"as base64url", func(string) ([]byte, error) { return base64.RawURLEncoding.DecodeString(bare) }},
	} {
		if b, err := way.decode(digest); err == nil && len(b) > 0 {
			variants = append(variants, valueVariant{way.how + " or in another spelling", m.prefix + m.encoding.text(b)})
			// base64 of the hex digits is a frequent mistake, too.
			if inner, err := hex.DecodeString(string(b)); err == nil {
				variants = append(variants, valueVariant{way.how + " of the hex digits", m.prefix + m.encoding.text(inner)})
			}
		}
	}
	return variants
}

// hashes looks whether the digest is by another hash than the scheme's.
func (d *doctor) hashes() bool {
	m, ok := d.provider.scheme.(*mac)
	if !ok || m.algorithm == plain || m.algorithm == ed25519Signature {
		return false
	}
	for _, name := range []string{"sha256", "sha1", "sha512", "sha384"} {
		algorithm := genericHashes[name]
		if algorithm == m.algorithm {
			continue
		}
		other := *m
		other.algorithm, other.legacy = algorithm, nil
		for _, prefix := range []string{m.prefix, name + "="} {
			other.prefix = prefix
			if d.fitsAny(&other, &d.r) {
				return d.found("other_hash", "The signature fits with %s, but the scheme is another: %s.", name, d.provider.Scheme)
			}
		}
	}
	return false
}
