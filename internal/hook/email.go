package hook

import "strings"

const (
	maxEmail = 254 // RFC 5321, 4.5.3.1.3 without its brackets
	maxLocal = 64  // RFC 5321, 4.5.3.1.1
)

// FoldEmail gives the form in which an e-mail address is compared: without blanks
// around it, in lower case. It reports false for what is none: one @ with something
// plain on both sides.
func FoldEmail(text string) (string, bool) {
	text = strings.ToLower(strings.TrimSpace(text))
	local, domain, _ := strings.Cut(text, "@")
	if len(text) > maxEmail || local == "" || len(local) > maxLocal || domain == "" || strings.Contains(domain, "@") {
		return "", false
	}
	for _, c := range text {
		if c <= ' ' || c == 0x7f || strings.ContainsRune(`<>()[]\,;:"`, c) {
			return "", false
		}
	}
	return text, true
}
