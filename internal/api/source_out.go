package api

import (
	"encoding/json"
	"time"

	"github.com/grapnelhq/grapnel/apitype"
	"github.com/grapnelhq/grapnel/internal/hook"
)

// ingestPath is where the gateway listens, below the public address.
const ingestPath = "/in/"

func sourceKey(s *hook.Source) string { return hook.KindSource.Format(s.ID) }

// sourceOut shows a source. Of its secrets it shows how many there are.
func (c *call) sourceOut(s *hook.Source) (apitype.SourceOut, error) {
	o := &s.Settings
	out := apitype.SourceOut{
		ID: sourceKey(s), UID: textOut(s.UID), Name: s.Name, Type: s.Type, Provider: s.Type,
		Metadata: mapOut(s.Metadata), Disabled: s.Disabled,
		Secrets: []apitype.SourceSecretOut{}, OldTokens: []time.Time{},
		Verification: rawOut(o.Verification), Responses: []apitype.SourceResponse{}, Routes: []apitype.SourceRoute{},
		EmptyBody: o.EmptyBody, RequireJSON: o.RequireJSON, Methods: append([]string{}, o.Methods...),
		AllowNets: listOut(o.AllowNets), ClientCA: textOut(o.ClientCA), ForwardHeaders: append([]string{}, o.ForwardHeaders...),
		NextFire: timeOut(s.NextFire), CreatedAt: s.CreatedAt.UTC(), UpdatedAt: s.UpdatedAt.UTC(),
	}
	if o.Alias != "" {
		out.Type = o.Alias
	}
	for _, secret := range s.Secrets {
		out.Secrets = append(out.Secrets, apitype.SourceSecretOut{ExpiresAt: timeOut(secret.ExpiresAt)})
	}
	for _, t := range s.Tokens[min(1, len(s.Tokens)):] {
		if c.now.Before(t.ExpiresAt) {
			out.OldTokens = append(out.OldTokens, t.ExpiresAt.UTC())
		}
	}
	sourceSettingsOut(&out, o)
	var err error
	if out.Config, err = c.configOut(s); err != nil {
		return out, err
	}
	if s.Type != typeCron {
		var url string
		url, err = c.ingestURL(s)
		out.IngestURL = &url
	}
	return out, err
}

func sourceSettingsOut(out *apitype.SourceOut, o *hook.SourceSettings) {
	if o.Dedupe != (hook.Dedupe{}) {
		dedupe := apitype.SourceDedupe(o.Dedupe)
		out.Dedupe = &dedupe
	}
	if !o.EventType.IsZero() {
		pick := apitype.SourcePick(o.EventType)
		out.EventType = &pick
	}
	for _, r := range o.Responses {
		out.Responses = append(out.Responses, apitype.SourceResponse(r))
	}
	for _, r := range o.Routes {
		out.Routes = append(out.Routes, apitype.SourceRoute{
			App: hook.KindApplication.Format(r.App), EventType: apitype.SourcePick(r.EventType), Only: r.Only,
		})
	}
	if o.Rate > 0 {
		rate := uint32(o.Rate)
		out.Rate = &rate
	}
	if o.MaxBody > 0 {
		most := int64(o.MaxBody)
		out.MaxBody = &most
	}
	if o.Cron != nil {
		cron := apitype.SourceCron(*o.Cron)
		out.Cron = &cron
	}
}

// configOut is the part of the configuration that other servers of this API show.
func (c *call) configOut(s *hook.Source) (json.RawMessage, error) {
	switch {
	case s.Settings.Cron != nil:
		shown := map[string]string{"schedule": s.Settings.Cron.Schedule, "payload": s.Settings.Cron.Payload}
		if s.Settings.Cron.ContentType != "" {
			shown["contentType"] = s.Settings.Cron.ContentType
		}
		return json.Marshal(shown)
	case showsPublicKey(s) && len(s.Secrets) > 0:
		key, err := c.Open(hook.PurposeSourceSecret, s.ID, s.Secrets[0].Sealed)
		if err != nil {
			return nil, err
		}
		return json.Marshal(map[string]string{memberPublicKey: string(key)})
	}
	return json.RawMessage(emptyPayload), nil
}

func rawOut(text json.RawMessage) json.RawMessage {
	if len(text) == 0 {
		return json.RawMessage(emptyPayload)
	}
	return text
}

// ingestURL gives the current URL of a source.
func (c *call) ingestURL(s *hook.Source) (string, error) {
	if len(s.Tokens) == 0 {
		return "", &hook.Error{Code: hook.CodeInternal, Detail: "The source has no URL."}
	}
	token, err := c.Open(hook.PurposeSourceToken, s.ID, s.Tokens[0].Sealed)
	return c.PublicURL(c.r) + ingestPath + string(token), err
}
