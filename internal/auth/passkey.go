package auth

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"time"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"

	"github.com/grapnelhq/grapnel/internal/hook"
)

// maxPasskeys bounds those of one member.
const maxPasskeys = 20

// passkeySite says why browsers let a site use no passkeys; nil: they do. A site must
// have a name, and https unless that name is localhost (WebAuthn Level 3, 13.4.9).
func passkeySite(site string) error {
	u, err := url.Parse(site)
	if err != nil || u.Hostname() == "" {
		return errors.New("the address of the server is not known")
	}
	if _, err := netip.ParseAddr(u.Hostname()); err == nil {
		return errors.New("browsers take passkeys for names only, and this server is open under a number")
	}
	if u.Scheme != "https" && u.Hostname() != "localhost" {
		return errors.New("browsers take passkeys under https only")
	}
	return nil
}

// ceremonies makes the WebAuthn relying party for the site that the browser is at.
func ceremonies(site string) (*webauthn.WebAuthn, error) {
	if err := passkeySite(site); err != nil {
		return nil, &hook.Error{Code: hook.CodeBadRequest, Detail: "Passkeys do not work here: " + err.Error() + ".", Hint: "Use https and a name, or localhost."}
	}
	u, err := url.Parse(site)
	if err != nil {
		return nil, err
	}
	w, err := webauthn.New(&webauthn.Config{
		RPID: u.Hostname(), RPDisplayName: "Grapnel", RPOrigins: []string{site},
		AttestationPreference: protocol.PreferNoAttestation,
		Timeouts: webauthn.TimeoutsConfig{
			Login:        webauthn.TimeoutConfig{Timeout: ceremonyLife, TimeoutUVD: ceremonyLife},
			Registration: webauthn.TimeoutConfig{Timeout: ceremonyLife, TimeoutUVD: ceremonyLife},
		},
	})
	if err != nil {
		return nil, fmt.Errorf("passkeys at %s: %w", u.Host, err)
	}
	return w, nil
}

// holder is a member as the library sees one.
type holder struct {
	member   hook.Member
	passkeys []hook.Passkey
	known    []webauthn.Credential // in the order of passkeys
}

var _ webauthn.User = (*holder)(nil)

// WebAuthnID is the id that authenticators keep and give back.
func (h *holder) WebAuthnID() []byte { return h.member.ID[:] }

// WebAuthnName is what the authenticator shows.
func (h *holder) WebAuthnName() string { return h.member.Email }

// WebAuthnDisplayName is what it shows beside it.
func (h *holder) WebAuthnDisplayName() string { return h.member.Name }

// WebAuthnCredentials are the passkeys so far.
func (h *holder) WebAuthnCredentials() []webauthn.Credential { return h.known }

func (p *People) holder(ctx context.Context, m hook.Member) (*holder, error) {
	all, err := p.store.ListPasskeys(ctx, m.ID)
	if err != nil {
		return nil, err
	}
	h := &holder{member: m, passkeys: all, known: make([]webauthn.Credential, len(all))}
	for i := range all {
		if err := json.Unmarshal(all[i].Data, &h.known[i]); err != nil {
			return nil, fmt.Errorf("passkey %s: %w", hook.KindPasskey.Format(all[i].ID), err)
		}
	}
	return h, nil
}

// BeginPasskey begins to add a passkey: one that the browser can find without being
// told the member, and that asks for a finger, a face or a code.
func (p *People) BeginPasskey(ctx context.Context, v hook.Visitor, m hook.Member) (string, json.RawMessage, error) {
	w, err := ceremonies(v.Site)
	if err != nil {
		return "", nil, err
	}
	h, err := p.holder(ctx, m)
	if err != nil {
		return "", nil, err
	}
	if len(h.known) >= maxPasskeys {
		return "", nil, &hook.Error{Code: hook.CodeLimitReached, Detail: fmt.Sprintf("You have %d passkeys already.", maxPasskeys)}
	}
	options, state, err := w.BeginRegistration(h,
		webauthn.WithResidentKeyRequirement(protocol.ResidentKeyRequirementRequired),
		webauthn.WithExclusions(webauthn.Credentials(h.known).CredentialDescriptors()),
		webauthn.WithAuthenticatorSelection(protocol.AuthenticatorSelection{
			ResidentKey: protocol.ResidentKeyRequirementRequired, UserVerification: protocol.VerificationRequired,
		}))
	if err != nil {
		return "", nil, fmt.Errorf("beginning to add a passkey: %w", err)
	}
	return p.ceremony(ctx, hook.TicketAddPasskey, m.ID, options, state)
}

// ceremony keeps what the end of a ceremony must be compared with.
func (p *People) ceremony(ctx context.Context, kind hook.TicketKind, member hook.ID, options any, state *webauthn.SessionData) (string, json.RawMessage, error) {
	data, err := json.Marshal(state)
	if err != nil {
		return "", nil, err
	}
	shown, err := json.Marshal(options)
	if err != nil {
		return "", nil, err
	}
	code, _, err := p.ticket(ctx, kind, member, ceremonyLife, data)
	return code, shown, err
}

