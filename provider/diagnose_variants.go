package provider

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// spelling is another reading of a secret.
type spelling struct {
	code, how, advice string
	key               key
}

// spellings are the usual mistakes with the text of a secret.
func (d *doctor) spellings(k key) []spelling {
	var list []spelling
	as := func(code, how, advice, text string) {
		if text == "" || text == k.text {
			return
		}
		if _, strict := d.provider.scheme.(*mac); strict {
			// Past the parser, which refuses blanks around the text.
			list = append(list, spelling{code, how, advice, key{text: text, bytes: []byte(text)}})
		}
		if parsed, err := d.provider.scheme.parse(text); err == nil {
			list = append(list, spelling{code, how, advice, parsed})
		}
	}
	bare := k.text
	if i := strings.LastIndexAny(bare, "_,"); i > 0 && i < 20 {
		bare = bare[i+1:]
	}
	as("secret_prefix", "without what stands in front of it, up to the _", "Give the sender, or this source, exactly what the other has.", bare)
	as("secret_prefix", "with whsec_ in front", "Configure it here with the prefix.", "whsec_"+k.text)
	as("secret_encoding", "taken as plain text, not as base64", "The sender does not decode its secret: make it base64 of the text here.", "whsec_"+base64.StdEncoding.EncodeToString([]byte(k.text)))
	as("secret_encoding", "taken as plain text without its prefix", "The sender does not decode its secret: make it base64 of the text here.", "whsec_"+base64.StdEncoding.EncodeToString([]byte(bare)))
	for _, blank := range []string{"\n", "\r\n", " "} {
		as("secret_blank", fmt.Sprintf("with %q at its end", blank), "The sender was given a line end or blank with it: enter the secret there again.", k.text+blank)
	}
	as("secret_blank", "without the quotes around it", "Configure it here without the quotes.", strings.Trim(k.text, `"'`))
	if _, ok := d.provider.scheme.(*mac); !ok {
		return list
	}
	// The text itself, where the scheme decodes it.
	list = append(list, spelling{"secret_encoding", "taken as plain text", "The sender does not decode its secret.", key{text: k.text, bytes: []byte(k.text)}})
	for _, text := range []string{k.text, bare} {
		for _, decoder := range []struct {
			how    string
			decode func(string) ([]byte, error)
		}{
			{"hex", hex.DecodeString}, {"base64", base64.StdEncoding.DecodeString}, {"base64url", base64.RawURLEncoding.DecodeString},
		} {
			if b, err := decoder.decode(text); err == nil && len(b) > 0 {
				list = append(list, spelling{"secret_encoding", "decoded from " + decoder.how, "The sender decodes its secret before signing.", key{text: text, bytes: b}})
			}
		}
	}
	return list
}

// bodyVariant is what the body may have been before something changed it.
type bodyVariant struct {
	code, how string
	body      []byte
}

// bodyVariants are the usual changes undone, the frequent first.
func bodyVariants(b []byte) []bodyVariant {
	var list []bodyVariant
	seen := map[string]bool{string(b): true}
	add := func(code, how string, body []byte) {
		if len(body) <= maxReencoded && !seen[string(body)] {
			seen[string(body)] = true
			list = append(list, bodyVariant{code, how, body})
		}
	}
	if len(b) > maxReencoded {
		return nil
	}
	add("body_newline", "with a line end (LF) after it", append(bytes.Clone(b), '\n'))
	add("body_newline", "with a line end (CR LF) after it", append(bytes.Clone(b), "\r\n"...))
	add("body_newline", "without the line end after it", bytes.TrimRight(b, "\r\n"))
	add("body_newline", "without the blanks around it", bytes.TrimSpace(b))
	add("body_newline", "with LF instead of CR LF", bytes.ReplaceAll(b, []byte("\r\n"), []byte("\n")))
	add("body_newline", "with CR LF instead of LF", bytes.ReplaceAll(bytes.ReplaceAll(b, []byte("\r\n"), []byte("\n")), []byte("\n"), []byte("\r\n")))
	add("body_bom", "without the byte order mark", bytes.TrimPrefix(b, []byte("\ufeff")))
	add("body_empty", "empty", []byte{})
	add("body_reencoded", "in other letters (UTF-8 read as Latin-1 and written again)", latin1(b))
	if form, err := url.QueryUnescape(string(b)); err == nil && bytes.IndexByte(b, '%') >= 0 {
		add("body_reencoded", "with its percent signs decoded", []byte(form))
	}
	if !json.Valid(b) {
		return list
	}
	for _, order := range []struct{ how, also string }{{"", ""}, {"sorted", ", its members sorted by name"}} {
		text := b
		if order.how != "" {
			text = sortedJSON(b)
		}
		for _, layout := range layouts {
			laid := layout.of(text)
			for _, escapes := range escapings {
				add("body_reencoded", "as JSON "+layout.how+escapes.how+order.also, rewriteStrings(laid, escapes.of))
			}
		}
	}
	return list
}

// latin1 undoes the reading of UTF-8 as Latin-1; what cannot have come so stays.
func latin1(b []byte) []byte {
	out := make([]byte, 0, len(b))
	for _, r := range string(b) {
		if r > 0xff {
			return b
		}
		out = append(out, byte(r))
	}
	return out
}

