package listen

import "github.com/grapnelhq/grapnel/internal/hook"

// FormatPlace and ParsePlace are what the tests call of cursors.
func FormatPlace(env hook.ID, before hook.Cursor, after hook.ID) string {
	return place{before, after}.format(env)
}

// ParsePlace gives the parts of a cursor.
func ParsePlace(env hook.ID, text string) (hook.Cursor, hook.ID, error) {
	p, err := parsePlace(env, text)
	return p.before, p.after, err
}

// Pick finds a source by what a person calls it.
var Pick = pick

// ReformatLivePlace reads the id of a live event and writes it again.
func ReformatLivePlace(text string) (string, bool) {
	p, ok := parseLivePlace(text)
	return p.String(), ok
}
