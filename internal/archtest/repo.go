// Package archtest holds the rules about the repository itself: who may import whom, how long a file may grow, what must be
// commented, which paths a document may name. Each rule is a function from a Repo to the list of its breaches; the tests run
// every rule on this repository, and each rule once on a small bad one to prove that it bites.
package archtest

import (
	"bytes"
	"context"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"sort"
	"strings"
)

// Module is the import path of the repository's root.
const Module = "github.com/grapnelhq/grapnel"

// Repo is the set of files the rules look at: what git tracks or would track, so build output and scratch files are left out.
type Repo struct {
	// Files maps a path (slash-separated, relative to the root) to the file's bytes.
	Files map[string][]byte

	gos  []*GoFile
	fset *token.FileSet
}

// GoFile is one parsed Go file outside testdata.
type GoFile struct {
	Path string // relative to the root, with slashes
	Dir  string // its folder; "." for the root
	Test bool   // the name ends in _test.go
	AST  *ast.File
}

// Breach is one place where a rule does not hold.
type Breach struct {
	Path string
	Line int // 0 when the breach concerns the whole file
	Text string
}

func (b Breach) String() string {
	if b.Line == 0 {
		return b.Path + ": " + b.Text
	}
	return fmt.Sprintf("%s:%d: %s", b.Path, b.Line, b.Text)
}

// Load reads the repository whose root is the folder root.
func Load(ctx context.Context, root string) (*Repo, error) {
	names, err := list(ctx, root)
	if err != nil {
		return nil, err
	}
	files := make(map[string][]byte)
	for _, name := range names {
		file := filepath.Join(root, filepath.FromSlash(name))
		// A name from the index may be gone from the folder, deleted but not yet committed; and a link has no text of its own.
		if info, err := os.Lstat(file); err != nil || !info.Mode().IsRegular() {
			continue
		}
		if files[name], err = os.ReadFile(file); err != nil {
			return nil, err
		}
	}
	return New(files)
}

// list asks git which files belong to the repository: the tracked ones, and the new ones that .gitignore does not name, so that a
// breach shows before it is committed. In an unpacked source archive, which has no git folder, every file belongs to it.
func list(ctx context.Context, root string) ([]string, error) {
	if _, err := os.Stat(filepath.Join(root, ".git")); err != nil {
		var names []string
		err := fs.WalkDir(os.DirFS(root), ".", func(name string, entry fs.DirEntry, err error) error {
			if entry != nil && entry.Type().IsRegular() {
				names = append(names, name)
			}
			return err
		})
		return names, err
	}
	cmd := exec.CommandContext(ctx, "git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--deduplicate")
	cmd.Dir = root
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("listing the repository's files with git: %w", err)
	}
	return strings.Split(strings.TrimRight(string(out), "\x00"), "\x00"), nil
}

// New makes a Repo of the given files and parses the Go files among them.
func New(files map[string][]byte) (*Repo, error) {
	r := &Repo{Files: files, fset: token.NewFileSet()}
	for _, name := range r.Paths() {
		if path.Ext(name) != ".go" || inTestdata(name) {
			continue
		}
		tree, err := parser.ParseFile(r.fset, name, files[name], parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		r.gos = append(r.gos, &GoFile{Path: name, Dir: path.Dir(name), Test: strings.HasSuffix(name, "_test.go"), AST: tree})
	}
	return r, nil
}

// Paths returns the names of all files in order.
func (r *Repo) Paths() []string {
	names := make([]string, 0, len(r.Files))
	for name := range r.Files {
		names = append(names, name)
	}
	sort.Strings(names)
	return names
}

// has reports whether name is a file of the repository or a folder that holds one.
func (r *Repo) has(name string) bool {
	if _, ok := r.Files[name]; ok || name == "." {
		return true
	}
	for file := range r.Files {
		if strings.HasPrefix(file, name+"/") {
			return true
		}
	}
	return false
}

func (r *Repo) breach(file *GoFile, at token.Pos, format string, args ...any) Breach {
	return Breach{Path: file.Path, Line: r.fset.Position(at).Line, Text: fmt.Sprintf(format, args...)}
}

func inTestdata(name string) bool {
	return strings.HasPrefix(name, "testdata/") || strings.Contains(name, "/testdata/")
}

// isGenerated goes by the name alone: a generated file must be recognisable in a list of files.
func isGenerated(name string) bool {
	return strings.HasSuffix(name, "_gen.go") || strings.Contains(name, ".gen.") || strings.Contains(name, "/dist/")
}

func isBinary(content []byte) bool { return bytes.IndexByte(content, 0) >= 0 }
