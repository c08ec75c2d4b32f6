package archtest

import (
	"path"
	"regexp"
	"slices"
	"strings"
)

var (
	inlineCode = regexp.MustCompile("`([^`\n]+)`")
	link       = regexp.MustCompile(`\]\(([^)#\s]+)(?:#[^)\s]*)?\)`)
	pathLike   = regexp.MustCompile(`^(?:\./|(?:\.\./)+)?[A-Za-z0-9._@-]+(?:/[A-Za-z0-9._@-]+)*/?$`)
)

// fileKinds are endings that make a word in backticks the name of a file.
var fileKinds = append([]string{".md", ".yml", ".yaml", ".json", ".jsonl", ".mod", ".sum", ".toml"}, sourceKinds...)

// userFiles are names of files on the reader's machine, not in the repository.
var userFiles = []string{"grapnel.yaml", "grapnel.yml", "package.json"}

// DocPaths reports paths that a document names, in backticks or as a link, and that do not exist, relative to the document or to
// the root. Blocks of code are left alone: they hold commands. A word in backticks counts as a path when its first element is a
// name in the root or when it ends like a file; import paths, API paths and globs are none.
func DocPaths(r *Repo) []Breach {
	var found []Breach
	for _, name := range r.Paths() {
		if path.Ext(name) != ".md" || inTestdata(name) {
			continue
		}
		fenced := false
		for i, line := range strings.Split(string(r.Files[name]), "\n") {
			if strings.HasPrefix(strings.TrimSpace(line), "```") {
				fenced = !fenced
			}
			if fenced {
				continue
			}
			for _, target := range r.namedPaths(line) {
				if !r.has(path.Clean(target)) && !r.has(path.Join(path.Dir(name), target)) {
					found = append(found, Breach{Path: name, Line: i + 1, Text: "names " + target + ", which does not exist"})
				}
			}
		}
	}
	return found
}

func (r *Repo) namedPaths(line string) []string {
	var paths []string
	for _, m := range inlineCode.FindAllStringSubmatch(line, -1) {
		if r.isPath(m[1]) {
			paths = append(paths, m[1])
		}
	}
	for _, m := range link.FindAllStringSubmatch(inlineCode.ReplaceAllString(line, "x"), -1) {
		if !strings.Contains(m[1], ":") {
			paths = append(paths, m[1])
		}
	}
	return paths
}

func (r *Repo) isPath(word string) bool {
	if !pathLike.MatchString(word) || slices.Contains(userFiles, word) {
		return false
	}
	if strings.HasPrefix(word, ".") && strings.HasPrefix(word, "./.") {
		return false // data of the reader, such as ./.grapnel
	}
	base := path.Base(word)
	if slices.Contains(fileKinds, path.Ext(base)) && base != path.Ext(base) {
		return true
	}
	first, _, nested := strings.Cut(strings.TrimPrefix(word, "./"), "/")
	return nested && r.has(first)
}
