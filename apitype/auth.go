package apitype

import "time"

// PortalCapability is something that a portal token may do.
type PortalCapability string

// The capabilities. The set is closed.
const (
	ViewBase              PortalCapability = "ViewBase"              // read all but secrets
	ViewEndpointSecret    PortalCapability = "ViewEndpointSecret"    // read signing keys
	ManageEndpointSecret  PortalCapability = "ManageEndpointSecret"  // read and rotate signing keys
	ManageTransformations PortalCapability = "ManageTransformations" // change transformations
	CreateAttempts        PortalCapability = "CreateAttempts"        // resend, recover, send examples
	ManageEndpoint        PortalCapability = "ManageEndpoint"        // all of an endpoint
)

// PortalAccessIn asks for a link and a token with which a customer opens the portal
// of one application.
type PortalAccessIn struct {
	Application  Optional[ApplicationIn]      `json:"application,omitzero" doc:"Creates the application if the path names none that exists. Its uid must then equal the path."`
	Capabilities Optional[[]PortalCapability] `json:"capabilities,omitzero" enum:"ViewBase,ViewEndpointSecret,ManageEndpointSecret,ManageTransformations,CreateAttempts,ManageEndpoint" doc:"What the token may do. Default: everything."`
	Expiry       Optional[uint64]             `json:"expiry,omitzero" minimum:"3600" maximum:"604800" doc:"How long the token is valid, in seconds. Default: 604800."`
	FeatureFlags Optional[[]string]           `json:"featureFlags,omitzero" nullable:"false" maxItems:"25" doc:"Flags that show event types which are hidden otherwise."`
	ReadOnly     Optional[bool]               `json:"readOnly,omitzero" deprecated:"true" doc:"True for a token that may only read. Newer: capabilities."`
	SessionID    Optional[string]             `json:"sessionId,omitzero" minLength:"1" maxLength:"64" doc:"Name for the token, by which it can be revoked: letters, digits, and @ _ -"`
}

// PortalAccessOut is a link to the portal and the token in it.
type PortalAccessOut struct {
	URL   string `json:"url" format:"uri" doc:"Opens the portal, signed in."`
	Token string `json:"token" doc:"The token by itself, for calls in the name of the customer."`
}

// TokenExpireIn revokes the portal tokens of an application.
type TokenExpireIn struct {
	Expiry     Optional[int64]    `json:"expiry,omitzero" minimum:"0" maximum:"259200" doc:"In how many seconds they end. Default: 0, at once."`
	SessionIDs Optional[[]string] `json:"sessionIds,omitzero" nullable:"false" maxItems:"1000" doc:"Only tokens with one of these names. Absent or empty: all of the application."`
}

// PermissionSource is the kind of credential behind a request, in the words that
// clients know.
type PermissionSource string

// The sources that clients know. The set is closed; ours are PermissionUnknown to
// them, and WhoamiOut says more in Kind.
const (
	PermissionOIDC     PermissionSource = "OidcJwt"
	PermissionJWT      PermissionSource = "SvixJwt"
	PermissionRegional PermissionSource = "RegionalAuthToken"
	PermissionGlobal   PermissionSource = "GlobalAuthToken"
	PermissionUnknown  PermissionSource = "Unknown"
)

// TokenKind is what a token belongs to.
type TokenKind string

// The kinds of token.
const (
	TokenEnvironment TokenKind = "environment" // an API token
	TokenApplication TokenKind = "application" // a portal token of one application
)

// WhoamiOut says whose token a request carries.
type WhoamiOut struct {
	PermissionSource PermissionSource   `json:"permissionSource" enum:"OidcJwt,SvixJwt,RegionalAuthToken,GlobalAuthToken,Unknown" doc:"Kind of credential, in words that older clients know. Newer: kind."`
	Kind             TokenKind          `json:"kind" enum:"environment,application" doc:"What the token belongs to."`
	EnvID            *string            `json:"envId" doc:"Id of the environment."`
	AppID            *string            `json:"appId" doc:"Id of the application that the token is limited to, null if none."`
	SessionID        *string            `json:"sessionId" doc:"Name that the token was given, null if none."`
	Capabilities     []PortalCapability `json:"capabilities,omitempty" enum:"ViewBase,ViewEndpointSecret,ManageEndpointSecret,ManageTransformations,CreateAttempts,ManageEndpoint" doc:"What a portal token may do."`
	Scopes           []string           `json:"scopes,omitempty" doc:"What an API token is limited to. Absent: it may do everything."`
	ExpiresAt        *time.Time         `json:"expiresAt,omitempty" doc:"When the token ends. Absent: never."`
}

// APITokenIn creates an API token of an environment.
type APITokenIn struct {
	Name   string             `json:"name" minLength:"1" example:"billing service" doc:"Name for people."`
	Scopes Optional[[]string] `json:"scopes,omitzero" minItems:"1" doc:"What the token is limited to. Null or absent: it may do everything."`
}

// APITokenOut is a new API token. It is the only answer that shows the token.
type APITokenOut struct {
	ID        string     `json:"id" example:"key_2vgdKCdXyOEN1WcHxkYAbO6wTzm" doc:"Id of the token, which is not secret."`
	Token     string     `json:"token" doc:"The token. It cannot be read again."`
	Name      *string    `json:"name" doc:"Name for people."`
	Scopes    []string   `json:"scopes" doc:"What the token is limited to, null if it may do everything."`
	CreatedAt time.Time  `json:"createdAt" doc:"When it was created."`
	ExpiresAt *time.Time `json:"expiresAt" doc:"When it ends, null for never."`
}

// APITokenCensoredOut is an API token in a list.
type APITokenCensoredOut struct {
	ID            string     `json:"id" doc:"Id of the token, which is not secret."`
	CensoredToken string     `json:"censoredToken" doc:"The token with its middle left out, to know it by."`
	Name          *string    `json:"name" doc:"Name for people."`
	Scopes        []string   `json:"scopes" doc:"What the token is limited to, null if it may do everything."`
	CreatedAt     time.Time  `json:"createdAt" doc:"When it was created."`
	ExpiresAt     *time.Time `json:"expiresAt" doc:"When it ends, null for never."`
	LastUsedAt    *time.Time `json:"lastUsedAt" doc:"When it was last used, to the minute; null for never."`
}

// APITokenExpireIn ends an API token.
type APITokenExpireIn struct {
	Expiry Optional[int32] `json:"expiry,omitzero" nullable:"false" minimum:"0" maximum:"259200" doc:"In how many seconds it ends. Default: 0, at once."`
}
