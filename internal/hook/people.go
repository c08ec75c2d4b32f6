package hook

import (
	"net/netip"
	"time"
)

// Role says what a member may do. Each may do all that the ones before it may.
type Role uint8

// The roles, from the least to the most.
const (
	RoleViewer    Role = iota + 1 // reads; no secrets
	RoleDeveloper                 // publishes, and manages applications, endpoints, sources and event types
	RoleAdmin                     // manages API keys, environments, settings and members other than owners
	RoleOwner                     // manages owners too; there is always one
)

// Roles lists every role once, from the least to the most.
var Roles = []Role{RoleViewer, RoleDeveloper, RoleAdmin, RoleOwner}

// String gives the word of the API.
func (r Role) String() string {
	switch r {
	case RoleViewer:
		return "viewer"
	case RoleDeveloper:
		return "developer"
	case RoleAdmin:
		return "admin"
	case RoleOwner:
		return "owner"
	}
	return "none"
}

// ParseRole finds the role of a word.
func ParseRole(word string) (Role, bool) {
	for _, r := range Roles {
		if r.String() == word {
			return r, true
		}
	}
	return 0, false
}

// Member is a person who may use the dashboard, in all environments.
type Member struct {
	ID    ID
	Email string // folded by FoldEmail; no two members share one
	Name  string
	Role  Role
	// MayReadPayloads lets the member see what is in messages, requests and answers.
	MayReadPayloads bool
	// Password is a salted hash in the PHC string format; empty: there is none.
	Password string
	// Subject names the member at the OpenID provider, as issuer, a blank and subject;
	// empty: not known there. No two members share one.
	Subject   string
	CreatedAt time.Time
	UpdatedAt time.Time
	SeenAt    time.Time // zero: never; kept to the minute
}

// Limits of a session: it ends this long after its last use, and in any case this
// long after its start.
const (
	SessionIdle = 12 * time.Hour
	SessionLife = 30 * 24 * time.Hour
)

// Session is a browser in which a member is signed in. Only the hash of the text in
// its cookie is stored.
type Session struct {
	ID        ID
	Member    ID
	Hash      [32]byte     // SHA-256 of the text
	Method    SignInMethod // by which it began
	Agent     string       // what the browser calls itself, cut off after 256 bytes
	Address   netip.Addr   // from which it began
	CreatedAt time.Time
	UsedAt    time.Time // kept to the minute
}

// Valid reports whether the session may be used at the time now.
func (s *Session) Valid(now time.Time) bool {
	return now.Before(s.UsedAt.Add(SessionIdle)) && now.Before(s.CreatedAt.Add(SessionLife))
}

// SignInMethod is how a session began.
type SignInMethod uint8

// The methods.
const (
	ByPassword SignInMethod = iota + 1
	ByPasskey
	ByProvider // of OpenID Connect
	ByLink
)

// SignInMethods lists every method once.
var SignInMethods = []SignInMethod{ByPassword, ByPasskey, ByProvider, ByLink}

// String gives the word of the API.
func (m SignInMethod) String() string {
	switch m {
	case ByPassword:
		return "password"
	case ByPasskey:
		return "passkey"
	case ByProvider:
		return "oidc"
	case ByLink:
		return "link"
	}
	return "none"
}

// SessionUse is the last use of a session, gathered in memory and stored in batches.
type SessionUse struct {
	Session ID
	At      time.Time
}

// TicketKind says what a Ticket is good for.
type TicketKind uint8

// The kinds.
const (
	TicketSetup       TicketKind = iota + 1 // makes the first member, an owner
	TicketInvite                            // lets a new member choose a password
	TicketReset                             // lets a member choose another password
	TicketSignIn                            // signs a member in
	TicketAddPasskey                        // a passkey that is being added; Data is the challenge
	TicketWithPasskey                       // a sign-in with a passkey under way; Data is the challenge
	TicketProvider                          // a sign-in at the OpenID provider under way; Data is what it must come back with
)

// TicketKinds lists every kind once.
var TicketKinds = []TicketKind{
	TicketSetup, TicketInvite, TicketReset, TicketSignIn, TicketAddPasskey, TicketWithPasskey, TicketProvider,
}

// String gives the word of the API.
func (k TicketKind) String() string {
	switch k {
	case TicketSetup:
		return "setup"
	case TicketInvite:
		return "invite"
	case TicketReset:
		return "reset"
	case TicketSignIn:
		return "signin"
	case TicketAddPasskey:
		return "add-passkey"
	case TicketWithPasskey:
		return "with-passkey"
	case TicketProvider:
		return "provider"
	}
	return "none"
}

// Ticket is good for one thing, once, until it ends. Only the hash of its text is
// stored.
type Ticket struct {
	Hash      [32]byte // SHA-256 of the text
	Kind      TicketKind
	Member    ID     // zero: of nobody yet
	Data      []byte // what the use needs to know
	CreatedAt time.Time
	ExpiresAt time.Time
}

// Visitor is a browser in which somebody wants to sign in.
type Visitor struct {
	Address netip.Addr
	Agent   string // what it calls itself
	Site    string // scheme and host by which it reached the server, such as "https://hooks.example.com"
}

// Ways are the ways of signing in that are open.
type Ways struct {
	Empty    bool   // there is no member yet, so that the link in the log is the only way
	Passkey  bool   // browsers let this site use passkeys
	Provider string // name of the OpenID provider; empty: none
}

// SignedIn is a sign-in that succeeded.
type SignedIn struct {
	Token   string // for the cookie
	Session Session
	Member  Member
	Return  string // the page to go on with, after a provider; a path below the dashboard's
}

// Passkey is a WebAuthn credential of a member.
type Passkey struct {
	ID         ID
	Member     ID
	Credential []byte // the id that the authenticator gave it
	Name       string // that the member gave it
	Data       []byte // public key, counter and flags, as auth encodes them
	CreatedAt  time.Time
	UsedAt     time.Time // zero: never
}

// ActorKind says who did something.
type ActorKind uint8

// The kinds.
const (
	ActorMember ActorKind = iota + 1
	ActorKey              // an API key
	ActorPortal           // the token of an application
	ActorSystem           // the server, or whoever has its settings
)

// ActorKinds lists every kind once.
var ActorKinds = []ActorKind{ActorMember, ActorKey, ActorPortal, ActorSystem}

// String gives the word of the API.
func (k ActorKind) String() string {
	switch k {
	case ActorMember:
		return "member"
	case ActorKey:
		return "key"
	case ActorPortal:
		return "portal"
	case ActorSystem:
		return "system"
	}
	return "none"
}

// AuditLife is how long an entry of the audit log is kept.
const AuditLife = 365 * 24 * time.Hour

// AuditEntry says who did what, and when. It names the actor as it was then, for
// members and keys come and go.
type AuditEntry struct {
	ID      ID // says when
	Env     ID // zero: of no environment
	Actor   ActorKind
	ActorID ID // zero for the system
	Name    string
	Action  string     // an operation of the API, such as "endpoint.rotate-secret"
	Target  string     // a path below the API's, such as "/app/app_…/endpoint/ep_…"
	Address netip.Addr // of the caller; the zero value: none
}

// AuditFilter chooses a page of the audit log, newest first.
type AuditFilter struct {
	Env    ID // zero: of all environments, and of none
	After  time.Time
	Before time.Time
	Page   Page
}
