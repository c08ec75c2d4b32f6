package apitype

import (
	"encoding/json"
	"time"
)

// MemberRole says what a member may do; each may do all that the ones before it may.
type MemberRole string

// The roles. The set is closed.
const (
	RoleViewer    MemberRole = "viewer"    // reads; no secrets
	RoleDeveloper MemberRole = "developer" // publishes, and manages applications, endpoints, sources, event types
	RoleAdmin     MemberRole = "admin"     // manages API keys, members, environments, settings
	RoleOwner     MemberRole = "owner"     // manages owners too
)

// SessionOut tells who is signed in, and how one can.
type SessionOut struct {
	SignedIn    bool           `json:"signedIn" doc:"True if the cookie of the request is that of a session."`
	SetupNeeded bool           `json:"setupNeeded" doc:"True as long as there is no member: the server's log has the link that makes the first one."`
	Methods     SignInMethods  `json:"methods" doc:"The ways of signing in."`
	Session     *string        `json:"session,omitempty" doc:"Id of the session."`
	Member      *SessionMember `json:"member,omitempty" doc:"Who is signed in."`
	// Environments is there only for who is signed in.
	Environments []EnvironmentOut `json:"environments,omitempty" doc:"The environments, oldest first: the first one is meant where a request names none."`
	PasswordSet  *bool            `json:"passwordSet,omitempty" doc:"True if the member has a password."`
}

// SignInMethods are the ways of signing in.
type SignInMethods struct {
	Password bool            `json:"password" doc:"By e-mail address and password."`
	Passkey  bool            `json:"passkey" doc:"By passkey: browsers allow it under https and on localhost."`
	OIDC     *SignInProvider `json:"oidc,omitempty" doc:"By a provider of OpenID Connect; absent if none is set."`
}

// SignInProvider is a provider of OpenID Connect.
type SignInProvider struct {
	Name string `json:"name" doc:"What its button says."`
}

// SessionMember is the member of a session.
type SessionMember struct {
	ID              string     `json:"id" doc:"Id of the member."`
	Name            string     `json:"name" doc:"Name of the member."`
	Email           string     `json:"email" doc:"E-mail address, in lower case."`
	Role            MemberRole `json:"role" enum:"viewer,developer,admin,owner" doc:"What the member may do."`
	MayReadPayloads bool       `json:"mayReadPayloads" doc:"True if the member sees payloads, bodies and answers."`
}

// SignInIn signs in: with e-mail address and password, or with the code of a link.
type SignInIn struct {
	Email    Optional[string] `json:"email,omitzero" nullable:"false" maxLength:"254" doc:"E-mail address."`
	Password Optional[string] `json:"password,omitzero" nullable:"false" maxLength:"512" doc:"The password of the member."`
	Code     Optional[string] `json:"code,omitzero" nullable:"false" maxLength:"128" doc:"The code of a link of kind signin, in place of the other two."`
}

// SessionListed is a browser in which the caller is signed in.
type SessionListed struct {
	ID         string       `json:"id" doc:"Id of the session."`
	Current    bool         `json:"current" doc:"True if it is that of the request."`
	Method     SignInMethod `json:"method" enum:"password,passkey,oidc,link" doc:"How it began."`
	Agent      string       `json:"agent" doc:"What the browser calls itself."`
	Address    string       `json:"address" doc:"Address from which it began."`
	CreatedAt  time.Time    `json:"createdAt" doc:"When it began."`
	LastUsedAt time.Time    `json:"lastUsedAt" doc:"When it was last used, to the minute."`
	ExpiresAt  time.Time    `json:"expiresAt" doc:"When it ends unless it is used before."`
}

// SignInMethod is how a session began.
type SignInMethod string

// The methods. The set is closed.
const (
	ByPassword SignInMethod = "password"
	ByPasskey  SignInMethod = "passkey"
	ByOIDC     SignInMethod = "oidc"
	ByLink     SignInMethod = "link"
)

// LinkKind is what a link is good for.
type LinkKind string

// The kinds. The set is closed.
const (
	LinkSetup  LinkKind = "setup"
	LinkInvite LinkKind = "invite"
	LinkReset  LinkKind = "reset"
	LinkSignIn LinkKind = "signin"
)

