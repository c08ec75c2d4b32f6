package api_test

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/grapnelhq/grapnel/internal/hook"
)

// errorsPage writes docs/errors.md from the catalog. The test that holds the page
// to the catalog also writes it, when it is told to.
func errorsPage() []byte {
	var b bytes.Buffer
	b.WriteString(`<!-- Generated from the catalog in internal/hook/error.go by "go generate ./internal/api"; do not edit. -->

# Errors

Every 4xx and 5xx answer of the API is one JSON object:

` + "```json" + `
{
  "code": "not_found",
  "detail": "There is no such endpoint.",
  "title": "Not found",
  "status": 404,
  "hint": "Check the id and that the key belongs to the right environment.",
  "requestId": "5f3a1c02-2s"
}
` + "```" + `

A program decides by ` + "`code`" + `, which never changes its meaning. ` + "`detail`" + ` is a sentence for people; with status 422 it is a list instead,
one entry for each wrong member: ` + "`loc`" + ` is the path of the member (body, query, path or header first; a position in a list is written ` + "`[0]`" + `),
` + "`msg`" + ` says what is wrong with it, and ` + "`type`" + ` is ` + "`value_error`" + `, or ` + "`value_error.jsondecode`" + ` for what cannot be read at all. No answer
repeats the value. ` + "`requestId`" + `, also in the header X-Request-Id, names the request in the server's log.

| Status | Code | What happened | What to do |
| --- | --- | --- | --- |
`)
	for _, info := range hook.ErrorCatalog {
		fmt.Fprintf(&b, "| %d | `%s` | %s | %s |\n", info.Status, info.Code, cell(info.Meaning), cell(info.Remedy))
	}
	return b.Bytes()
}

func cell(s string) string { return strings.ReplaceAll(s, "|", `\|`) }

func TestEveryErrorCodeIsInTheDocument(t *testing.T) {
	t.Parallel()
	const at = "../../docs/errors.md"
	want := errorsPage()
	if os.Getenv("UPDATE") != "" {
		must(t, os.MkdirAll("../../docs", 0o755))
		must(t, os.WriteFile(at, want, 0o644))
	}
	got, err := os.ReadFile(at)
	must(t, err)
	if !bytes.Equal(got, want) {
		t.Error("docs/errors.md is not current: run go generate ./internal/api")
	}
}
