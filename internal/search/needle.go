package search

import "strings"

// Needle is a text that is looked for.
type Needle struct {
	Text  string // as it was written
	lower string
}

func newNeedle(text string) Needle { return Needle{Text: text, lower: strings.ToLower(text)} }

// In reports whether one of the texts holds it, in any case of letters.
func (n Needle) In(texts ...string) bool {
	for _, text := range texts {
		if strings.Contains(strings.ToLower(text), n.lower) {
			return true
		}
	}
	return false
}

// Begins reports whether one of the texts begins with it, in any case of letters.
func (n Needle) Begins(texts ...string) bool {
	for _, text := range texts {
		if strings.HasPrefix(strings.ToLower(text), n.lower) {
			return true
		}
	}
	return false
}

// Equals reports whether one of the texts is it.
func (n Needle) Equals(texts ...string) bool {
	for _, text := range texts {
		if text == n.Text {
			return true
		}
	}
	return false
}
