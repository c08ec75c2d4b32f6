package api_test

import (
	"bytes"
	"encoding/json"
	"os"
	"testing"

	"github.com/grapnelhq/grapnel/internal/api"
)

// The dashboard's types are made from this file, so it must say what the table of routes says.
func TestTheDashboardIsBuiltFromThisOpenAPIDocument(t *testing.T) {
	t.Parallel()
	const at = "../../web/openapi.json"
	var want bytes.Buffer
	must(t, json.Indent(&want, api.OpenAPIDocument("web"), "", " "))
	want.WriteByte('\n')
	if os.Getenv("UPDATE") != "" {
		must(t, os.WriteFile(at, want.Bytes(), 0o644))
	}
	got, err := os.ReadFile(at)
	must(t, err)
	if !bytes.Equal(got, want.Bytes()) {
		t.Error("web/openapi.json is not current: run go generate ./internal/api, then npm run types in web")
	}
}
