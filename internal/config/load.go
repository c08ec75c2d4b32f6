package config

import (
	"fmt"
	"os"
	"slices"
	"strings"
)

// maxSecretFile is the most that is read of a secret's file, in bytes.
const maxSecretFile = 4096

// given is one value with the place it came from. Where a secret is given by
// file, text is the path.
type given struct {
	text   string
	origin Origin
	file   bool
}

// loader gathers values; a later source takes the place of an earlier one.
type loader struct {
	env      map[string]string
	defaults map[string]string
	ignoreDB bool
	values   map[string]given // by setting name
	problems []Problem
	warnings []string
}

func newLoader(src Sources) *loader {
	l := &loader{
		env: make(map[string]string), defaults: src.Defaults,
		ignoreDB: src.IgnoreDatabaseURL, values: make(map[string]given),
	}
	for _, pair := range src.Env {
		if name, value, ok := strings.Cut(pair, "="); ok {
			l.env[name] = value
		}
	}
	return l
}

func (l *loader) refuse(where, what, fix string) {
	l.problems = append(l.problems, Problem{Where: where, What: what, Fix: fix})
}

// readEnv takes GRAPNEL_ variables. An empty one counts as not set, as it is
// the only way to unset a variable in many tools.
func (l *loader) readEnv() {
	if url := l.env["DATABASE_URL"]; url != "" && !l.ignoreDB {
		if _, set := l.values["db"]; !set {
			l.values["db"] = given{text: url, origin: "DATABASE_URL"}
		}
	}
	known := make(map[string]bool)
	for _, s := range settings {
		known[s.Env()] = true
		text, inFile := l.env[s.Env()], ""
		if s.Secret {
			known[s.Env()+"_FILE"] = true
			inFile = l.env[s.Env()+"_FILE"]
		}
		switch {
		case text != "" && inFile != "":
			l.refuse(s.Env(), "is set, and so is "+s.Env()+"_FILE", "Unset one of the two.")
		case text != "":
			l.values[s.Name] = given{text: text, origin: Origin(s.Env())}
		case inFile != "":
			l.values[s.Name] = given{text: inFile, origin: Origin(s.Env() + "_FILE"), file: true}
		}
	}
	l.warnOfTypos(known)
}

// warnOfTypos mentions GRAPNEL_ variables that look like a misspelt setting.
// Others are left alone: Kubernetes sets GRAPNEL_PORT and the like by itself
// for a service of that name, and the command line has variables of its own.
func (l *loader) warnOfTypos(known map[string]bool) {
	names := make([]string, 0, len(known))
	for name := range known {
		names = append(names, name)
	}
	slices.Sort(names)
	for name := range l.env {
		if !strings.HasPrefix(name, envPrefix) || known[name] {
			continue
		}
		if near := Nearest(name, names); near != "" && !strings.HasPrefix(name, near) {
			l.warnings = append(l.warnings, fmt.Sprintf("%s is not a setting and has no effect; did you mean %s?", name, near))
		}
	}
	slices.Sort(l.warnings)
}

func (l *loader) readFlags(flags map[string]string) {
	for _, s := range settings {
		if text, ok := flags[s.Flag()]; ok {
			l.values[s.Name] = given{text: text, origin: Origin("--" + s.Flag()), file: s.Secret}
		}
	}
}

// build parses what was gathered.
func (l *loader) build() *Config {
	c := &Config{origins: make(map[string]Origin), Warnings: l.warnings}
	for _, s := range settings {
		v, ok := l.values[s.Name]
		if ok {
			c.origins[s.Name] = v.origin
		} else {
			v = given{text: s.Default, origin: Origin("the default of --" + s.Flag())}
			if d, other := l.defaults[s.Name]; other {
				v.text = d
			}
			if v.text == "" {
				continue
			}
		}
		if v.file {
			text, err := readSecret(v.text)
			if err != nil {
				l.refuse(string(v.origin), err.Error(), "Name a readable file that holds nothing but the secret.")
				continue
			}
			v.text = text
		}
		if err := s.set(c, strings.TrimSpace(v.text)); err != nil {
			l.problems = append(l.problems, problemOf(s, v, err))
		}
	}
	return c
}

func readSecret(path string) (string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", fmt.Errorf("cannot be read: %w", err)
	}
	if info.IsDir() || info.Size() > maxSecretFile {
		return "", fmt.Errorf("%s is a directory or larger than %d bytes", path, maxSecretFile)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return "", fmt.Errorf("cannot be read: %w", err)
	}
	text := strings.TrimSpace(string(b))
	if text == "" {
		return "", fmt.Errorf("%s is empty", path)
	}
	return text, nil
}
