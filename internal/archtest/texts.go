package archtest

import (
	"bytes"
	"path"
	"regexp"
	"slices"
)

// forbidden are texts that no file of the repository may hold. The patterns are spelled so that they do not match themselves.
var forbidden = []struct {
	pattern    *regexp.Regexp
	sourceOnly bool // applies to source files outside testdata
	why        string
}{
	{regexp.MustCompile(`(?:^|[^A-Za-z0-9._~-])/(?:[h]ome|[U]sers)/[a-z]|(?:^|[^A-Za-z0-9._~-])/(?:[r]oot|[w]ork)/`), false, "a path of one machine"},
	{regexp.MustCompile(`\b[a-z.]+\.npmjs\.org\b(?:/[a-z@]+/-/)|registry[.]npm|proxy[.]golang[.]org|sum[.]golang[.]org|"resolved": *"[h]ttp`), false, "a package registry's address"},
	{regexp.MustCompile(`[G]OPROXY *=|[n]pm_config_registry`), false, "a package registry's setting"},
	{regexp.MustCompile(`\b[s]hared/[a-z-]+\.(?:md|json)\b`), false, "a path outside the repository"},
	{regexp.MustCompile(`\b(?:[T]ODO|[F]IXME)\b`), true, "unfinished work; do it, or open an issue and say nothing here"},
}

// Texts reports forbidden texts in every file that is not binary.
func Texts(r *Repo) []Breach {
	var found []Breach
	for _, name := range r.Paths() {
		content := r.Files[name]
		if isBinary(content) {
			continue
		}
		source := slices.Contains(sourceKinds, path.Ext(name)) && !inTestdata(name) && !isGenerated(name)
		for i, line := range bytes.Split(content, []byte("\n")) {
			for _, rule := range forbidden {
				if rule.sourceOnly && !source {
					continue
				}
				if hit := rule.pattern.Find(line); hit != nil {
					found = append(found, Breach{Path: name, Line: i + 1, Text: "holds " + rule.why + ": " + string(bytes.TrimSpace(hit))})
				}
			}
		}
	}
	return found
}
