package provider

import (
	"errors"
	"fmt"
	"strings"
)

// Generic describes the scheme of a sender that this package does not know by name.
type Generic struct {
	// Hash is that of the HMAC: sha1, sha256 (empty), sha384 or sha512.
	Hash string `json:"hash,omitempty"`
	// Encoding is how the digest is written: hex (empty, in lower case), base64 (with
	// padding) or base64url (without padding).
	Encoding string `json:"encoding,omitempty"`
	// KeyEncoding is how the secret is written: text (empty), hex or base64.
	KeyEncoding string `json:"keyEncoding,omitempty"`
	// SignatureHeader is the header with the signature.
	SignatureHeader string `json:"signatureHeader"`
	// Prefix stands in front of each signature: "sha256=".
	Prefix string `json:"prefix,omitempty"`
	// Separator stands between several signatures, or between the pairs of a list of
	// names and values; empty: there is one signature, or the pairs have commas.
	Separator string `json:"separator,omitempty"`
	// SignatureName makes the header a list such as "t=1700000000,v1=…" and is the name
	// of the signatures in it: "v1".
	SignatureName string `json:"signatureName,omitempty"`
	// TimestampName is the name of the signed time in that list: "t".
	TimestampName string `json:"timestampName,omitempty"`
	// TimestampHeader is the header with the signed time, if it has one of its own.
	TimestampHeader string `json:"timestampHeader,omitempty"`
	// TimestampUnit is how the time is written: s (empty), ms or rfc3339.
	TimestampUnit string `json:"timestampUnit,omitempty"`
	// IDHeader is the header with the signed id of the event.
	IDHeader string `json:"idHeader,omitempty"`
	// Template is what is signed, of {id} {ts} {body} {url} {method} and literal text;
	// empty: the body.
	Template string `json:"template,omitempty"`
	// EventID and EventType say where they stand in the request: "header:X-Event-Id",
	// "body:data.id" or "query:id"; empty: EventID is the signed id, there is no type.
	EventID   string `json:"eventId,omitempty"`
	EventType string `json:"eventType,omitempty"`
}

const genericName = "generic-hmac"

var (
	genericHashes    = map[string]algorithm{"": hmacSHA256, "sha1": hmacSHA1, "sha256": hmacSHA256, "sha384": hmacSHA384, "sha512": hmacSHA512}
	genericEncodings = map[string]encoding{"": hexLower, "hex": hexLower, "base64": base64Std, "base64url": base64URL}
	genericKeys      = map[string]keyForm{"": textKey, "text": textKey, "hex": hexKey, "base64": base64Key}
	genericUnits     = map[string]stampUnit{"": seconds, "s": seconds, "ms": millis, "rfc3339": rfc3339}
)

// check says what is wrong with the description.
func (g *Generic) check() error {
	for _, step := range []func() error{g.checkNames, g.checkHeaders, g.checkList, g.checkContent} {
		if err := step(); err != nil {
			return err
		}
	}
	for _, where := range []string{g.EventID, g.EventType} {
		if _, err := parseLocator(where); err != nil {
			return err
		}
	}
	return nil
}

func (g *Generic) checkNames() error {
	if _, ok := genericHashes[g.Hash]; !ok {
		return errors.New("hash is sha1, sha256, sha384 or sha512")
	}
	if _, ok := genericEncodings[g.Encoding]; !ok {
		return errors.New("encoding is hex, base64 or base64url")
	}
	if _, ok := genericKeys[g.KeyEncoding]; !ok {
		return errors.New("keyEncoding is text, hex or base64")
	}
	if _, ok := genericUnits[g.TimestampUnit]; !ok {
		return errors.New("timestampUnit is s, ms or rfc3339")
	}
	return nil
}

func (g *Generic) checkHeaders() error {
	if err := checkHeaderName(g.SignatureHeader); err != nil {
		return fmt.Errorf("signatureHeader: %w", err)
	}
	for field, name := range map[string]string{"timestampHeader": g.TimestampHeader, "idHeader": g.IDHeader} {
		if name == "" {
			continue
		}
		if err := checkHeaderName(name); err != nil {
			return fmt.Errorf("%s: %w", field, err)
		}
		if strings.EqualFold(name, g.SignatureHeader) {
			return fmt.Errorf("%s: it is the signatureHeader", field)
		}
	}
	if len(g.Prefix) > 50 || strings.ContainsFunc(g.Prefix, notVisible) {
		return errors.New("prefix is at most 50 visible characters")
	}
	return nil
}