// sortedJSON writes a JSON text compact and with sorted members; numbers stay as they are.
func sortedJSON(b []byte) []byte {
	decoder := json.NewDecoder(bytes.NewReader(b))
	decoder.UseNumber()
	var value any
	if decoder.Decode(&value) != nil {
		return b
	}
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	if encoder.Encode(value) != nil {
		return b
	}
	return bytes.TrimSuffix(out.Bytes(), []byte("\n"))
}

// layouts are the usual ways to set blanks in JSON.
var layouts = []struct {
	how string
	of  func([]byte) []byte
}{
	{"without blanks", compactJSON},
	{"with a blank after each comma and colon", spacedJSON},
	{"indented by two blanks", indentedJSON("  ")},
	{"indented by four blanks", indentedJSON("    ")},
	{"indented by tabs", indentedJSON("\t")},
	{"with the blanks as they are", func(b []byte) []byte { return b }},
}

func compactJSON(b []byte) []byte {
	var out bytes.Buffer
	if json.Compact(&out, b) != nil {
		return b
	}
	return out.Bytes()
}

func indentedJSON(by string) func([]byte) []byte {
	return func(b []byte) []byte {
		var out bytes.Buffer
		if json.Indent(&out, bytes.TrimSpace(b), "", by) != nil || out.Len() > maxReencoded {
			return b
		}
		return out.Bytes()
	}
}

func spacedJSON(b []byte) []byte {
	b = compactJSON(b)
	out := make([]byte, 0, len(b)+len(b)/4)
	for i := 0; i < len(b); i++ {
		if n := 0; b[i] == '"' {
			if n = stringLen(b[i:]); n > 0 {
				out = append(out, b[i:i+n]...)
				i += n - 1
				continue
			}
		}
		out = append(out, b[i])
		if b[i] == ',' || b[i] == ':' {
			out = append(out, ' ')
		}
	}
	return out
}

// escapings are the usual ways to write what stands between quotes.
var escapings = []struct {
	how string
	of  func(quoted []byte) []byte
}{
	{"", func(q []byte) []byte { return q }},
	{", other letters than ASCII escaped", func(q []byte) []byte { return escapeASCII(plainJSON(q)) }},
	{", letters not escaped", plainJSON},
	{", slashes escaped", escapeSlashes},
	{", slashes and other letters than ASCII escaped", func(q []byte) []byte { return escapeSlashes(escapeASCII(plainJSON(q))) }},
	{", < > & escaped", func(q []byte) []byte {
		var out bytes.Buffer
		json.HTMLEscape(&out, plainJSON(q))
		return out.Bytes()
	}},
}

func escapeSlashes(q []byte) []byte {
	return bytes.ReplaceAll(bytes.ReplaceAll(q, []byte(`\/`), []byte(`/`)), []byte(`/`), []byte(`\/`))
}

// plainJSON escapes only what must be.
func plainJSON(quoted []byte) []byte {
	text, ok := unquote(quoted)
	if !ok || strings.ContainsRune(text, utf8.RuneError) {
		return quoted
	}
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	if encoder.Encode(text) != nil {
		return quoted
	}
	plain := bytes.TrimSuffix(out.Bytes(), []byte("\n"))
	// Go alone escapes these two.
	plain = bytes.ReplaceAll(plain, []byte(`\u2028`), []byte("\u2028"))
	return bytes.ReplaceAll(plain, []byte(`\u2029`), []byte("\u2029"))
}

func escapeASCII(quoted []byte) []byte {
	out := make([]byte, 0, len(quoted))
	for _, r := range string(quoted) {
		switch {
		case r < utf8.RuneSelf:
			out = append(out, byte(r))
		case r < 0x10000:
			out = fmt.Appendf(out, `\u%04x`, r)
		default:
			high, low := utf16.EncodeRune(r)
			out = fmt.Appendf(out, `\u%04x\u%04x`, high, low)
		}
	}
	return out
}

// rewriteStrings hands each quoted string of a JSON text through f.
func rewriteStrings(b []byte, f func([]byte) []byte) []byte {
	out := make([]byte, 0, len(b))
	for i := 0; i < len(b); i++ {
		n := 0
		if b[i] == '"' {
			n = stringLen(b[i:])
		}
		if n == 0 {
			out = append(out, b[i])
			continue
		}
		out = append(out, f(b[i:i+n])...)
		i += n - 1
	}
	return out
}

// addressVariants are other spellings of a URL that lead to the same place.
func addressVariants(address string) []string {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return nil
	}
	var list []string
	for _, scheme := range []string{u.Scheme, "http", "https"} {
		for _, host := range []string{u.Host, u.Hostname(), u.Hostname() + ":443", u.Hostname() + ":80", strings.ToLower(u.Host)} {
			for _, path := range []string{u.EscapedPath(), strings.TrimSuffix(u.EscapedPath(), "/"), u.EscapedPath() + "/"} {
				for _, query := range []string{"?" + u.RawQuery, ""} {
					if variant := scheme + "://" + host + path + strings.TrimSuffix(query, "?"); variant != address {
						list = append(list, variant)
					}
				}
			}
		}
	}
	return list
}
