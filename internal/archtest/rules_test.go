package archtest_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/grapnelhq/grapnel/internal/archtest"
)

// files is a small repository: path to text.
type files map[string]string

// breaches runs a rule on a small repository and returns what it found, one line each.
func breaches(t *testing.T, rule func(*archtest.Repo) []archtest.Breach, repo files) []string {
	t.Helper()
	content := make(map[string][]byte)
	for name, text := range repo {
		content[name] = []byte(text)
	}
	r, err := archtest.New(content)
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, breach := range rule(r) {
		found = append(found, breach.String())
	}
	return found
}

// each runs one rule on named small repositories; want is a part of the one breach expected, "" for none.
func each(t *testing.T, rule func(*archtest.Repo) []archtest.Breach, cases map[string]struct {
	repo files
	want string
}) {
	t.Helper()
	for _, name := range slices.Sorted(maps.Keys(cases)) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := cases[name]
			found := breaches(t, rule, c.repo)
			switch {
			case c.want == "" && len(found) > 0:
				t.Errorf("found %q in a repository that keeps the rule", found)
			case c.want != "" && (len(found) != 1 || !strings.Contains(found[0], c.want)):
				t.Errorf("found %q; want one breach with %q", found, c.want)
			}
		})
	}
}

type cases = map[string]struct {
	repo files
	want string
}

const ours = archtest.Module

func importing(pkg string, targets ...string) string {
	return "package " + pkg + "\n\nimport (\n\t_ \"" + strings.Join(targets, "\"\n\t_ \"") + "\"\n)\n"
}

func TestImportRuleBites(t *testing.T) {
	t.Parallel()
	each(t, archtest.Imports, cases{
		"a sibling":                     {files{"internal/api/a.go": importing("api", ours+"/internal/deliver")}, "internal/api may not import internal/deliver"},
		"an allowed import":             {files{"internal/api/a.go": importing("api", ours+"/internal/hook")}, ""},
		"a package without a line":      {files{"internal/util/a.go": "package util\n"}, "internal/util has no line"},
		"a new folder under a known":    {files{"internal/api/more/a.go": "package more\n"}, "internal/api/more has no line"},
		"the domain writing a file":     {files{"internal/hook/a.go": importing("hook", "os")}, "no I/O, but imports os"},
		"the domain dialling":           {files{"internal/hook/a.go": importing("hook", "net")}, "no I/O, but imports net"},
		"the domain parsing a URL":      {files{"internal/hook/a.go": importing("hook", "net/url", "time")}, ""},
		"the domain with a dependency":  {files{"internal/hook/a.go": importing("hook", "golang.org/x/net/idna")}, "stays on the standard library"},
		"a public package with one":     {files{"webhook/a.go": importing("webhook", "github.com/a/b")}, "stays on the standard library"},
		"a test using the store":        {files{"internal/api/a_test.go": importing("api_test", ours+"/internal/store", ours+"/internal/api")}, ""},
		"a test using another room":     {files{"internal/api/a_test.go": importing("api_test", ours+"/internal/server")}, "may not import internal/server"},
		"code using the test tools":     {files{"internal/api/a.go": importing("api", ours+"/internal/testx")}, "may not import internal/testx"},
		"acceptance seen from outside":  {files{"test/acceptance/a_test.go": importing("acceptance", ours+"/client")}, ""},
		"acceptance seen from inside":   {files{"test/acceptance/a_test.go": importing("acceptance", ours+"/internal/hook")}, "may not import internal/hook"},
		"the command reaching past cli": {files{"cmd/grapnel/main.go": importing("main", ours+"/internal/server")}, "may not import internal/server"},
		"the server wiring a test tool": {files{"internal/server/a.go": importing("server", ours+"/internal/testx")}, "may not import internal/testx"},
	})
}

func TestPackageCommentRuleBites(t *testing.T) {
	t.Parallel()
	each(t, archtest.PackageComments, cases{
		"none":                       {files{"a/a.go": "package a\n", "a/b.go": "package a\n"}, "package a has no package comment"},
		"only on the test":           {files{"a/a.go": "package a\n", "a/a_test.go": "// Package a_test.\npackage a_test\n"}, "a has no package comment"},
		"on one of the files":        {files{"a/a.go": "package a\n", "a/b.go": "// Package a does.\npackage a\n"}, ""},
		"a folder of tests, silent":  {files{"a/a_test.go": "package a_test\n"}, "a has no package comment"},
		"a folder of tests, telling": {files{"a/a_test.go": "// Package a_test tests.\npackage a_test\n"}, ""},
		"testdata":                   {files{"a/testdata/x.go": "package x\n"}, ""},
	})
}