func notVisible(r rune) bool { return r < ' ' || r > '~' }

func (g *Generic) checkList() error {
	switch g.Separator {
	case "", ",", ";", " ", "|", "&":
	default:
		return errors.New("separator is a comma, semicolon, blank, bar or ampersand")
	}
	for field, name := range map[string]string{"signatureName": g.SignatureName, "timestampName": g.TimestampName} {
		if name != "" && checkHeaderName(name) != nil {
			return fmt.Errorf("%s is letters, digits and - _", field)
		}
	}
	switch {
	case g.SignatureName == "" && g.TimestampName != "":
		return errors.New("timestampName needs a signatureName: both stand in one header")
	case g.SignatureName != "" && g.SignatureName == g.TimestampName:
		return errors.New("signatureName and timestampName are the same")
	case g.SignatureName != "" && g.Prefix != "":
		return errors.New("prefix and signatureName exclude each other")
	case g.TimestampName != "" && g.TimestampHeader != "":
		return errors.New("timestampName and timestampHeader exclude each other")
	}
	return nil
}

// checkContent insists that all is signed that is relied on.
func (g *Generic) checkContent() error {
	c, err := parseContent(g.template())
	if err != nil {
		return err
	}
	hasTime := g.hasTime()
	switch {
	case !c.has(body):
		return errors.New("template has no {body}, so anybody could change it")
	case c.has(sentTime) && !hasTime:
		return errors.New("template has {ts}; set timestampHeader or timestampName")
	case hasTime && !c.has(sentTime):
		return errors.New("template has no {ts}, so the time would prove nothing")
	case c.has(sentID) != (g.IDHeader != ""):
		return errors.New("template has {id} exactly when idHeader is set")
	case g.TimestampUnit != "" && !hasTime:
		return errors.New("timestampUnit needs a time")
	}
	return nil
}

func (g *Generic) hasTime() bool { return g.TimestampName != "" || g.TimestampHeader != "" }

func (g *Generic) template() string {
	if g.Template == "" {
		return "{body}"
	}
	return g.Template
}

// shape gives the provider the scheme that the checked description describes.
func (g *Generic) shape(p *Provider) {
	c, _ := parseContent(g.template())
	m := &mac{
		algorithm: genericHashes[g.Hash], encoding: genericEncodings[g.Encoding], key: genericKeys[g.KeyEncoding],
		headers: []string{g.SignatureHeader}, prefix: g.Prefix, list: g.Separator, id: g.IDHeader, content: c,
		stamp: stamp{unit: genericUnits[g.TimestampUnit], tolerance: p.Tolerance},
	}
	if g.SignatureName != "" {
		m.pairs = &pairs{separator: g.Separator, time: g.TimestampName, signature: g.SignatureName}
		if g.Separator == "" {
			m.pairs.separator = ","
		}
	}
	p.Headers = []string{g.SignatureHeader}
	switch {
	case g.TimestampName != "":
		m.stamp.place = stampInPairs
	case g.TimestampHeader != "":
		m.stamp.place, m.stamp.name = stampInHeader, g.TimestampHeader
		p.Headers = append(p.Headers, g.TimestampHeader)
	default:
		p.Tolerance = 0
	}
	p.scheme = m
	p.eventID, _ = parseLocator(g.EventID)
	p.eventType, _ = parseLocator(g.EventType)
	if g.IDHeader != "" {
		p.Headers = append(p.Headers, g.IDHeader)
		if p.eventID == nil {
			p.eventID = inHeader(g.IDHeader)
		}
	}
}

// parseLocator reads "header:X-Event-Id", "body:data.id" or "query:id"; empty: nil.
func parseLocator(text string) (locator, error) {
	if text == "" {
		return nil, nil
	}
	kind, name, _ := strings.Cut(text, ":")
	if name == "" || len(name) > 200 || strings.ContainsFunc(name, isControl) {
		return nil, errors.New(`eventId and eventType are like "header:X-Event-Id", "body:data.id" or "query:id"`)
	}
	switch kind {
	case "header":
		if err := checkHeaderName(name); err != nil {
			return nil, err
		}
		return inHeader(name), nil
	case "body":
		return inBody(name), nil
	case "query":
		return inQuery(name), nil
	}
	return nil, errors.New(`eventId and eventType begin with "header:", "body:" or "query:"`)
}
