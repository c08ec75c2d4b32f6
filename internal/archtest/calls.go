package archtest

import (
	"go/ast"
	"path"
	"slices"
	"strings"
)

// clockRooms are the packages that may read the clock. Everywhere else the time comes in as a parameter or an injected function,
// so that a test can be at any hour it likes. The public packages default to the real clock for their users; send times the
// phases of a request; server is where the one clock of the product is injected.
//
// To measure how long something took is another matter than to know what time it is. A room that measures does so in a file of
// that name, stopwatchFile; the domain measures nothing.
var clockRooms = []string{"webhook", "provider", "client", "internal/send", "internal/server", "internal/cli", "internal/testx"}

const stopwatchFile = "stopwatch.go"

// calls maps a package name and a selector to the question whether a file may use it, and the reason why others may not.
var calls = []struct {
	pkg   string   // import path
	names []string // its functions
	may   func(*GoFile) bool
	why   string
}{
	{"os", []string{"Exit"}, isCommand, "only a command ends the process; return an error instead"},
	{"syscall", []string{"Exit", "Kill"}, isCommand, "only a command ends the process; return an error instead"},
	{"log", []string{"Fatal", "Fatalf", "Fatalln", "Panic", "Panicf", "Panicln"}, isCommand, "only a command ends the process; return an error instead"},
	{"time", []string{"Now", "Since", "Until"}, mayReadClock, "the clock is not read here; take the time as a parameter or an injected func; to measure, use a " + stopwatchFile},
}

// Calls reports uses of functions that belong to few rooms only: ending the process, reading the clock, skipping a test.
func Calls(r *Repo) []Breach {
	var found []Breach
	for _, file := range r.gos {
		ast.Inspect(file.AST, func(n ast.Node) bool {
			sel, ok := n.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			left, ok := sel.X.(*ast.Ident)
			if !ok {
				return true
			}
			if file.Test && skips(left.Name, sel.Sel.Name) {
				found = append(found, r.breach(file, sel.Pos(), "a test is never skipped: make test brings what it needs"))
			}
			for _, rule := range calls {
				if importedAs(file, rule.pkg) == left.Name && slices.Contains(rule.names, sel.Sel.Name) && !rule.may(file) {
					found = append(found, r.breach(file, sel.Pos(), "%s.%s: %s", left.Name, sel.Sel.Name, rule.why))
				}
			}
			return true
		})
	}
	return found
}

func isCommand(file *GoFile) bool {
	return file.AST.Name.Name == "main" && slices.ContainsFunc([]string{"cmd/", "test/", "examples/"}, func(root string) bool {
		return strings.HasPrefix(file.Dir, root)
	})
}

func mayReadClock(file *GoFile) bool {
	if path.Base(file.Path) == stopwatchFile && file.Dir != "internal/hook" {
		return true
	}
	return file.Test || isCommand(file) || strings.HasPrefix(file.Dir, "test/") || slices.Contains(clockRooms, file.Dir)
}

// skips goes by the customary names of *testing.T, B, F and testing.TB.
func skips(receiver, method string) bool {
	return slices.Contains([]string{"t", "b", "f", "tb"}, receiver) && slices.Contains([]string{"Skip", "Skipf", "SkipNow"}, method)
}

// importedAs returns the name by which the file knows the package, or "" if it does not import it.
func importedAs(file *GoFile, pkg string) string {
	for _, spec := range file.AST.Imports {
		if strings.Trim(spec.Path.Value, `"`) != pkg {
			continue
		}
		if spec.Name != nil {
			return spec.Name.Name
		}
		return pkg[strings.LastIndexByte(pkg, '/')+1:]
	}
	return ""
}
