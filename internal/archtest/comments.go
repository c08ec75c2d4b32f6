package archtest

import (
	"go/ast"
	"go/token"
	"slices"
)

// public are the packages that other people's programs import.
var public = []string{"apitype", "client", "webhook", "provider"}

// PackageComments reports packages that do not say what their one job is. A folder that holds only tests says it in a test file.
func PackageComments(r *Repo) []Breach {
	first := make(map[string]*GoFile)
	told := make(map[string]bool)
	var order []string
	for _, file := range r.gos {
		seen, known := first[file.Dir]
		if !known {
			order = append(order, file.Dir)
		}
		if !known || seen.Test && !file.Test {
			first[file.Dir] = file
		}
	}
	for _, file := range r.gos {
		if file.AST.Doc != nil && file.Test == first[file.Dir].Test {
			told[file.Dir] = true
		}
	}
	var found []Breach
	for _, dir := range order {
		if !told[dir] {
			found = append(found, r.breach(first[dir], first[dir].AST.Package, "package %s has no package comment that says its one job", dir))
		}
	}
	return found
}

// PublicDocs reports exported identifiers of the public packages without a doc comment. In a group of constants or variables the
// group's comment counts for all of them; methods count when their receiver's type is exported.
func PublicDocs(r *Repo) []Breach {
	var found []Breach
	for _, file := range r.gos {
		if file.Test || !slices.Contains(public, file.Dir) {
			continue
		}
		for _, decl := range file.AST.Decls {
			for _, name := range undocumented(decl) {
				found = append(found, r.breach(file, name.Pos(), "exported %s has no doc comment", name.Name))
			}
		}
	}
	return found
}

func undocumented(decl ast.Decl) []*ast.Ident {
	switch d := decl.(type) {
	case *ast.FuncDecl:
		if d.Doc == nil && d.Name.IsExported() && receiverIsExported(d) {
			return []*ast.Ident{d.Name}
		}
	case *ast.GenDecl:
		if d.Doc != nil && (d.Tok != token.TYPE || !d.Lparen.IsValid()) {
			return nil
		}
		var names []*ast.Ident
		for _, spec := range d.Specs {
			names = append(names, undocumentedIn(spec)...)
		}
		return names
	}
	return nil
}

func undocumentedIn(spec ast.Spec) []*ast.Ident {
	switch s := spec.(type) {
	case *ast.TypeSpec:
		if s.Doc == nil && s.Name.IsExported() {
			return []*ast.Ident{s.Name}
		}
	case *ast.ValueSpec:
		if s.Doc == nil && s.Comment == nil {
			return slices.DeleteFunc(slices.Clone(s.Names), func(name *ast.Ident) bool { return !name.IsExported() })
		}
	}
	return nil
}

func receiverIsExported(fn *ast.FuncDecl) bool {
	if fn.Recv == nil || len(fn.Recv.List) == 0 {
		return true
	}
	kind := fn.Recv.List[0].Type
	for {
		switch t := kind.(type) {
		case *ast.StarExpr:
			kind = t.X
		case *ast.IndexExpr:
			kind = t.X
		case *ast.IndexListExpr:
			kind = t.X
		case *ast.Ident:
			return t.IsExported()
		default:
			return false
		}
	}
}
