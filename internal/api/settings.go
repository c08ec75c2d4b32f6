package api

import (
	"context"
	"encoding/base64"
	"fmt"
	"math"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/grapnelhq/grapnel/apitype"
	"github.com/grapnelhq/grapnel/internal/hook"
)

// settingsStore keeps settings of environments. See package store for what each promises.
type settingsStore interface {
	FindSettings(ctx context.Context, env hook.ID) (hook.Settings, error)
	UpdateSettings(ctx context.Context, env hook.ID, change func(*hook.Settings) error) (hook.Settings, error)
}

const (
	maxOrigins    = 50
	maxOrigin     = 253
	maxLogo       = 64 << 10 // bytes
	maxRadius     = 24
	defaultRadius = 6
)

var (
	portalFonts     = []apitype.PortalFont{apitype.FontInter, apitype.FontSystem, apitype.FontSerif, apitype.FontMono}
	portalModes     = []apitype.PortalMode{apitype.PortalLight, apitype.PortalDark, apitype.PortalSystem}
	portalLanguages = []string{"", "en", "de"}
	portalParts     = []apitype.PortalPart{
		apitype.PartCatalogue, apitype.PartMessages, apitype.PartRecover, apitype.PartTest,
		apitype.PartChannels, apitype.PartHeaders, apitype.PartRateLimit,
	}
	logoTypes = []string{"data:image/svg+xml;base64,", "data:image/png;base64,", "data:image/jpeg;base64,", "data:image/webp;base64,"}
)

func getSettings(c *call) (reply, error) {
	s, err := c.Store.FindSettings(c.ctx(), c.key.Env)
	if err != nil {
		return reply{}, err
	}
	return ok(settingsOut(&s))
}

func patchSettings(c *call) (reply, error) {
	in, err := decode[apitype.SettingsPatch](c)
	if err != nil {
		return reply{}, err
	}
	s, err := c.Store.UpdateSettings(c.ctx(), c.key.Env, func(s *hook.Settings) error {
		var k checker
		if origins, given := notNull(&k, in.PortalOrigins, "portalOrigins"); given {
			s.PortalOrigins = k.origins(origins)
		}
		if theme, given := notNull(&k, in.Portal, "portal"); given {
			k.theme(&s.Portal, &theme)
		}
		s.UpdatedAt = c.now
		return k.err()
	})
	if err != nil {
		return reply{}, err
	}
	return ok(settingsOut(&s))
}

func settingsOut(s *hook.Settings) apitype.SettingsOut {
	origins := s.PortalOrigins
	if origins == nil {
		origins = []string{}
	}
	return apitype.SettingsOut{Portal: themeOut(&s.Portal), PortalOrigins: origins, UpdatedAt: timeOut(s.UpdatedAt)}
}

func themeOut(t *hook.PortalTheme) apitype.PortalTheme {
	out := apitype.PortalTheme{
		Name: t.Name, LogoLight: t.LogoLight, LogoDark: t.LogoDark, Accent: t.Accent, AccentDark: t.AccentDark, Radius: defaultRadius,
		Font: apitype.FontInter, Mode: apitype.PortalSystem, Language: t.Language, Hide: make([]apitype.PortalPart, 0, len(t.Hide)),
		Texts: apitype.PortalTexts{Title: t.Title, Welcome: t.Welcome, Support: t.Support, SupportURL: t.SupportURL},
	}
	if t.Radius != nil {
		out.Radius = *t.Radius
	}
	if t.Font != "" {
		out.Font = apitype.PortalFont(t.Font)
	}
	if t.Mode != "" {
		out.Mode = apitype.PortalMode(t.Mode)
	}
	for _, part := range t.Hide {
		out.Hide = append(out.Hide, apitype.PortalPart(part))
	}
	return out
}

// theme brings the changes into t.
func (k *checker) theme(t *hook.PortalTheme, in *apitype.PortalThemePatch) {
	k.line(&t.Name, in.Name, 80, "name")
	k.logo(&t.LogoLight, in.LogoLight, "logoLight")
	k.logo(&t.LogoDark, in.LogoDark, "logoDark")
	k.color(&t.Accent, in.Accent, paperLight, "light", "accent")
	k.color(&t.AccentDark, in.AccentDark, paperDark, "dark", "accentDark")
	if in.Radius.IsNull() {
		t.Radius = nil
	} else if radius, given := in.Radius.Get(); given {
		if radius < 0 || radius > maxRadius {
			k.bad("must be from 0 to 24", "portal", "radius")
		}
		t.Radius = &radius
	}
	oneOf(k, &t.Font, in.Font, portalFonts, "font")
	oneOf(k, &t.Mode, in.Mode, portalModes, "mode")
	oneOf(k, &t.Language, in.Language, portalLanguages, "language")
	if !in.Hide.IsZero() {
		t.Hide = nil
		for i, part := range in.Hide.Else(nil) {
			if !slices.Contains(portalParts, part) {
				k.bad("is not a part of the portal", "portal", "hide", "["+strconv.Itoa(i)+"]")
			}
			if !slices.Contains(t.Hide, string(part)) {
				t.Hide = append(t.Hide, string(part))
			}
		}
	}
	k.texts(t, in.Texts)
}

