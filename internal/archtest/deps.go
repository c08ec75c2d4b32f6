package archtest

import (
	"bufio"
	"bytes"
	"strings"
)

// depsRecord is where each direct dependency says what it saves.
const depsRecord = "docs/adr/0010-direct-dependencies.md"

// Dependencies reports modules that go.mod requires directly and that have no line in ADR 0010.
func Dependencies(r *Repo) []Breach {
	record := string(r.Files[depsRecord])
	var found []Breach
	block := false
	lines := bufio.NewScanner(bytes.NewReader(r.Files["go.mod"]))
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimSpace(lines.Text())
		single, isSingle := strings.CutPrefix(line, "require ")
		switch {
		case line == "require (":
			block = true
			continue
		case line == ")":
			block = false
		case isSingle:
			line = single
		case !block:
			continue
		}
		module, _, ok := strings.Cut(line, " ")
		if ok && !strings.HasSuffix(line, "// indirect") && !strings.Contains(record, "`"+module+"`") {
			found = append(found, Breach{Path: "go.mod", Line: n, Text: module + " has no line in " + depsRecord})
		}
	}
	return found
}
