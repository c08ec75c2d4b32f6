package apitype

import "time"

// OneTimeTokenIn exchanges the code of a portal link for a token.
type OneTimeTokenIn struct {
	OneTimeToken string         `json:"oneTimeToken" minLength:"1" maxLength:"128" doc:"The code behind #code= in a portal link."`
	Remember     Optional[bool] `json:"remember,omitzero" nullable:"false" doc:"True to set a cookie by which this browser can renew the token. Only for calls of the portal's own page. Default: false."`
}

// PortalTokenOut is a short token for the portal of one application.
type PortalTokenOut struct {
	Token        string             `json:"token" doc:"The token, for the Authorization header. It ends after an hour at most."`
	ExpiresAt    time.Time          `json:"expiresAt" doc:"When the token ends."`
	EndsAt       time.Time          `json:"endsAt" doc:"When the link ends, and with it every token that is made of it."`
	EnvID        string             `json:"envId" doc:"Id of the environment."`
	AppID        string             `json:"appId" doc:"Id of the application that the token is for."`
	Capabilities []PortalCapability `json:"capabilities" enum:"ViewBase,ViewEndpointSecret,ManageEndpointSecret,ManageTransformations,CreateAttempts,ManageEndpoint" doc:"What the token may do."`
	Renewable    bool               `json:"renewable" doc:"True if this browser holds the cookie to renew the token with."`
}

// PortalMode is which of its two colour schemes the portal shows.
type PortalMode string

// The modes. The set is closed.
const (
	PortalLight  PortalMode = "light"
	PortalDark   PortalMode = "dark"
	PortalSystem PortalMode = "system" // as the reader's device has it
)

// PortalFont is a family of fonts that the portal has with it.
type PortalFont string

// The fonts. The set is closed.
const (
	FontInter  PortalFont = "inter"
	FontSystem PortalFont = "system"
	FontSerif  PortalFont = "serif"
	FontMono   PortalFont = "mono"
)

// PortalPart is a part of the portal that can be hidden. Hiding takes no right away.
type PortalPart string

// The parts. The set is closed.
const (
	PartCatalogue PortalPart = "catalogue"
	PartMessages  PortalPart = "messages"
	PartRecover   PortalPart = "recover"
	PartTest      PortalPart = "test"
	PartChannels  PortalPart = "channels"
	PartHeaders   PortalPart = "headers"
	PartRateLimit PortalPart = "rateLimit"
)

// PortalTexts are sentences of the portal in the operator's own words.
type PortalTexts struct {
	Title   string `json:"title" maxLength:"80" doc:"Heading of the first page. Empty: the portal's own."`
	Welcome string `json:"welcome" maxLength:"500" doc:"Sentence below it. Empty: the portal's own."`
	Support string `json:"support" maxLength:"200" doc:"Words of the link to whoever helps. Empty: no link."`
	// SupportURL is where that link goes.
	SupportURL string `json:"supportUrl" maxLength:"500" doc:"Where that link goes: https or mailto."`
}

// PortalTheme is how the portal of an environment looks.
type PortalTheme struct {
	Name       string       `json:"name" maxLength:"80" doc:"Name of the product, in the portal's head and title."`
	LogoLight  string       `json:"logoLight" maxLength:"65536" doc:"Logo on a light ground: an https URL, or a data URL of an SVG, PNG, JPEG or WebP image. Empty: none."`
	LogoDark   string       `json:"logoDark" maxLength:"65536" doc:"Logo on a dark ground. Empty: that on a light one."`
	Accent     string       `json:"accent" example:"#0b5cad" doc:"Colour of the primary action and of links on a light ground, #rrggbb. Its contrast must be 4.5 at least. Empty: the portal's own."`
	AccentDark string       `json:"accentDark" example:"#6fb1f2" doc:"The same on a dark ground. Empty: the other one, made lighter until its contrast is 4.5."`
	Radius     int          `json:"radius" minimum:"0" maximum:"24" doc:"Radius of corners, in pixels."`
	Font       PortalFont   `json:"font" enum:"inter,system,serif,mono" doc:"Family of fonts."`
	Mode       PortalMode   `json:"mode" enum:"light,dark,system" doc:"Colour scheme."`
	Language   string       `json:"language" doc:"Language, en or de. Empty: that of the reader's browser."`
	Hide       []PortalPart `json:"hide" enum:"catalogue,messages,recover,test,channels,headers,rateLimit" doc:"Parts that are not shown. Hiding takes no right away."`
	Texts      PortalTexts  `json:"texts" doc:"Sentences in the operator's own words."`
}

