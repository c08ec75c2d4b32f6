package hook

import "time"

// Settings are what an environment has set for itself. The zero value is what one has
// that never did.
type Settings struct {
	Env    ID          `json:"-"`
	Portal PortalTheme `json:"portal"`
	// PortalOrigins are the origins of pages that may hold the portal in a frame.
	PortalOrigins []string  `json:"portal_origins,omitempty"`
	UpdatedAt     time.Time `json:"updated_at,omitzero"`
}

// PortalTheme is how the portal looks. Empty texts stand for the portal's own.
type PortalTheme struct {
	Name       string   `json:"name,omitempty"`
	LogoLight  string   `json:"logo_light,omitempty"` // an https or data URL
	LogoDark   string   `json:"logo_dark,omitempty"`
	Accent     string   `json:"accent,omitempty"` // #rrggbb, on a light ground
	AccentDark string   `json:"accent_dark,omitempty"`
	Radius     *int     `json:"radius,omitempty"` // pixels; nil: the portal's own
	Font       string   `json:"font,omitempty"`
	Mode       string   `json:"mode,omitempty"`
	Language   string   `json:"language,omitempty"` // empty: the reader's
	Hide       []string `json:"hide,omitempty"`
	// The operator's own words.
	Title      string `json:"title,omitempty"`
	Welcome    string `json:"welcome,omitempty"`
	Support    string `json:"support,omitempty"`
	SupportURL string `json:"support_url,omitempty"`
}

// PortalGrant is what a browser gets a short portal token for: the code of a link,
// which is good for one exchange, or the cookie of a page, which is good until it
// ends. It belongs to the key of the link and is worth nothing without it.
type PortalGrant struct {
	Hash      [32]byte // SHA-256 of the code or the cookie
	Key       ID       // of the link
	Once      bool     // a code
	ExpiresAt time.Time
	UsedAt    time.Time // of a code; zero: not yet
}

// Usable says whether a token can be made of the grant now; k is the key of its link.
// The error has CodeAuthentication.
func (g *PortalGrant) Usable(k *Key, now time.Time) error {
	switch {
	case !g.UsedAt.IsZero():
		return &Error{Code: CodeAuthentication, Detail: "This link was opened already, and each opens once.", Hint: "Ask for a new link where you got this one."}
	case !now.Before(g.ExpiresAt) || !k.Valid(now):
		return &Error{Code: CodeAuthentication, Detail: "This link has ended.", Hint: "Ask for a new link where you got this one."}
	}
	return nil
}
