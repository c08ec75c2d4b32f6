package api

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/grapnelhq/grapnel/apitype"
	"github.com/grapnelhq/grapnel/internal/hook"
)

// typeCron is the type of a source that makes its events itself.
const typeCron = "cron"

var cronType = apitype.SourceTypeOut{
	Name: typeCron, Title: "Cron", Scheme: "Makes its events itself, by a schedule. It takes no requests.",
	Headers: []string{}, SecretHelp: "It has none.", SecretOptional: true, Settings: []string{}, Samples: []string{},
}

// alias is another name of a source type.
type alias struct {
	provider     string
	verification string // settings that make it this type; empty: none
}

// aliases are the names by which clients of other servers of this API know types
// that have another name here, or a scheme that the generic one can describe.
var aliases = map[string]alias{
	"open-ai":  {provider: "openai"},
	"beehiiv":  {provider: "svix"},
	"guesty":   {provider: "svix"},
	"lithic":   {provider: "svix"},
	"nash":     {provider: "svix"},
	"pleo":     {provider: "svix"},
	"psi-fi":   {provider: "svix"},
	"safebase": {provider: "svix"},
	"sardine":  {provider: "svix"},
	"stych":    {provider: "svix"},
	"airwallex": {provider: "generic-hmac", verification: `{"generic":{"signatureHeader":"x-signature","timestampHeader":"x-timestamp",` +
		`"timestampUnit":"ms","template":"{ts}{body}","eventId":"body:id","eventType":"body:name"}}`},
	"easypost": {provider: "generic-hmac", verification: `{"generic":{"signatureHeader":"X-Hmac-Signature","prefix":"hmac-sha256-hex=",` +
		`"eventId":"body:id","eventType":"body:description"}}`},
	"segment": {provider: "generic-hmac", verification: `{"generic":{"hash":"sha1","signatureHeader":"X-Signature",` +
		`"eventId":"body:messageId","eventType":"body:type"}}`},
	"tailscale": {provider: "generic-hmac", verification: `{"generic":{"signatureHeader":"Tailscale-Webhook-Signature",` +
		`"signatureName":"v1","timestampName":"t","template":"{ts}.{body}"}}`},
	"veriff": {provider: "generic-hmac", verification: `{"generic":{"signatureHeader":"X-Hmac-Signature"}}`},
}

func listSourceTypes(c *call) (reply, error) {
	types := append(c.SourceTypes(), cronType)
	slices.SortFunc(types, func(a, b apitype.SourceTypeOut) int { return strings.Compare(a.Name, b.Name) })
	return ok(apitype.List[apitype.SourceTypeOut]{Data: types, Done: true})
}

// sourceType finds the type of that name.
func (c *call) sourceType(name string) (apitype.SourceTypeOut, bool) {
	if name == typeCron {
		return cronType, true
	}
	types := c.SourceTypes()
	i := slices.IndexFunc(types, func(t apitype.SourceTypeOut) bool { return t.Name == name })
	if i < 0 {
		return apitype.SourceTypeOut{}, false
	}
	return types[i], true
}

// chooseType makes s a source of the named type. Another type than before has
// another way to verify: what belongs to the one before is dropped.
func (c *call) chooseType(k *checker, s *hook.Source, name string) {
	given, of := "", alias{provider: name}
	if _, known := c.sourceType(name); !known {
		given, of = name, aliases[name]
		if _, known := c.sourceType(of.provider); !known {
			k.bad("is not a source type of this server", "type")
			k.hint = "GET /ingest/api/v1/source-type lists them; generic-hmac takes the description of a scheme that is not among them."
			return
		}
	}
	if s.Type == of.provider && s.Settings.Alias == given {
		return
	}
	s.Type, s.Settings.Alias, s.Secrets, s.Settings.Cron = of.provider, given, nil, nil
	s.Settings.Verification = typeSettings(s)
}

// typeSettings are the verification settings that belong to the type of s.
func typeSettings(s *hook.Source) json.RawMessage {
	if text := aliases[s.Settings.Alias].verification; text != "" {
		return json.RawMessage(text)
	}
	return nil
}

// mergeMembers puts the members of added in the place of those of text.
func mergeMembers(text json.RawMessage, added map[string]json.RawMessage) (json.RawMessage, error) {
	all := map[string]json.RawMessage{}
	if len(text) > 0 {
		if err := json.Unmarshal(text, &all); err != nil {
			return nil, err
		}
	}
	maps.Copy(all, added)
	if len(all) == 0 {
		return nil, nil
	}
	return json.Marshal(all)
}

// showsPublicKey holds for types whose secret is a public key, which is shown.
func showsPublicKey(s *hook.Source) bool { return s.Type == "telnyx" || s.Settings.Alias == "telnyx" }