// LinkIn asks what a link is good for.
type LinkIn struct {
	Code string `json:"code" minLength:"1" maxLength:"128" doc:"What stands behind #code= in the link."`
}

// LinkOut says what a link is good for. Asking does not use it up.
type LinkOut struct {
	Kind  LinkKind `json:"kind" enum:"setup,invite,reset,signin" doc:"setup makes the first member, invite and reset let a member choose a password, signin signs in."`
	Email *string  `json:"email,omitempty" doc:"The member's e-mail address; a setup has none."`
	Name  *string  `json:"name,omitempty" doc:"The member's name."`
}

// SetupIn uses a link of kind setup, invite or reset.
type SetupIn struct {
	Code     string           `json:"code" minLength:"1" maxLength:"128" doc:"What stands behind #code= in the link."`
	Name     Optional[string] `json:"name,omitzero" nullable:"false" maxLength:"100" doc:"Name of the member; needed for a setup."`
	Email    Optional[string] `json:"email,omitzero" nullable:"false" maxLength:"254" doc:"E-mail address; needed for a setup, and only for that."`
	Password Optional[string] `json:"password,omitzero" nullable:"false" minLength:"12" maxLength:"128" doc:"Password. Without one the member signs in with passkeys or the provider."`
}

// OwnMemberPatch changes the caller's own member.
type OwnMemberPatch struct {
	Name     Optional[string]         `json:"name,omitzero" nullable:"false" minLength:"1" maxLength:"100" doc:"Name for people."`
	Password Optional[PasswordChange] `json:"password,omitzero" nullable:"false" doc:"Another password. All other sessions end."`
}

// PasswordChange replaces a password.
type PasswordChange struct {
	Current Optional[string] `json:"current,omitzero" nullable:"false" maxLength:"512" doc:"The password so far; left out if there is none."`
	New     string           `json:"new" minLength:"12" maxLength:"128" doc:"The new password."`
}

// MemberIn invites a member.
type MemberIn struct {
	Email           string               `json:"email" minLength:"3" maxLength:"254" doc:"E-mail address. Nothing is sent to it: hand the link over yourself."`
	Name            Optional[string]     `json:"name,omitzero" nullable:"false" maxLength:"100" doc:"Name. Default: the e-mail address."`
	Role            Optional[MemberRole] `json:"role,omitzero" nullable:"false" enum:"viewer,developer,admin,owner" doc:"What the member may do. Default: viewer."`
	MayReadPayloads Optional[bool]       `json:"mayReadPayloads,omitzero" nullable:"false" doc:"True to show payloads, bodies and answers. Default: true, for viewers false."`
}

// MemberPatch changes some members of a member.
type MemberPatch struct {
	Name            Optional[string]     `json:"name,omitzero" nullable:"false" minLength:"1" maxLength:"100" doc:"Name for people."`
	Role            Optional[MemberRole] `json:"role,omitzero" nullable:"false" enum:"viewer,developer,admin,owner" doc:"What the member may do."`
	MayReadPayloads Optional[bool]       `json:"mayReadPayloads,omitzero" nullable:"false" doc:"True to show payloads, bodies and answers."`
}

// MemberOut is a member.
type MemberOut struct {
	ID              string     `json:"id" doc:"Id of the member."`
	Email           string     `json:"email" doc:"E-mail address, in lower case."`
	Name            string     `json:"name" doc:"Name for people."`
	Role            MemberRole `json:"role" enum:"viewer,developer,admin,owner" doc:"What the member may do."`
	MayReadPayloads bool       `json:"mayReadPayloads" doc:"True if the member sees payloads, bodies and answers."`
	PasswordSet     bool       `json:"passwordSet" doc:"True if the member has a password."`
	ProviderKnown   bool       `json:"providerKnown" doc:"True if the member has signed in by the provider of OpenID Connect."`
	CreatedAt       time.Time  `json:"createdAt" doc:"When the member was invited or made."`
	LastSeenAt      *time.Time `json:"lastSeenAt" doc:"When the member last did something, to the minute; null for never."`
}

// MemberLinkOut is a link that lets a member in once.
type MemberLinkOut struct {
	URL       string    `json:"url" doc:"The link. It is shown this once; a newer one of its kind ends it."`
	ExpiresAt time.Time `json:"expiresAt" doc:"When it ends."`
}

