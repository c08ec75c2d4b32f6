package archtest

import (
	"bytes"
	"fmt"
	"go/ast"
	"path"
	"slices"
)

// The budgets are walls, not aims: files are written near 200 lines, functions near 12.
const (
	maxFileLines     = 800
	maxFunctionLines = 100
)

// sourceKinds are the endings of files that people write and read as source.
var sourceKinds = []string{".go", ".sql", ".sh", ".ts", ".tsx", ".js", ".mjs", ".css"}

// Budgets reports source files and functions that outgrew their wall. Generated files and testdata have none.
func Budgets(r *Repo) []Breach {
	var found []Breach
	for _, name := range r.Paths() {
		if !slices.Contains(sourceKinds, path.Ext(name)) || isGenerated(name) || inTestdata(name) {
			continue
		}
		if n := bytes.Count(r.Files[name], []byte("\n")); n > maxFileLines {
			found = append(found, Breach{Path: name, Text: fmt.Sprintf("%d lines; a file has at most %d", n, maxFileLines)})
		}
	}
	for _, file := range r.gos {
		if isGenerated(file.Path) {
			continue
		}
		for _, decl := range file.AST.Decls {
			fn, ok := decl.(*ast.FuncDecl)
			if !ok {
				continue
			}
			if n := r.fset.Position(fn.End()).Line - r.fset.Position(fn.Pos()).Line + 1; n > maxFunctionLines {
				found = append(found, r.breach(file, fn.Pos(), "function %s has %d lines; the most is %d", fn.Name.Name, n, maxFunctionLines))
			}
		}
	}
	return found
}