func TestPublicDocRuleBites(t *testing.T) {
	t.Parallel()
	each(t, archtest.PublicDocs, cases{
		"a function":             {files{"client/a.go": "package client\n\nfunc Do() {}\n"}, "exported Do"},
		"a method":               {files{"client/a.go": "package client\n\n// T is.\ntype T[K any] struct{}\n\nfunc (t *T[K]) Do() {}\n"}, "exported Do"},
		"a type":                 {files{"client/a.go": "package client\n\ntype T struct{}\n"}, "exported T"},
		"a type in a group":      {files{"client/a.go": "package client\n\n// Things.\ntype (\n\tT struct{}\n)\n"}, "exported T"},
		"a constant":             {files{"client/a.go": "package client\n\nconst (\n\tA = 1\n\t// B is.\n\tB = 2\n)\n"}, "exported A"},
		"a documented group":     {files{"client/a.go": "package client\n\n// All of them.\nconst (\n\tA = 1\n\tB = 2\n)\n"}, ""},
		"unexported things":      {files{"client/a.go": "package client\n\ntype t struct{}\n\nfunc (t) Do() {}\n\nfunc do() {}\n"}, ""},
		"a package of our own":   {files{"internal/api/a.go": "package api\n\nfunc Do() {}\n"}, ""},
		"a test in a public one": {files{"client/a_test.go": "package client_test\n\nfunc TestDo() {}\n"}, ""},
	})
}

func TestBudgetRuleBites(t *testing.T) {
	t.Parallel()
	lines := func(n int) string { return strings.Repeat("//\n", n) }
	function := func(n int) string { return "package a\n\nfunc f() {\n" + strings.Repeat("\n", n-2) + "}\n" }
	each(t, archtest.Budgets, cases{
		"a file of 801 lines":       {files{"a/a.go": "package a\n" + lines(800)}, "801 lines"},
		"a file of 800 lines":       {files{"a/a.go": "package a\n" + lines(799)}, ""},
		"a style sheet too long":    {files{"web/a.css": lines(801)}, "801 lines"},
		"a generated file":          {files{"a/a_gen.go": "package a\n" + lines(900)}, ""},
		"testdata":                  {files{"a/testdata/a.sql": lines(900)}, ""},
		"a function of 101 lines":   {files{"a/a.go": function(101)}, "function f has 101 lines"},
		"a function of 100 lines":   {files{"a/a.go": function(100)}, ""},
		"a long generated function": {files{"a/a_gen.go": function(300)}, ""},
		"a long document":           {files{"a.md": lines(2000)}, ""},
	})
}

func TestDocPathRuleBites(t *testing.T) {
	t.Parallel()
	doc := func(text string) files {
		return files{"docs/a.md": text, "docs/b.md": "", "internal/api/routes.go": "// Package api.\npackage api\n", ".ci/run": ""}
	}
	each(t, archtest.DocPaths, cases{
		"a file that is gone":     {doc("see `internal/api/gone.go`"), "docs/a.md:1: names internal/api/gone.go"},
		"a folder that is gone":   {doc("see `internal/gone`"), "names internal/gone"},
		"a bare name that is not": {doc("see `gone.md`"), "names gone.md"},
		"a link to nothing":       {doc("see [it](gone.md#part)"), "names gone.md"},
		"two levels up":           {doc("see `../internal/gone.go`"), "names ../internal/gone.go"},
		"relative to the root":    {doc("see `internal/api/routes.go`, `internal/api/` and `./.ci/run`"), ""},
		"relative to the doc":     {doc("see `b.md`, [b](b.md) and `../internal/api`"), ""},
		"commands and globs":      {doc("run `go test ./internal/gone/...` or `make x`, see `internal/*/x.go`"), ""},
		"API paths, types, URLs":  {doc("`/api/v1/app`, `application/json`, `net/http`, `https://example.com/a.md`, [x](https://example.com)"), ""},
		"import paths":            {doc("`modernc.org/sqlite` and `spf13/cobra`"), ""},
		"data of the reader":      {doc("`./.grapnel`, `.grapnel`, `grapnel.yaml`"), ""},
		"a block of code":         {doc("```sh\ncat `internal/gone.go`\n```\n"), ""},
		"after a block of code":   {doc("```sh\n```\n`internal/gone.go`"), "docs/a.md:3"},
	})
}

