package auth

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"github.com/grapnelhq/grapnel/internal/hook"
)

// Provider is a provider of OpenID Connect, as the settings name it.
type Provider struct {
	Issuer       string // its address, from which all others are found
	ClientID     string
	ClientSecret string // empty: a public client; PKCE protects the code in any case
	Name         string // what the button says
	// Domains are those of e-mail addresses for which a member is made at the first
	// sign-in; others must have been invited.
	Domains []string
	// RoleClaim names the claim that Roles are about, such as "groups".
	RoleClaim string
	// Roles gives the role of a value of RoleClaim; "*" stands for any. With it, every
	// sign-in sets the role, and who has none of the values is not let in. Nil: roles
	// are managed here, and a new member is a viewer.
	Roles map[string]hook.Role
}

// relyingParty is what this server is to its provider.
type relyingParty struct {
	Provider
	client *http.Client

	mu    sync.Mutex // guards found
	found *oidc.Provider
}

// setOut is what must be the same when the browser comes back.
type setOut struct {
	Nonce    string `json:"nonce"`
	Verifier string `json:"verifier"`
	Callback string `json:"callback"`
	Back     string `json:"back"`
}

// claims are those that are read of an ID token.
type claims struct {
	Email    string `json:"email"`
	Verified *bool  `json:"email_verified"`
	Name     string `json:"name"`
}

// discover asks the provider once where everything is; after a failure the next
// sign-in asks again.
func (r *relyingParty) discover(ctx context.Context) (*oidc.Provider, error) {
	r.mu.Lock()
	found := r.found
	r.mu.Unlock()
	if found != nil {
		return found, nil
	}
	// The provider's keys are fetched later, under the context of this call.
	found, err := oidc.NewProvider(oidc.ClientContext(context.WithoutCancel(ctx), r.client), r.Issuer)
	if err != nil {
		return nil, &hook.Error{
			Code: hook.CodeSignIn, Detail: "The sign-in provider cannot be reached.", Err: err,
			Hint: "Try again, or choose another way of signing in. The server's log has the cause.",
		}
	}
	r.mu.Lock()
	r.found = found
	r.mu.Unlock()
	return found, nil
}

func (r *relyingParty) oauth(found *oidc.Provider, callback string) *oauth2.Config {
	return &oauth2.Config{
		ClientID: r.ClientID, ClientSecret: r.ClientSecret, Endpoint: found.Endpoint(), RedirectURL: callback,
		Scopes: []string{oidc.ScopeOpenID, "profile", "email"},
	}
}

func noProvider() error {
	return &hook.Error{Code: hook.CodeNotFound, Detail: "This server has no sign-in provider.", Hint: "An operator can set one with --oidc-issuer."}
}

// BeginProvider gives the address to send the browser to, and the state that it must
// keep until it comes back to the callback.
func (p *People) BeginProvider(ctx context.Context, v hook.Visitor, callback, back string) (to, state string, err error) {
	if p.provider == nil {
		return "", "", noProvider()
	}
	if wait := p.limits.take(p.now(), p.triesOf(v)...); wait > 0 {
		return "", "", tooMany(wait)
	}
	found, err := p.provider.discover(ctx)
	if err != nil {
		return "", "", err
	}
	out := setOut{Nonce: newText(""), Verifier: oauth2.GenerateVerifier(), Callback: callback, Back: back}
	data, err := json.Marshal(out)
	if err != nil {
		return "", "", err
	}
	state, _, err = p.ticket(ctx, hook.TicketProvider, hook.ID{}, 2*ceremonyLife, data)
	if err != nil {
		return "", "", err
	}
	return p.provider.oauth(found, callback).AuthCodeURL(state, oidc.Nonce(out.Nonce), oauth2.S256ChallengeOption(out.Verifier)), state, nil
}

// FinishProvider takes what the provider sent the browser back with. state is what the
// browser kept: another browser's way cannot be ended here.
func (p *People) FinishProvider(ctx context.Context, v hook.Visitor, callback, state string, query url.Values) (in hook.SignedIn, err error) {
	if p.provider == nil {
		return in, noProvider()
	}
	err = p.limited(p.triesOf(v), func() error {
		out, err := p.returned(ctx, callback, state, query)
		if err != nil {
			return err
		}
		token, err := p.provider.exchange(ctx, out, query.Get("code"), p.now)
		if err != nil {
			return err
		}
		m, err := p.admit(ctx, token)
		if err == nil {
			in, err = p.begin(ctx, v, m, hook.ByProvider)
		}
		in.Return = out.Back
		return err
	})
	if err == nil {
		p.limits.give(p.triesOf(v)...) // the one that its beginning took
	}
	return in, err
}

func notFromProvider(detail string, cause error) error {
	return &hook.Error{Code: hook.CodeSignIn, Detail: detail, Err: cause}
}

// returned finds what the browser set out with.
func (p *People) returned(ctx context.Context, callback, state string, query url.Values) (out setOut, err error) {
	if state == "" || subtle.ConstantTimeCompare([]byte(state), []byte(query.Get("state"))) != 1 {
		return out, notFromProvider("This sign-in was begun in another browser, or too long ago.", nil)
	}
	t, err := p.store.TakeTicket(ctx, Hash(state), p.now())
	if isCode(err, hook.CodeNotFound) || err == nil && t.Kind != hook.TicketProvider {
		return out, notFromProvider("This sign-in was begun in another browser, or too long ago.", nil)
	}
	if err == nil {
		err = json.Unmarshal(t.Data, &out)
	}
	if err != nil {
		return out, err
	}
	if out.Callback != callback {
		return out, notFromProvider("This sign-in was begun at another address of the server.", nil)
	}
	if reason := query.Get("error"); reason != "" {
		return out, notFromProvider("The sign-in provider let nobody in.", fmt.Errorf("the provider answers %.100q", reason))
	}
	return out, nil
}

