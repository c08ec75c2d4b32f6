package webhook

import (
	"fmt"
	"iter"
	"net/http"
	"strconv"
	"strings"
)

// headerSet is one family of names for the three headers.
type headerSet struct {
	id, timestamp, signature string
}

// The second family was in use before the standard and still is.
var headerSets = [...]headerSet{
	{HeaderID, HeaderTimestamp, HeaderSignature},
	{"Svix-Id", "Svix-Timestamp", "Svix-Signature"},
}

// signedHeaders is what the three headers say, checked for form only.
type signedHeaders struct {
	id          string
	unixSeconds int64
	signatures  []string // one for each header line
}

// readHeaders takes all three from one family, never some from each.
func readHeaders(header http.Header) (signedHeaders, error) {
	missing := ""
	for _, names := range headerSets {
		absent := names.firstAbsent(header)
		if absent == "" {
			return names.read(header)
		}
		if missing == "" {
			missing = absent
		}
	}
	return signedHeaders{}, fmt.Errorf("%w: %s", ErrMissingHeader, strings.ToLower(missing))
}

func (n headerSet) firstAbsent(header http.Header) string {
	for _, name := range []string{n.id, n.timestamp, n.signature} {
		if strings.Trim(strings.Join(header.Values(name), ""), " \t,") == "" {
			return name
		}
	}
	return ""
}

func (n headerSet) read(header http.Header) (signedHeaders, error) {
	// Two ids or times are ambiguous: a proxy or framework in between may have
	// acted on the one that was not signed.
	for _, name := range []string{n.id, n.timestamp} {
		if len(header.Values(name)) != 1 {
			return signedHeaders{}, fmt.Errorf("%w: several %s", ErrMalformedHeader, strings.ToLower(name))
		}
	}
	signed := signedHeaders{id: header.Get(n.id), signatures: header.Values(n.signature)}
	if err := CheckID(signed.id); err != nil {
		return signedHeaders{}, fmt.Errorf("%w: %w", ErrMalformedHeader, err)
	}
	seconds, ok := parseTimestamp(header.Get(n.timestamp))
	if !ok {
		return signedHeaders{}, fmt.Errorf("%w: %s is not a time in whole seconds", ErrMalformedHeader, strings.ToLower(n.timestamp))
	}
	signed.unixSeconds = seconds
	return signed, nil
}

// maxTimestampDigits admits milliseconds, so that the error can say "too new",
// and keeps every difference of two times far from overflow.
const maxTimestampDigits = 15

// parseTimestamp reads ASCII digits only, in the one spelling that is also
// signed: no sign, fraction, exponent or leading zero.
func parseTimestamp(text string) (unixSeconds int64, ok bool) {
	if text == "" || len(text) > maxTimestampDigits || (text[0] == '0' && text != "0") {
		return 0, false
	}
	for i := range len(text) {
		if text[i] < '0' || text[i] > '9' {
			return 0, false
		}
	}
	unixSeconds, err := strconv.ParseInt(text, 10, 64)
	return unixSeconds, err == nil
}

// entries yields the first MaxSignatures entries of all lines that are of a known
// version and of its length. Others are skipped: the standard reserves them for
// schemes to come.
func (s signedHeaders) entries() iter.Seq2[string, []byte] {
	return func(yield func(string, []byte) bool) {
		seen := 0
		for _, line := range s.signatures {
			for entry := range strings.FieldsFuncSeq(line, isBlank) {
				if seen++; seen > MaxSignatures {
					return
				}
				version, signature, ok := parseEntry(entry)
				if ok && !yield(version, signature) {
					return
				}
			}
		}
	}
}

// isBlank is narrower than unicode.IsSpace: a line break never separates entries.
func isBlank(r rune) bool { return r == ' ' || r == '\t' }

func parseEntry(entry string) (version string, signature []byte, ok bool) {
	version, text, ok := strings.Cut(entry, ",")
	if !ok {
		return "", nil, false
	}
	switch version {
	case versionHMAC:
		ok = len(text) == hmacTextLen
	case versionEd25519:
		ok = len(text) == ed25519TextLen
	default:
		ok = false
	}
	if !ok {
		return "", nil, false
	}
	signature, err := decodeBase64(text)
	return version, signature, err == nil
}
