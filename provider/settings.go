package provider

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
)

// Bounds of the settings.
const (
	minTolerance = time.Second
	maxTolerance = 24 * time.Hour
	maxEntries   = 100  // of a list
	maxText      = 2048 // bytes of one text
	maxRate      = 1_000_000
)

// fields are the fields of Settings by their names in JSON. Fetch is not among
// them: it is a means, not a choice.
var fields = []struct {
	name  string
	isSet func(*Settings) bool
	check func(*Settings) error
}{
	{"toleranceSeconds", func(s *Settings) bool { return s.Tolerance != 0 }, checkTolerance},
	{"generic", func(s *Settings) bool { return s.Generic != nil }, func(s *Settings) error { return s.Generic.check() }},
	{"verifyToken", func(s *Settings) bool { return s.VerifyToken != "" }, func(s *Settings) error { return checkText(s.VerifyToken) }},
	{"topics", func(s *Settings) bool { return len(s.Topics) > 0 }, func(s *Settings) error { return checkTexts(s.Topics) }},
	{"confirm", func(s *Settings) bool { return s.Confirm }, nil},
	{"origins", func(s *Settings) bool { return len(s.Origins) > 0 }, func(s *Settings) error { return checkTexts(s.Origins) }},
	{"rate", func(s *Settings) bool { return s.Rate != 0 }, checkRate},
	{"webhookId", func(s *Settings) bool { return s.WebhookID != "" }, func(s *Settings) error { return checkText(s.WebhookID) }},
	{"accountKey", func(s *Settings) bool { return s.AccountKey != "" }, func(s *Settings) error { return checkText(s.AccountKey) }},
	{"username", func(s *Settings) bool { return s.Username != "" }, func(s *Settings) error { return checkText(s.Username) }},
	{"header", func(s *Settings) bool { return s.Header != "" }, func(s *Settings) error { return checkHeaderName(s.Header) }},
	{"legacySha1", func(s *Settings) bool { return s.LegacySHA1 }, nil},
	{"algorithms", func(s *Settings) bool { return len(s.Algorithms) > 0 }, func(s *Settings) error { return checkAlgorithms(s.Algorithms) }},
	{"audience", func(s *Settings) bool { return s.Audience != "" }, func(s *Settings) error { return checkText(s.Audience) }},
}

// check refuses settings that the provider does not read and values out of range.
func (p *Provider) check(s *Settings) error {
	for _, field := range fields {
		if !field.isSet(s) {
			continue
		}
		if !slices.Contains(p.Uses, field.name) {
			return fmt.Errorf("%s has no setting %s", p.Title, field.name)
		}
		if field.check == nil {
			continue
		}
		if err := field.check(s); err != nil {
			return fmt.Errorf("setting %s: %w", field.name, err)
		}
	}
	if p.Name == genericName && s.Generic == nil {
		return fmt.Errorf("%s needs the setting generic, the description of the scheme", p.Title)
	}
	if s.Generic != nil && s.Tolerance != 0 && !s.Generic.hasTime() {
		return errors.New("setting toleranceSeconds: the described scheme signs no time")
	}
	return nil
}

func checkTolerance(s *Settings) error {
	switch {
	case s.Tolerance < minTolerance || s.Tolerance > maxTolerance:
		return fmt.Errorf("it is %d to %d seconds", minTolerance/time.Second, maxTolerance/time.Second)
	case s.Tolerance%time.Second != 0:
		return errors.New("it is in whole seconds")
	}
	return nil
}

func checkRate(s *Settings) error {
	if s.Rate < 1 || s.Rate > maxRate {
		return fmt.Errorf("it is 1 to %d requests a minute", maxRate)
	}
	return nil
}

func checkTexts(texts []string) error {
	if len(texts) > maxEntries {
		return fmt.Errorf("it has more than %d entries", maxEntries)
	}
	for _, text := range texts {
		if err := checkText(text); err != nil {
			return err
		}
	}
	return nil
}

func checkText(text string) error {
	switch {
	case text == "" || strings.TrimSpace(text) != text:
		return errors.New("it is empty or has blanks around it")
	case len(text) > maxText:
		return fmt.Errorf("it is longer than %d bytes", maxText)
	case strings.ContainsFunc(text, isControl):
		return errors.New("it has control characters")
	}
	return nil
}

func isControl(r rune) bool { return r < ' ' || r == 0x7f }

// checkHeaderName takes the tokens of RFC 9110.
func checkHeaderName(name string) error {
	if name == "" || len(name) > 100 || strings.ContainsFunc(name, notToken) {
		return errors.New("it is no name of a header")
	}
	return nil
}

func notToken(r rune) bool {
	switch {
	case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9':
		return false
	}
	return !strings.ContainsRune("!#$%&'*+-.^_`|~", r)
}

// settingsJSON is Settings as JSON writes them, with the tolerance in seconds.
type settingsJSON struct {
	ToleranceSeconds int64 `json:"toleranceSeconds,omitempty"`
	*settingsFields
}

// settingsFields has the fields of Settings without its methods.
type settingsFields Settings

// MarshalJSON writes what is set, the tolerance as toleranceSeconds. Fetch is left out.
func (s Settings) MarshalJSON() ([]byte, error) {
	return json.Marshal(settingsJSON{int64(s.Tolerance / time.Second), (*settingsFields)(&s)})
}

// UnmarshalJSON reads what MarshalJSON writes and refuses members that it does not
// know, whatever the decoder around it does.
func (s *Settings) UnmarshalJSON(text []byte) error {
	read := settingsJSON{settingsFields: &settingsFields{}}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&read); err != nil {
		return err
	}
	if read.ToleranceSeconds < 0 || read.ToleranceSeconds > math.MaxInt64/int64(time.Second) {
		return errors.New("toleranceSeconds is out of range")
	}
	read.Tolerance = time.Duration(read.ToleranceSeconds) * time.Second
	read.Fetch = s.Fetch
	*s = Settings(*read.settingsFields)
	return nil
}