// exchange turns the code into an ID token and verifies it.
func (r *relyingParty) exchange(ctx context.Context, out setOut, code string, now func() time.Time) (*oidc.IDToken, error) {
	found, err := r.discover(ctx)
	if err != nil {
		return nil, err
	}
	ctx = oidc.ClientContext(ctx, r.client)
	const refusal = "The sign-in provider's answer was not accepted."
	tokens, err := r.oauth(found, out.Callback).Exchange(ctx, code, oauth2.VerifierOption(out.Verifier))
	if err != nil {
		var answer *oauth2.RetrieveError
		if errors.As(err, &answer) { // its text would show the body
			err = fmt.Errorf("the provider answers %.100q", answer.ErrorCode)
		}
		return nil, notFromProvider(refusal, err)
	}
	raw, _ := tokens.Extra("id_token").(string)
	token, err := found.VerifierContext(ctx, &oidc.Config{ClientID: r.ClientID, Now: now}).Verify(ctx, raw)
	if err != nil {
		return nil, notFromProvider(refusal, err)
	}
	if subtle.ConstantTimeCompare([]byte(token.Nonce), []byte(out.Nonce)) != 1 {
		return nil, notFromProvider(refusal, errors.New("the nonce is another one"))
	}
	return token, nil
}

// admit gives the member of an ID token: the one that it was before, else the one with
// its verified e-mail address, else a new one if its domain is allowed.
func (p *People) admit(ctx context.Context, token *oidc.IDToken) (hook.Member, error) {
	var c claims
	if err := token.Claims(&c); err != nil {
		return hook.Member{}, notFromProvider("The sign-in provider's answer was not accepted.", err)
	}
	role, mapped, err := p.provider.role(token)
	if err != nil {
		return hook.Member{}, err
	}
	subject := token.Issuer + " " + token.Subject
	m, err := p.store.FindMemberBySubject(ctx, subject)
	if isCode(err, hook.CodeNotFound) {
		m, err = p.byClaims(ctx, &c)
	}
	if err != nil {
		return m, err
	}
	if m.ID.IsZero() {
		return p.firstVisit(ctx, m, &c, subject, role, mapped)
	}
	return p.store.UpdateMember(ctx, m.ID, func(m *hook.Member) error {
		if m.Subject != "" && m.Subject != subject {
			return notFromProvider("Another account at the provider belongs to this member.", nil)
		}
		if m.Subject = subject; mapped {
			m.Role = role
		}
		m.UpdatedAt = p.now().UTC().Truncate(time.Microsecond)
		return nil
	})
}

// byClaims finds a member by an e-mail address that the provider has verified. A zero
// id is that of somebody new whose domain is allowed.
func (p *People) byClaims(ctx context.Context, c *claims) (hook.Member, error) {
	email, valid := hook.FoldEmail(c.Email)
	if !valid || c.Verified == nil || !*c.Verified {
		return hook.Member{}, notFromProvider("The sign-in provider has not verified your e-mail address.", nil)
	}
	m, err := p.store.FindMemberByEmail(ctx, email)
	if !isCode(err, hook.CodeNotFound) {
		return m, err
	}
	_, domain, _ := strings.Cut(email, "@")
	if !slices.Contains(p.provider.Domains, domain) {
		return hook.Member{}, &hook.Error{Code: hook.CodeSignIn, Detail: "There is no member with your e-mail address.", Hint: "Ask an administrator for an invitation."}
	}
	return hook.Member{Email: email}, nil
}

func (p *People) firstVisit(ctx context.Context, m hook.Member, c *claims, subject string, role hook.Role, mapped bool) (hook.Member, error) {
	now := p.now().UTC().Truncate(time.Microsecond)
	m.ID, m.Name, m.Subject, m.Role, m.CreatedAt, m.UpdatedAt = hook.NewID(now), c.Name, subject, hook.RoleViewer, now, now
	if m.Name = strings.Map(printing, m.Name); m.Name == "" || len(m.Name) > 100 {
		m.Name = m.Email
	}
	if mapped {
		m.Role = role
	}
	m.MayReadPayloads = m.Role != hook.RoleViewer
	return m, p.store.CreateMember(ctx, &m, false)
}

// role is the highest that the claims give.
func (r *relyingParty) role(token *oidc.IDToken) (role hook.Role, mapped bool, err error) {
	if len(r.Roles) == 0 {
		return 0, false, nil
	}
	var all map[string]json.RawMessage
	if err := token.Claims(&all); err != nil {
		return 0, false, notFromProvider("The sign-in provider's answer was not accepted.", err)
	}
	role = r.Roles["*"]
	for _, value := range valuesOf(all[r.RoleClaim]) {
		role = max(role, r.Roles[value])
	}
	if role == 0 {
		return 0, true, &hook.Error{Code: hook.CodeSignIn, Detail: "The sign-in provider gives you no role here.", Hint: "Ask an administrator to add you to a group that has one."}
	}
	return role, true, nil
}

// valuesOf reads a claim that is a text or a list of texts.
func valuesOf(raw json.RawMessage) []string {
	var one string
	if json.Unmarshal(raw, &one) == nil {
		return []string{one}
	}
	var list []any
	if json.Unmarshal(raw, &list) != nil {
		return nil
	}
	var out []string
	for _, item := range list {
		if text, ok := item.(string); ok {
			out = append(out, text)
		}
	}
	return out
}