// taken gives what ceremony kept, once.
func (p *People) taken(ctx context.Context, kind hook.TicketKind, member hook.ID, code string) (state webauthn.SessionData, err error) {
	t, err := p.store.TakeTicket(ctx, Hash(code), p.now())
	if isCode(err, hook.CodeNotFound) || err == nil && (t.Kind != kind || t.Member != member) {
		return state, badPasskey(errors.New("its ticket is not good any more"))
	}
	if err == nil {
		err = json.Unmarshal(t.Data, &state)
	}
	return state, err
}

func badPasskey(cause error) error {
	return &hook.Error{Code: hook.CodeSignIn, Detail: "The passkey was not accepted.", Hint: "Try again, or choose another way of signing in.", Err: cause}
}

// FinishPasskey adds the passkey that the browser made.
func (p *People) FinishPasskey(ctx context.Context, v hook.Visitor, m hook.Member, ticket, name string, credential json.RawMessage) (hook.Passkey, error) {
	w, err := ceremonies(v.Site)
	if err != nil {
		return hook.Passkey{}, err
	}
	state, err := p.taken(ctx, hook.TicketAddPasskey, m.ID, ticket)
	if err != nil {
		return hook.Passkey{}, err
	}
	answer, err := protocol.ParseCredentialCreationResponseBytes(credential)
	if err != nil {
		return hook.Passkey{}, hook.Invalid("is not what a browser gives for a new passkey", "body", "credential")
	}
	h, err := p.holder(ctx, m)
	if err != nil {
		return hook.Passkey{}, err
	}
	made, err := w.CreateCredential(h, state, answer)
	if err != nil {
		return hook.Passkey{}, badPasskey(err)
	}
	data, err := json.Marshal(made)
	if err != nil {
		return hook.Passkey{}, err
	}
	now := p.now().UTC().Truncate(time.Microsecond)
	out := hook.Passkey{ID: hook.NewID(now), Member: m.ID, Credential: made.ID, Name: name, Data: data, CreatedAt: now}
	return out, p.store.CreatePasskey(ctx, &out)
}

// BeginPasskeySignIn begins a sign-in in which the browser offers what passkeys it has.
func (p *People) BeginPasskeySignIn(ctx context.Context, v hook.Visitor) (string, json.RawMessage, error) {
	w, err := ceremonies(v.Site)
	if err != nil {
		return "", nil, err
	}
	// Each leaves a ticket behind, so the try is not given back here.
	if wait := p.limits.take(p.now(), p.triesOf(v)...); wait > 0 {
		return "", nil, tooMany(wait)
	}
	options, state, err := w.BeginDiscoverableLogin(webauthn.WithUserVerification(protocol.VerificationRequired))
	if err != nil {
		return "", nil, fmt.Errorf("beginning a sign-in with a passkey: %w", err)
	}
	return p.ceremony(ctx, hook.TicketWithPasskey, hook.ID{}, options, state)
}

// FinishPasskeySignIn begins a session of the member whose passkey it is.
func (p *People) FinishPasskeySignIn(ctx context.Context, v hook.Visitor, ticket string, credential json.RawMessage) (in hook.SignedIn, err error) {
	w, err := ceremonies(v.Site)
	if err != nil {
		return hook.SignedIn{}, err
	}
	err = p.limited(p.triesOf(v), func() error {
		state, err := p.taken(ctx, hook.TicketWithPasskey, hook.ID{}, ticket)
		if err != nil {
			return err
		}
		m, err := p.byPasskey(ctx, w, &state, credential)
		if err == nil {
			in, err = p.begin(ctx, v, m, hook.ByPasskey)
		}
		return err
	})
	if err == nil {
		p.limits.give(p.triesOf(v)...) // the one that its beginning took
	}
	return in, err
}

func (p *People) byPasskey(ctx context.Context, w *webauthn.WebAuthn, state *webauthn.SessionData, credential json.RawMessage) (hook.Member, error) {
	answer, err := protocol.ParseCredentialRequestResponseBytes(credential)
	if err != nil {
		return hook.Member{}, hook.Invalid("is not what a browser gives for a passkey", "body", "credential")
	}
	var h *holder
	var failed error // of the store, which the library would take for a refusal
	used, err := w.ValidateDiscoverableLogin(func(_, handle []byte) (webauthn.User, error) {
		var id hook.ID
		if len(handle) != len(id) {
			return nil, errors.New("the handle is none of ours")
		}
		m, err := p.store.FindMember(ctx, hook.ID(handle))
		if err == nil {
			h, err = p.holder(ctx, m)
		}
		if err != nil && !isCode(err, hook.CodeNotFound) {
			failed = err
		}
		return h, err
	}, *state, answer)
	switch {
	case failed != nil:
		return hook.Member{}, failed
	case err != nil:
		return hook.Member{}, badPasskey(err)
	case used.Authenticator.CloneWarning:
		return hook.Member{}, badPasskey(errors.New("its counter went back, as that of a copy does"))
	}
	return h.member, p.passkeyUsed(ctx, h, used)
}

// passkeyUsed keeps the counter of the passkey.
func (p *People) passkeyUsed(ctx context.Context, h *holder, used *webauthn.Credential) error {
	data, err := json.Marshal(used)
	if err != nil {
		return err
	}
	for i := range h.passkeys {
		if bytes.Equal(h.passkeys[i].Credential, used.ID) {
			return p.store.UsePasskey(ctx, h.passkeys[i].ID, data, p.now().UTC().Truncate(time.Microsecond))
		}
	}
	return badPasskey(errors.New("it was removed meanwhile"))
}