func TestTextRuleBites(t *testing.T) {
	t.Parallel()
	// The texts are put together here so that this file does not hold them.
	each(t, archtest.Texts, cases{
		"a home folder":          {files{"a.md": "cd /ho" + "me/ann/src"}, "a path of one machine: /ho" + "me/a"},
		"a working folder":       {files{"a.go": "package a\n\nconst p = \"/wo" + "rk/main\"\n"}, "a path of one machine"},
		"a path that only ends":  {files{"a.md": "see docs/ho" + "me/ann"}, ""},
		"a registry in a lock":   {files{"package-lock.json": `"resol` + `ved": "ht` + `tps://x/y.tgz"`}, "a package registry's address"},
		"a registry setting":     {files{"Makefile": "export GOPRO" + "XY=direct"}, "a package registry's setting"},
		"a path outside":         {files{"a.go": "package a\n\n// see sha" + "red/design.md\n"}, "a path outside the repository"},
		"unfinished work":        {files{"a.go": "package a\n\n// TO" + "DO: finish\n"}, "unfinished work"},
		"an unfinished context":  {files{"a.go": "package a\n\nvar c = context.TO" + "DO()\n"}, "unfinished work"},
		"such a word in data":    {files{"a/testdata/x.sql": "-- TO" + "DO"}, ""},
		"such bytes in a binary": {files{"a.png": "\x00/ho" + "me/ann"}, ""},
	})
}

func TestCallRuleBites(t *testing.T) {
	t.Parallel()
	uses := func(pkg, path, expr string) string {
		return "package " + pkg + "\n\nimport \"" + path + "\"\n\nvar _ = func() { " + expr + " }\n"
	}
	each(t, archtest.Calls, cases{
		"exit in a room":            {files{"internal/cli/a.go": uses("cli", "os", "os.Exit(1)")}, "only a command ends the process"},
		"a fatal log in a room":     {files{"internal/cli/a.go": uses("cli", "log", "log.Fatal(1)")}, "only a command ends the process"},
		"exit in the command":       {files{"cmd/grapnel/main.go": uses("main", "os", "os.Exit(1)")}, ""},
		"the clock in the domain":   {files{"internal/hook/a.go": uses("hook", "time", "_ = time.Now()")}, "the clock is not read here"},
		"the clock as a value":      {files{"internal/store/sqlite/a.go": uses("sqlite", "time", "_ = time.Now")}, "the clock is not read here"},
		"the clock by another way":  {files{"internal/hook/a.go": uses("hook", "time", "_ = time.Since(t)")}, "the clock is not read here"},
		"the clock by an alias":     {files{"internal/hook/a.go": "package hook\n\nimport c \"time\"\n\nvar _ = c.Now()\n"}, "the clock is not read here"},
		"the clock in the server":   {files{"internal/server/a.go": uses("server", "time", "_ = time.Now()")}, ""},
		"the clock in a test":       {files{"internal/hook/a_test.go": uses("hook_test", "time", "_ = time.Now()")}, ""},
		"a stopwatch":               {files{"internal/store/sqlite/stopwatch.go": uses("sqlite", "time", "_ = time.Since(t)")}, ""},
		"a stopwatch in the domain": {files{"internal/hook/stopwatch.go": uses("hook", "time", "_ = time.Since(t)")}, "the clock is not read here"},
		"a field of that name":      {files{"internal/hook/a.go": "package hook\n\nvar _ = time.Now\n"}, ""},
		"a skipped test":            {files{"internal/hook/a_test.go": "package hook_test\n\nfunc TestX(t *testing.T) { t.Skip(\"later\") }\n"}, "a test is never skipped"},
		"a skipped fuzz input":      {files{"internal/hook/a_test.go": "package hook_test\n\nfunc FuzzX(f *testing.F) { f.SkipNow() }\n"}, "a test is never skipped"},
	})
}

func TestDependencyRuleBites(t *testing.T) {
	t.Parallel()
	const record = "docs/adr/0010-direct-dependencies.md"
	mod := "module m\n\ngo 1.26\n\nrequire example.com/a v1.0.0\n\nrequire (\n\texample.com/b v1.0.0\n\texample.com/c v1.0.0 // indirect\n)\n\nexclude (\n\texample.com/d v1.0.0\n)\n"
	each(t, archtest.Dependencies, cases{
		"one is missing":   {files{"go.mod": mod, record: "`example.com/a`"}, "go.mod:8: example.com/b has no line"},
		"all are recorded": {files{"go.mod": mod, record: "`example.com/a` and `example.com/b`"}, ""},
	})
}
