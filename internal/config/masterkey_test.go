package config_test

import (
	"strings"
	"testing"

	"github.com/grapnelhq/grapnel/internal/config"
)

func TestTheMasterKeyCanBeSeveralWhileItIsChanged(t *testing.T) {
	t.Parallel()
	const first, second = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", "ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8="
	for _, keys := range []string{first, first + " " + second, second + ",\n" + first} {
		if c := load(t, config.Sources{Env: []string{"GRAPNEL_MASTER_KEY=" + keys}}); c.MasterKey.Reveal() != keys {
			t.Error("the keys were changed")
		}
	}
	for _, keys := range []string{first + " short", first + second, ",", first + " " + strings.Repeat("A", 43) + "="} {
		problem(t, config.Sources{Env: []string{"GRAPNEL_MASTER_KEY=" + keys}})
	}
}
