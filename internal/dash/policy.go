package dash

import (
	"net/http"
	"strings"
)

// Policy is what a page may do beyond what all pages may.
type Policy struct {
	// Ancestors are the origins whose pages may hold the page in a frame; none: no
	// page may.
	Ancestors []string
	// Images are the origins of logos, beside the page's own and data URLs.
	Images []string
}

// header gives the Content-Security-Policy. Scripts come from files of the build only:
// there is no inline script, and the nonce is for style elements that libraries add.
func (p Policy) header(nonce string) string {
	ancestors := "'none'"
	if len(p.Ancestors) > 0 {
		ancestors = strings.Join(p.Ancestors, " ")
	}
	images := "'self' data: blob:"
	if len(p.Images) > 0 {
		images += " " + strings.Join(p.Images, " ")
	}
	return "default-src 'none'; script-src 'self'; style-src 'self' 'nonce-" + nonce + "'; img-src " + images +
		"; font-src 'self'; connect-src 'self'; worker-src 'self'; manifest-src 'self'; frame-src 'self' blob:" +
		"; base-uri 'self'; form-action 'self'; frame-ancestors " + ancestors
}

// setPageHeaders sets what every page has.
func setPageHeaders(h http.Header, p Policy, nonce string) {
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Security-Policy", p.header(nonce))
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Permissions-Policy", "accelerometer=(), camera=(), display-capture=(), geolocation=(), gyroscope=(), hid=(), magnetometer=(), microphone=(), midi=(), payment=(), serial=(), usb=()")
	if len(p.Ancestors) == 0 {
		h.Set("X-Frame-Options", "DENY") // for what is older than frame-ancestors
	}
}
