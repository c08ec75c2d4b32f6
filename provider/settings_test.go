package provider_test

import (
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/grapnelhq/grapnel/provider"
)

// settingValues has a usable value for each setting.
var settingValues = map[string]provider.Settings{
	"toleranceSeconds": {Tolerance: time.Minute},
	"generic":          {Generic: &provider.Generic{SignatureHeader: "X"}},
	"verifyToken":      {VerifyToken: "x"},
	"topics":           {Topics: []string{"x"}},
	"confirm":          {Confirm: true},
	"origins":          {Origins: []string{"x"}},
	"rate":             {Rate: 1},
	"webhookId":        {WebhookID: "x"},
	"accountKey":       {AccountKey: "x"},
	"username":         {Username: "x"},
	"header":           {Header: "X"},
	"legacySha1":       {LegacySHA1: true},
	"algorithms":       {Algorithms: []string{"x"}},
	"audience":         {Audience: "x"},
}

func TestEverySettingIsKnownByItsJSONName(t *testing.T) {
	t.Parallel()
	names := []string{"toleranceSeconds"}
	for _, field := range reflect.VisibleFields(reflect.TypeFor[provider.Settings]()) {
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		if name == "" {
			t.Errorf("%s has no name in JSON", field.Name)
		} else if name != "-" {
			names = append(names, name)
		}
	}
	known := provider.SettingNames()
	slices.Sort(names)
	slices.Sort(known)
	if !slices.Equal(names, known) {
		t.Errorf("the struct has %v, the checks know %v", names, known)
	}
	for _, name := range known {
		if _, ok := settingValues[name]; !ok {
			t.Errorf("this test has no value for %s", name)
		}
	}
	for _, p := range provider.List() {
		for _, used := range p.Uses {
			if !slices.Contains(known, used) {
				t.Errorf("%s uses %s, which is no setting", p.Name, used)
			}
		}
	}
}

func TestASettingThatAProviderDoesNotReadIsRefused(t *testing.T) {
	t.Parallel()
	for _, p := range provider.List() {
		for name, s := range settingValues {
			if slices.Contains(p.Uses, name) {
				continue
			}
			_, err := provider.New(p.Name, s, provider.Secret{Value: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"})
			if err == nil || !strings.Contains(err.Error(), name) {
				t.Errorf("%s with %s: %v", p.Name, name, err)
			}
		}
	}
}

func TestSettingsOutOfRangeAreRefused(t *testing.T) {
	t.Parallel()
	for what, c := range map[string]struct {
		name string
		s    provider.Settings
	}{
		"no tolerance at all":   {"stripe", provider.Settings{Tolerance: time.Millisecond}},
		"negative tolerance":    {"stripe", provider.Settings{Tolerance: -time.Second}},
		"tolerance for days":    {"stripe", provider.Settings{Tolerance: 24*time.Hour + time.Second}},
		"half a second":         {"stripe", provider.Settings{Tolerance: 1500 * time.Millisecond}},
		"key with a line end":   {"pusher", provider.Settings{AccountKey: "a\nb"}},
		"key with blanks":       {"pusher", provider.Settings{AccountKey: " a"}},
		"token without end":     {"meta", provider.Settings{VerifyToken: strings.Repeat("x", 2049)}},
		"token of blanks alone": {"meta", provider.Settings{VerifyToken: " "}},
	} {
		if _, err := provider.New(c.name, c.s, provider.Secret{Value: "secret"}); err == nil {
			t.Errorf("%s is accepted", what)
		}
	}
	for _, good := range []time.Duration{time.Second, 24 * time.Hour} {
		if _, err := provider.New("stripe", provider.Settings{Tolerance: good}, provider.Secret{Value: "secret"}); err != nil {
			t.Errorf("%s: %v", good, err)
		}
	}
}

func TestEveryProviderIsDescribedWhole(t *testing.T) {
	t.Parallel()
	before := ""
	for _, p := range provider.List() {
		if p.Name <= before {
			t.Errorf("%s stands after %s", p.Name, before)
		}
		before = p.Name
		if p.Title == "" || p.Scheme == "" || p.SecretHelp == "" || p.Refusal < 400 || p.Refusal > 499 {
			t.Errorf("%s: title %q, scheme %q, help %q, refusal %d", p.Name, p.Title, p.Scheme, p.SecretHelp, p.Refusal)
		}
		if strings.HasSuffix(p.Scheme, ".") || !strings.HasSuffix(p.SecretHelp, ".") {
			t.Errorf("%s: the scheme is a line without a dot, the help has sentences", p.Name)
		}
		if p.Tolerance > 0 != slices.Contains(p.Uses, "toleranceSeconds") {
			t.Errorf("%s: tolerance %s, uses %v", p.Name, p.Tolerance, p.Uses)
		}
		if found, ok := provider.Find(p.Name); !ok || found.Title != p.Title {
			t.Errorf("%s is not found", p.Name)
		}
	}
	if _, ok := provider.Find("nobody"); ok {
		t.Error("nobody is found")
	}
}
