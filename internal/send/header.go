package send

import (
	"bytes"
	"strconv"
	"strings"
	"unicode/utf8"
)

// field is one line of a header, in the letters that it has on the wire.
type field struct{ name, value []byte }

// signatureNames is one set of header names, in the letter case of the wire.
type signatureNames struct{ id, timestamp, signature string }

var (
	webhookNames = signatureNames{"Webhook-Id", "Webhook-Timestamp", "Webhook-Signature"}
	svixNames    = signatureNames{"Svix-Id", "Svix-Timestamp", "Svix-Signature"}
)

// headerParent names the caller's span (W3C Trace Context).
const headerParent = "Traceparent"

func (h SignatureHeaders) names() []signatureNames {
	switch h {
	case HeadersWebhook:
		return []signatureNames{webhookNames}
	case HeadersSvix:
		return []signatureNames{svixNames}
	case HeadersBoth:
		return []signatureNames{webhookNames, svixNames}
	}
	return nil
}

// reservedNames are the headers that belong to us: framing, connection, content
// and signature. The API refuses them as custom headers; one that is stored all
// the same is not sent.
var reservedNames = map[string]bool{
	"host": true, "connection": true, "proxy-connection": true, "keep-alive": true, "te": true, "trailer": true, "trailers": true,
	"transfer-encoding": true, "upgrade": true, "expect": true, "content-length": true, "content-type": true,
	"content-encoding": true, "user-agent": true, "accept": true, "accept-encoding": true, "cookie2": true, "http2-settings": true,
	"proxy-authorization": true, "proxy-authenticate": true,
}

func reserved(name string) bool {
	name = strings.ToLower(name)
	return reservedNames[name] || strings.HasPrefix(name, "webhook-") || strings.HasPrefix(name, "svix-")
}

// sensitiveNames are the headers whose values nobody reads back.
var sensitiveNames = []string{
	"authorization", "cookie", "set-cookie", "x-api-key", "x-auth-token", "www-authenticate",
	"authentication-info", "x-gitlab-token", "x-telegram-bot-api-secret-token", "dg-token",
}

const masked = "***"

func sensitive[T string | []byte](name T) bool {
	if len(name) >= 10 && strings.EqualFold(string(name[:10]), "proxy-auth") {
		return true
	}
	for _, s := range sensitiveNames {
		if len(name) == len(s) && strings.EqualFold(string(name), s) {
			return true
		}
	}
	return false
}

// validName reports whether name is a token (RFC 9110, 5.6.2).
func validName[T string | []byte](name T) bool {
	for i := range len(name) {
		if !tokenByte[name[i]] {
			return false
		}
	}
	return len(name) > 0
}

var tokenByte = func() (set [256]bool) {
	for _, c := range []byte("!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz") {
		set[c] = true
	}
	return set
}()

// validValue reports whether value fits in one line of a header.
func validValue[T string | []byte](value T) bool {
	for i := range len(value) {
		if c := value[i]; c < ' ' && c != '\t' || c == 0x7f {
			return false
		}
	}
	return true
}

// What is kept of an answer's header. The header itself ends at maxHead.
const (
	maxKeptFields = 100
	maxKeptValue  = 4096     // bytes of one value
	maxKeptTotal  = 32 << 10 // bytes of JSON
)

// appendFields appends the fields as a JSON object of name to value. Fields of
// one name are joined as RFC 9110, 5.2 does; sensitive values are masked.
func appendFields(dst []byte, fields []field) []byte {
	if dst == nil {
		size := 2
		for _, f := range fields {
			size += len(f.name) + len(f.value) + 6
		}
		dst = make([]byte, 0, min(size, maxKeptTotal))
	}
	start := len(dst)
	fields = fields[:min(len(fields), maxKeptFields)]
	for i, f := range fields {
		if seen(fields[:i], f.name) || len(dst)-start > maxKeptTotal {
			continue
		}
		if len(dst) == start {
			dst = append(dst, '{')
		} else {
			dst = append(dst, ',')
		}
		dst = appendQuoted(dst, f.name)
		dst = append(dst, ':', '"')
		dst = appendKept(dst, f)
		for _, later := range fields[i+1:] {
			if bytes.EqualFold(later.name, f.name) && len(dst)-start < maxKeptTotal {
				dst = append(dst, ", "...)
				dst = appendKept(dst, later)
			}
		}
		dst = append(dst, '"')
	}
	if len(dst) == start {
		dst = append(dst, '{')
	}
	return append(dst, '}')
}

func seen(fields []field, name []byte) bool {
	for _, f := range fields {
		if len(f.name) == len(name) && bytes.EqualFold(f.name, name) {
			return true
		}
	}
	return false
}

func appendKept(dst []byte, f field) []byte {
	if sensitive(f.name) {
		return append(dst, masked...)
	}
	return appendEscaped(dst, f.value[:min(len(f.value), maxKeptValue)])
}

// appendMember appends a member to an object that is open. It adds the brace or
// the comma before it.
func appendMember[T string | []byte](dst []byte, name string, value T) []byte {
	if len(dst) == 0 {
		dst = append(dst, '{')
	} else {
		dst = append(dst, ',')
	}
	dst = appendQuoted(dst, name)
	dst = append(dst, ':')
	return appendQuoted(dst, value)
}

func appendQuoted[T string | []byte](dst []byte, text T) []byte {
	dst = append(dst, '"')
	dst = appendEscaped(dst, text)
	return append(dst, '"')
}

// appendEscaped appends the inside of a JSON string. Text that is not UTF-8 is
// taken as Latin-1, which header values once were: every byte stays visible.
func appendEscaped[T string | []byte](dst []byte, text T) []byte {
	plain := true
	for i := range len(text) {
		if c := text[i]; c < ' ' || c == '"' || c == '\\' || c >= 0x7f {
			plain = false
			break
		}
	}
	if plain {
		return append(dst, text...)
	}
	latin1 := !utf8.ValidString(string(text))
	for i := range len(text) {
		switch c := text[i]; {
		case c == '"' || c == '\\':
			dst = append(dst, '\\', c)
		case c < ' ' || c == 0x7f:
			const hex = "0123456789abcdef"
			dst = append(dst, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		case c >= 0x80 && latin1:
			dst = utf8.AppendRune(dst, rune(c))
		default:
			dst = append(dst, c)
		}
	}
	return dst
}

func appendInt(dst []byte, n int) []byte { return strconv.AppendInt(dst, int64(n), 10) }