func (k *checker) texts(t *hook.PortalTheme, in apitype.Optional[apitype.PortalTexts]) {
	if in.IsZero() {
		return
	}
	texts := in.Else(apitype.PortalTexts{})
	k.line(&t.Title, apitype.Some(texts.Title), 80, "texts", "title")
	k.line(&t.Welcome, apitype.Some(texts.Welcome), 500, "texts", "welcome")
	k.line(&t.Support, apitype.Some(texts.Support), 200, "texts", "support")
	k.line(&t.SupportURL, apitype.Some(texts.SupportURL), 500, "texts", "supportUrl")
	u, err := url.Parse(t.SupportURL)
	switch {
	case t.SupportURL == "":
	case err != nil, u.Scheme != "mailto" && (u.Scheme != "https" || u.Host == "" || u.User != nil):
		k.bad("must be an https or mailto URL", "portal", "texts", "supportUrl")
	}
	if (t.Support == "") != (t.SupportURL == "") {
		k.bad("support and supportUrl belong together: give both or neither", "portal", "texts", "support")
	}
}

// line takes a text of one line and at most that many characters.
func (k *checker) line(to *string, in apitype.Optional[string], most int, path ...string) {
	if in.IsZero() {
		return
	}
	text := strings.TrimSpace(in.Else(""))
	path = append([]string{"portal"}, path...)
	switch {
	case utf8.RuneCountInString(text) > most:
		k.bad("must have at most "+strconv.Itoa(most)+" characters", path...)
	case strings.ContainsFunc(text, func(r rune) bool { return unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) }):
		k.bad("must have no control characters", path...)
	}
	*to = text
}

func oneOf[T ~string](k *checker, to *string, in apitype.Optional[T], allowed []T, name string) {
	if in.IsZero() {
		return
	}
	value, given := in.Get()
	if given && !slices.Contains(allowed, value) {
		words := make([]string, 0, len(allowed))
		for _, a := range allowed {
			if a != "" {
				words = append(words, string(a))
			}
		}
		k.bad("must be one of "+strings.Join(words, ", "), "portal", name)
	}
	*to = string(value)
}

// color takes a colour that can be read on its ground.
func (k *checker) color(to *string, in apitype.Optional[string], ground, scheme, name string) {
	if in.IsZero() {
		return
	}
	*to = strings.ToLower(in.Else(""))
	if *to == "" {
		return
	}
	color, ok := parseColor(*to)
	if !ok {
		k.bad("must be a colour of the form #rrggbb", "portal", name)
		return
	}
	paper, _ := parseColor(ground)
	if ratio := contrast(color, paper); ratio < minContrast {
		// Rounded down, so that 4.499 does not read as 4.5.
		k.bad(fmt.Sprintf("has a contrast of %.2f to the %s ground %s, and text needs %.1f", math.Floor(ratio*100)/100, scheme, ground, minContrast), "portal", name)
	}
}

// logo takes an image: an https URL, or a data URL.
func (k *checker) logo(to *string, in apitype.Optional[string], name string) {
	if in.IsZero() {
		return
	}
	*to = strings.TrimSpace(in.Else(""))
	switch {
	case *to == "":
	case len(*to) > maxLogo:
		k.bad("must have at most 64 KiB", "portal", name)
	case strings.HasPrefix(*to, "data:"):
		i := slices.IndexFunc(logoTypes, func(t string) bool { return strings.HasPrefix(*to, t) })
		if i < 0 {
			k.bad("must be an SVG, PNG, JPEG or WebP image in base64, such as "+logoTypes[0]+"…", "portal", name)
		} else if _, err := base64.StdEncoding.DecodeString((*to)[len(logoTypes[i]):]); err != nil {
			k.bad("is not in base64", "portal", name)
		}
	default:
		u, err := url.Parse(*to)
		if err != nil || u.User != nil || !isOrigin(u.Scheme+"://"+u.Host) || u.Scheme != "https" || strings.Contains(u.Host, "*") {
			k.bad("must be an https URL, or a data URL of an image", "portal", name)
		}
	}
}

// origins checks the origins of pages.
func (k *checker) origins(list []string) []string {
	if len(list) > maxOrigins {
		k.bad("must have at most 50 items", "portalOrigins")
		return nil
	}
	var out []string
	for i, origin := range list {
		origin = strings.TrimSuffix(strings.ToLower(strings.TrimSpace(origin)), "/")
		if !isOrigin(origin) {
			k.bad("must be an origin, such as https://app.example.com or https://*.example.com; plain http only for localhost", "portalOrigins", "["+strconv.Itoa(i)+"]")
		}
		if !slices.Contains(out, origin) {
			out = append(out, origin)
		}
	}
	return out
}

// isOrigin reports whether the text is scheme, host and port and nothing else. It
// comes to stand in a policy, where a blank or a semicolon would begin something new.
func isOrigin(text string) bool {
	scheme, host, ok := strings.Cut(text, "://")
	if !ok || len(text) > maxOrigin || host == "" {
		return false
	}
	name, port, hasPort := strings.Cut(host, ":")
	if n, err := strconv.ParseUint(port, 10, 16); hasPort && (err != nil || n == 0) {
		return false
	}
	switch scheme {
	case "https":
	case "http":
		if name != "localhost" && name != "127.0.0.1" && !strings.HasSuffix(name, ".localhost") {
			return false
		}
	default:
		return false
	}
	labels := strings.Split(name, ".")
	if labels[0] == "*" {
		if labels = labels[1:]; len(labels) < 2 {
			return false // as good as everybody
		}
	}
	return !slices.ContainsFunc(labels, func(l string) bool {
		return l == "" || l[0] == '-' || strings.ContainsFunc(l, func(r rune) bool {
			return r != '-' && (r < '0' || r > '9') && (r < 'a' || r > 'z')
		})
	})
}