// MemberCreateOut is a new member, and the link for it.
type MemberCreateOut struct {
	Member MemberOut     `json:"member" doc:"The member."`
	Link   MemberLinkOut `json:"link" doc:"The invitation."`
}

// MemberLinkIn asks for a link for a member.
type MemberLinkIn struct {
	Kind Optional[string] `json:"kind,omitzero" nullable:"false" doc:"reset lets the member choose a password, signin signs in; that one only the server's own key can make. Default: reset, and an invitation for who was never here."`
}

// PasskeyBeginOut begins to add a passkey, or to sign in with one.
type PasskeyBeginOut struct {
	Ticket  string          `json:"ticket" doc:"What finish must bring back, within five minutes."`
	Options json.RawMessage `json:"options" doc:"For navigator.credentials.create() or get(), with bytes in base64url: an object with the member publicKey."`
}

// PasskeyFinishIn ends what begin began.
type PasskeyFinishIn struct {
	Ticket     string           `json:"ticket" minLength:"1" maxLength:"128" doc:"As begin gave it."`
	Name       Optional[string] `json:"name,omitzero" nullable:"false" maxLength:"100" doc:"Name for the new passkey. Default: Passkey. A sign-in has none."`
	Credential json.RawMessage  `json:"credential" doc:"What the browser gave, as PublicKeyCredential.toJSON() writes it."`
}

// PasskeyOut is a passkey of the caller.
type PasskeyOut struct {
	ID         string     `json:"id" doc:"Id of the passkey."`
	Name       string     `json:"name" doc:"Name of the passkey."`
	CreatedAt  time.Time  `json:"createdAt" doc:"When it was added."`
	LastUsedAt *time.Time `json:"lastUsedAt" doc:"When it was last used, null for never."`
}

// EnvironmentKind says what an environment is for.
type EnvironmentKind string

// The kinds. The set is closed.
const (
	EnvironmentProduction EnvironmentKind = "production"
	EnvironmentTest       EnvironmentKind = "test"
)

// EnvironmentIn creates an environment.
type EnvironmentIn struct {
	Name string                    `json:"name" minLength:"1" maxLength:"100" doc:"Name for people."`
	Kind Optional[EnvironmentKind] `json:"kind,omitzero" nullable:"false" enum:"production,test" doc:"What it is for: it is shown, and changes nothing else. Default: production."`
}

// EnvironmentPatch changes an environment.
type EnvironmentPatch struct {
	Name Optional[string]          `json:"name,omitzero" nullable:"false" minLength:"1" maxLength:"100" doc:"Name for people."`
	Kind Optional[EnvironmentKind] `json:"kind,omitzero" nullable:"false" enum:"production,test" doc:"What it is for."`
}

// EnvironmentOut is an environment.
type EnvironmentOut struct {
	ID        string          `json:"id" doc:"Id of the environment."`
	Name      string          `json:"name" doc:"Name for people."`
	Kind      EnvironmentKind `json:"kind" enum:"production,test" doc:"What it is for."`
	CreatedAt time.Time       `json:"createdAt" doc:"When it was created."`
}

// ActorKind is what kind of caller did something.
type ActorKind string

// The kinds. The set is closed.
const (
	ActorMember ActorKind = "member"
	ActorKey    ActorKind = "key"
	ActorPortal ActorKind = "portal"
	ActorSystem ActorKind = "system"
)

// AuditActor is who did something, as it was called then.
type AuditActor struct {
	Kind ActorKind `json:"kind" enum:"member,key,portal,system" doc:"A member, an API key, the token of an application's portal, or the server."`
	ID   *string   `json:"id" doc:"Id of the member or key, null for the server."`
	Name string    `json:"name" doc:"E-mail address of the member, name of the key."`
}

// AuditOut says who did what.
type AuditOut struct {
	ID          string     `json:"id" doc:"Id of the entry."`
	At          time.Time  `json:"at" doc:"When it was done, to 1/256 s."`
	Environment *string    `json:"environment" doc:"Id of the environment, null for what belongs to none."`
	Actor       AuditActor `json:"actor" doc:"Who did it."`
	Action      string     `json:"action" doc:"Which operation it was, such as endpoint.rotate-secret."`
	Target      string     `json:"target" doc:"What it was done to: a path below the API's."`
	Address     string     `json:"address" doc:"Address of the caller."`
}
