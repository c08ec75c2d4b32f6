package config_test

import (
	"testing"
	"time"

	"github.com/grapnelhq/grapnel/internal/config"
)

func TestUnitsAreReadAndWritten(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]time.Duration{
		"90d": 90 * 24 * time.Hour, "1d12h": 36 * time.Hour, "15s": 15 * time.Second, "500ms": 500 * time.Millisecond,
		"1h30m": 90 * time.Minute, "0s": 0, "0d": 0, "100d": 2400 * time.Hour,
	} {
		if got, err := config.ParseDuration(text); err != nil || got != want {
			t.Errorf("ParseDuration(%q) = %v, %v, want %v", text, got, err, want)
		}
	}
	for text, want := range map[string]config.Size{
		"1048576": config.MiB, "1MiB": config.MiB, "64 KiB": 64 * config.KiB, "5MB": 5e6, "2GiB": 2 * config.GiB, "7B": 7, "1kB": 1000,
	} {
		if got, err := config.ParseSize(text); err != nil || got != want {
			t.Errorf("ParseSize(%q) = %v, %v, want %v", text, got, err, want)
		}
	}
	for d, want := range map[time.Duration]string{
		36 * time.Hour: "1d12h", 90 * time.Second: "1m30s", 25 * time.Millisecond: "25ms", 0: "0s", 90 * 24 * time.Hour: "90d",
	} {
		if got := config.FormatDuration(d); got != want {
			t.Errorf("FormatDuration(%v) = %q, want %q", d, got, want)
		}
	}
}

func FuzzDurationIsReadAsItIsWritten(f *testing.F) {
	for _, seed := range []string{"90d", "1d12h", "5m", "", "d", "-1h", "1d-1h", "99999999999d", "106751d24h", "1dd", "1.5h", "1e3s", "٣d", "+1h"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		d, err := config.ParseDuration(text)
		if err != nil {
			return
		}
		if d < 0 {
			t.Fatalf("ParseDuration(%q) = %v, negative", text, d)
		}
		if again, err := config.ParseDuration(config.FormatDuration(d)); err != nil || again != d {
			t.Fatalf("%q is %v, written %q, read again %v, %v", text, d, config.FormatDuration(d), again, err)
		}
	})
}

func FuzzSizeIsReadAsItIsWritten(f *testing.F) {
	for _, seed := range []string{"1MiB", "1048576", "", "MiB", "-1", "9223372036854775807", "9223372036854775807GiB", "1.5MiB", " 1MiB", "1 MiB"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		n, err := config.ParseSize(text)
		if err != nil {
			return
		}
		if n < 0 {
			t.Fatalf("ParseSize(%q) = %d, negative", text, n)
		}
		if again, err := config.ParseSize(n.String()); err != nil || again != n {
			t.Fatalf("%q is %d, written %q, read again %d, %v", text, n, n, again, err)
		}
	})
}

func FuzzFileNeverPanicsAndErrorsHaveAPlace(f *testing.F) {
	for _, seed := range []string{"listen: ':1'", "a: &a [*a]", "listen: *x", "? [a]: b", "!!binary x: y", "%YAML 1.2\n---\nlisten: ':1'\n...\n---\nb: c", "\x00", "{listen: ':1'}", "listen: |\n  a\n  b"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, p := range config.ReadYAML(text) {
			if p.Where == "" || p.What == "" {
				t.Fatalf("%q: a problem without place or reason: %+v", text, p)
			}
		}
	})
}

func FuzzValuesNeverPanic(f *testing.F) {
	f.Add("allow-net", "10.0.0.0/8")
	f.Add("public-url", "https://example.com/%zz")
	f.Add("egress-proxy", "http://[::1%25eth0]:1")
	f.Add("listen", "[::]:0")
	f.Add("retry-schedule", ",,")
	f.Fuzz(func(_ *testing.T, name, value string) {
		if c, err := config.Load(config.Sources{Flags: map[string]string{name: value}}); err == nil {
			_ = c.String()
		}
	})
}

func TestNearestFindsTyposAndNothingElse(t *testing.T) {
	t.Parallel()
	words := []string{"json", "jsonl", "yaml", "table"}
	for text, want := range map[string]string{"JSON": "json", "jsno": "json", "ymal": "yaml", "tabel": "table", "xml": "", "": ""} {
		if got := config.Nearest(text, words); got != want {
			t.Errorf("Nearest(%q) = %q, want %q", text, got, want)
		}
	}
}
