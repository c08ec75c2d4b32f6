package archtest

import (
	"path"
	"slices"
	"strings"
)

// rooms is the import table of docs/design.md: each package of the repository and what it may import of ours. What is not
// listed is forbidden, and so is a package that has no line here.
var rooms = map[string][]string{
	"apitype":                  {},
	"webhook":                  {},
	"provider":                 {"webhook"},
	"client":                   {"apitype"},
	"cmd/grapnel":              {"internal/cli"},
	"internal/hook":            {},
	"internal/netguard":        {},
	"internal/seal":            {},
	"internal/dash":            {},
	"internal/config":          {},
	"internal/archtest":        {},
	"internal/auth":            {"internal/hook"},
	"internal/store/sqlite":    {"internal/hook"},
	"internal/store/postgres":  {"internal/hook"},
	"internal/store":           {"internal/hook", "internal/store/sqlite", "internal/store/postgres"},
	"internal/store/storetest": {"internal/hook", "internal/store", "internal/testx"},
	"internal/send":            {"internal/hook", "webhook", "internal/netguard"},
	"internal/deliver":         {"internal/hook"},
	"internal/node":            {"internal/hook"},
	"internal/search":          {"internal/hook"},
	"internal/trace":           {"internal/hook"},
	"internal/upkeep":          {"internal/hook"},
	"internal/move":            {"internal/hook", "internal/seal", "internal/store"},
	"internal/ingest":          {"internal/hook", "provider", "webhook"},
	"internal/api":             {"internal/hook", "internal/search", "apitype"},
	"internal/listen":          {"internal/hook", "apitype"},
	"internal/testx":           {"internal/hook", "webhook"},
	"internal/server": {
		"apitype", "webhook", "provider", "client",
		"internal/hook", "internal/netguard", "internal/seal", "internal/dash", "internal/config", "internal/auth",
		"internal/store", "internal/store/sqlite", "internal/store/postgres",
		"internal/send", "internal/deliver", "internal/node", "internal/trace", "internal/upkeep", "internal/ingest", "internal/api", "internal/listen",
	},
	"internal/cli": {"internal/server", "internal/config", "internal/move", "client", "apitype", "webhook", "provider"},
}

// outside is what the programs and tests under test/ may import: the product as its users see it, and the test tools.
var outside = []string{"apitype", "client", "webhook", "provider", "internal/testx", "test/rig"}

// copied is what the examples may import: what their readers can import too, and the package that runs a server for them.
var copied = []string{"apitype", "client", "webhook", "provider", "examples/local"}

// simulated is what the simulation may import besides: it starts the server in a world of its own and reads its store.
var simulated = []string{"internal/config", "internal/hook", "internal/server", "internal/store", "internal/store/sqlite"}

// forTests is what any _test.go file may import beyond its package's own line.
var forTests = []string{"internal/store", "internal/testx", "internal/store/storetest"}

// plain are the packages that import the standard library and nothing else: the domain, and what other people's programs import,
// so that they take on no dependency of ours.
var plain = []string{"apitype", "client", "webhook", "provider", "internal/hook", "internal/seal", "internal/archtest"}

// ioPackages are the parts of the standard library the domain must not import. It decides; it does not read, write or log.
var ioPackages = []string{"database/sql", "io/ioutil", "log", "log/slog", "net", "net/http", "net/smtp", "os", "os/exec", "os/signal", "syscall"}

// Imports holds the import table for every Go file, plus two stricter rules: the plain packages stay on the standard library, and
// internal/hook has no I/O.
func Imports(r *Repo) []Breach {
	var found []Breach
	for _, file := range r.gos {
		allowed, known := mayImport(file)
		if !known {
			found = append(found, r.breach(file, file.AST.Package, "package %s has no line in the import table (internal/archtest/imports.go)", file.Dir))
			continue
		}
		for _, spec := range file.AST.Imports {
			target := strings.Trim(spec.Path.Value, `"`)
			own, ours := strings.CutPrefix(target, Module+"/")
			switch {
			case ours && !slices.Contains(allowed, own):
				found = append(found, r.breach(file, spec.Pos(), "%s may not import %s", file.Dir, own))
			case !ours && !file.Test && isForeign(target) && slices.Contains(plain, file.Dir):
				found = append(found, r.breach(file, spec.Pos(), "%s stays on the standard library, but imports %s", file.Dir, target))
			case !file.Test && file.Dir == "internal/hook" && slices.Contains(ioPackages, target):
				found = append(found, r.breach(file, spec.Pos(), "the domain does no I/O, but imports %s", target))
			}
		}
	}
	return found
}

// mayImport returns the packages of ours that the file may import, and false if its package is not in the table.
func mayImport(file *GoFile) ([]string, bool) {
	if strings.HasPrefix(file.Dir, "test/") {
		allowed := append(slices.Clone(outside), file.Dir)
		switch file.Dir {
		case "test/sim":
			allowed = append(allowed, simulated...)
		case "test/fault/skewed": // the server with a wrong clock
			allowed = append(allowed, "internal/config", "internal/server")
		}
		return allowed, true
	}
	if strings.HasPrefix(file.Dir, "examples/") {
		return copied, true
	}
	row, known := rooms[file.Dir]
	if !file.Test {
		return row, known
	}
	// The external test package imports the package it tests.
	return append(append(slices.Clone(row), forTests...), file.Dir), known
}

// isForeign reports whether an import path belongs to a module: the standard library's first element has no dot.
func isForeign(target string) bool {
	first, _, _ := strings.Cut(target, "/")
	return path.Ext(first) != ""
}
