package api_test

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/grapnelhq/grapnel/internal/api"
)

// document is the OpenAPI document, ready to check answers against.
var document = sync.OnceValue(func() (d struct {
	paths    map[string]any
	compiler *jsonschema.Compiler
	mu       *sync.Mutex
	compiled map[string]*jsonschema.Schema
}) {
	rec := httptest.NewRecorder()
	api.New(api.Deps{Now: time.Now}).Handler().ServeHTTP(rec, httptest.NewRequest(http.MethodGet, "/api/openapi.json", nil))
	doc, err := jsonschema.UnmarshalJSON(rec.Body)
	if err != nil {
		panic(err)
	}
	d.paths, _ = doc.(map[string]any)["paths"].(map[string]any)
	d.compiler = jsonschema.NewCompiler()
	d.compiler.DefaultDraft(jsonschema.Draft2020)
	if err := d.compiler.AddResource("urn:openapi", doc); err != nil {
		panic(err)
	}
	d.mu, d.compiled = new(sync.Mutex), map[string]*jsonschema.Schema{}
	return d
})

// conforms checks an answer against the document that the API publishes about itself.
func conforms(t *testing.T, req *http.Request, a answer) {
	t.Helper()
	template := templateOf(strings.TrimSuffix(req.URL.Path, "/"))
	item, _ := document().paths[template].(map[string]any)
	method := strings.ToLower(req.Method)
	op, documented := item[method].(map[string]any)
	if !documented || a.status == http.StatusInternalServerError {
		return
	}
	status := strconv.Itoa(a.status)
	if a.status >= 400 {
		status = "default"
	}
	responses, _ := op["responses"].(map[string]any)
	response, known := responses[status].(map[string]any)
	if !known {
		t.Fatalf("%s %s answered %d, which its description does not name", method, template, a.status)
	}
	content, hasBody := response["content"].(map[string]any)
	if _, isBytes := content["application/octet-stream"]; isBytes {
		if got := a.header.Get("Content-Type"); got != "application/octet-stream" {
			t.Fatalf("%s %s answered with %s", method, template, got)
		}
		return
	}
	if !hasBody {
		if len(a.body) > 0 {
			t.Fatalf("%s %s answered %d with a body", method, template, a.status)
		}
		return
	}
	at := "urn:openapi#/paths/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(template) + "/" + method +
		"/responses/" + status + "/content/application~1json/schema"
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(a.body))
	if err != nil {
		t.Fatalf("%s %s: %v: %s", method, template, err, a.body)
	}
	if err := schemaAt(at).Validate(value); err != nil {
		t.Fatalf("%s %s does not answer as described: %v\n%s", method, template, err, a.body)
	}
}

func schemaAt(at string) *jsonschema.Schema {
	d := document()
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.compiled[at] == nil {
		d.compiled[at] = d.compiler.MustCompile(strings.NewReplacer("{", "%7B", "}", "%7D").Replace(at))
	}
	return d.compiled[at]
}

// templateOf gives the documented path that a path belongs to.
func templateOf(path string) string {
	best := ""
	for template := range document().paths {
		want, got := strings.Split(template, "/"), strings.Split(path, "/")
		fits := len(want) == len(got)
		for i := 0; fits && i < len(want); i++ {
			fits = strings.HasPrefix(want[i], "{") || want[i] == got[i]
		}
		if fits && (best == "" || strings.Count(template, "{") < strings.Count(best, "{")) {
			best = template
		}
	}
	return best
}
