package cli

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
)

// plainPath matches a path that a shell takes without quotes.
var plainPath = regexp.MustCompile(`^[A-Za-z0-9_./:@%+=-]+$`)

// programName is what a person writes to call this program again: what is
// printed must run as it is. called is how it was called, found whether a shell
// finds grapnel by its name, checkout whether this is the folder of its source.
func programName(called string, found, checkout bool) string {
	const name = "grapnel"
	switch {
	case found:
		return name
	case strings.Contains(called, "go-build"): // made by go run, and gone after it
		if checkout {
			return "go run ./cmd/grapnel"
		}
	case strings.ContainsRune(called, filepath.Separator) && plainPath.MatchString(called):
		return called
	}
	return name
}

// thisProgram is the name of the program that runs.
func thisProgram() string {
	_, missing := exec.LookPath("grapnel")
	_, elsewhere := os.Stat(filepath.Join("cmd", "grapnel", "main.go"))
	return programName(os.Args[0], missing == nil, elsewhere == nil)
}