// SettingsOut are the settings of an environment.
type SettingsOut struct {
	Portal        PortalTheme `json:"portal" doc:"How the portal looks."`
	PortalOrigins []string    `json:"portalOrigins" doc:"Origins of the pages that may show the portal in a frame."`
	UpdatedAt     *time.Time  `json:"updatedAt" doc:"When they were changed last, null for never."`
}

// SettingsPatch changes settings of an environment; what is absent stays as it is.
type SettingsPatch struct {
	Portal        Optional[PortalThemePatch] `json:"portal,omitzero" nullable:"false" doc:"How the portal looks."`
	PortalOrigins Optional[[]string]         `json:"portalOrigins,omitzero" nullable:"false" maxItems:"50" doc:"Origins of the pages that may show the portal in a frame, such as https://app.example.com or https://*.example.com."`
}

// PortalThemePatch changes how the portal looks; what is absent stays as it is, and
// null is the default.
type PortalThemePatch struct {
	Name       Optional[string]       `json:"name,omitzero" maxLength:"80" doc:"Name of the product, in the portal's head and title."`
	LogoLight  Optional[string]       `json:"logoLight,omitzero" maxLength:"65536" doc:"Logo on a light ground: an https URL, or a data URL of an SVG, PNG, JPEG or WebP image."`
	LogoDark   Optional[string]       `json:"logoDark,omitzero" maxLength:"65536" doc:"Logo on a dark ground."`
	Accent     Optional[string]       `json:"accent,omitzero" doc:"Colour on a light ground, #rrggbb, with a contrast of 4.5 at least."`
	AccentDark Optional[string]       `json:"accentDark,omitzero" doc:"Colour on a dark ground, #rrggbb, with a contrast of 4.5 at least."`
	Radius     Optional[int]          `json:"radius,omitzero" minimum:"0" maximum:"24" doc:"Radius of corners, in pixels."`
	Font       Optional[PortalFont]   `json:"font,omitzero" enum:"inter,system,serif,mono" doc:"Family of fonts."`
	Mode       Optional[PortalMode]   `json:"mode,omitzero" enum:"light,dark,system" doc:"Colour scheme."`
	Language   Optional[string]       `json:"language,omitzero" doc:"Language. Empty: that of the reader's browser."`
	Hide       Optional[[]PortalPart] `json:"hide,omitzero" enum:"catalogue,messages,recover,test,channels,headers,rateLimit" doc:"Parts that are not shown."`
	Texts      Optional[PortalTexts]  `json:"texts,omitzero" doc:"Sentences in the operator's own words; all of them are replaced."`
}

// PortalColors are the colours of one scheme, with a contrast of 4.5 at least.
type PortalColors struct {
	Accent   string `json:"accent" doc:"Colour of the primary action and of links."`
	OnAccent string `json:"onAccent" doc:"Colour of text on it."`
}

// PortalConfigOut is what the portal needs to draw itself.
type PortalConfigOut struct {
	Theme        PortalTheme        `json:"theme" doc:"How the portal looks."`
	Light        *PortalColors      `json:"light,omitempty" doc:"Colours on a light ground. Absent for the portal's own."`
	Dark         *PortalColors      `json:"dark,omitempty" doc:"Colours on a dark ground. Absent for the portal's own."`
	EnvID        string             `json:"envId" doc:"Id of the environment."`
	App          ApplicationOut     `json:"app" doc:"The application."`
	Capabilities []PortalCapability `json:"capabilities" enum:"ViewBase,ViewEndpointSecret,ManageEndpointSecret,ManageTransformations,CreateAttempts,ManageEndpoint" doc:"What the token may do."`
	ExpiresAt    *time.Time         `json:"expiresAt" doc:"When the token ends, null for never."`
}
