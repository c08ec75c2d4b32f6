package apitype_test

import (
	"encoding/json"
	"errors"
	"go/ast"
	"go/parser"
	"go/printer"
	"go/token"
	"path/filepath"
	"reflect"
	"sort"
	"strings"
	"testing"

	"github.com/grapnelhq/grapnel/apitype"
)

type holder struct {
	Rate apitype.Optional[uint16]   `json:"rate,omitzero"`
	Tags apitype.Optional[[]string] `json:"tags,omitzero"`
}

func TestOptionalTellsAbsentNullAndValueApart(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		in           string
		zero, null   bool
		value        uint16
		has          bool
		tagsHas      bool
		tags         []string
		tagsAreThere bool
	}{
		{in: `{}`, zero: true},
		{in: `{"rate":null}`, null: true},
		{in: `{"rate":0}`, has: true},
		{in: `{"rate":7}`, has: true, value: 7},
		{in: `{"tags":[]}`, zero: true, tagsHas: true, tags: []string{}, tagsAreThere: true},
		{in: `{"tags":["a"]}`, zero: true, tagsHas: true, tags: []string{"a"}, tagsAreThere: true},
		{in: `{"tags":null}`, zero: true, tagsAreThere: true},
	} {
		var h holder
		if err := json.Unmarshal([]byte(c.in), &h); err != nil {
			t.Fatalf("%s: %v", c.in, err)
		}
		v, has := h.Rate.Get()
		if h.Rate.IsZero() != c.zero || h.Rate.IsNull() != c.null || has != c.has || v != c.value {
			t.Errorf("%s: rate: absent %v, null %v, value %d %v", c.in, h.Rate.IsZero(), h.Rate.IsNull(), v, has)
		}
		tags, has := h.Tags.Get()
		if has != c.tagsHas || !reflect.DeepEqual(tags, c.tags) || h.Tags.IsZero() == c.tagsAreThere {
			t.Errorf("%s: tags: %v %v", c.in, tags, has)
		}
		out, err := json.Marshal(h)
		if err != nil || string(out) != c.in {
			t.Errorf("%s came back as %s, %v", c.in, out, err)
		}
	}
}

func TestOptionalForgetsWhatItHeldBefore(t *testing.T) {
	t.Parallel()
	o := apitype.Some("old")
	if err := json.Unmarshal([]byte("null"), &o); err != nil {
		t.Fatal(err)
	}
	if _, has := o.Get(); has || !o.IsNull() || o.Pointer() != nil {
		t.Errorf("after null it still holds %v", o)
	}
}

func TestOptionalLeavesThePathInATypeError(t *testing.T) {
	t.Parallel()
	for in, path := range map[string]string{
		`{"throttleRate":"fast"}`:    "throttleRate",
		`{"throttleRate":70000}`:     "throttleRate",
		`{"metadata":{"a":1}}`:       "metadata",
		`{"eventTypes":["a",{}]}`:    "eventTypes",
		`{"url":7}`:                  "url",
		`{"headers":{"x":{"y":1}}}`:  "headers",
		`{"disabled":"yes","url":1}`: "disabled",
	} {
		var out apitype.EndpointIn
		err := json.Unmarshal([]byte(in), &out)
		var te *json.UnmarshalTypeError
		if !errors.As(err, &te) {
			t.Errorf("%s: %v is no type error", in, err)
			continue
		}
		if te.Field != path {
			t.Errorf("%s: path is %q, want %q", in, te.Field, path)
		}
	}
}

func TestOrPrefersTheNewerNameIfItIsThere(t *testing.T) {
	t.Parallel()
	absent, null := apitype.Optional[int32]{}, apitype.Null[int32]()
	one, two := apitype.Some[int32](1), apitype.Some[int32](2)
	for _, c := range []struct{ newer, older, want apitype.Optional[int32] }{
		{absent, absent, absent}, {absent, null, null}, {absent, two, two},
		{null, absent, null}, {null, two, null},
		{one, absent, one}, {one, null, one}, {one, two, one},
	} {
		if got := c.newer.Or(c.older); got != c.want {
			t.Errorf("%+v.Or(%+v) = %+v", c.newer, c.older, got)
		}
	}
}

func TestPatchKeepsClearsAndReplaces(t *testing.T) {
	t.Parallel()
	old := "old"
	if got := (apitype.Optional[string]{}).Patch(&old); got != &old {
		t.Errorf("absent gave %v", got)
	}
	if got := apitype.Null[string]().Patch(&old); got != nil {
		t.Errorf("null gave %v", *got)
	}
	if got := apitype.Some("new").Patch(&old); got == nil || *got != "new" || old != "old" {
		t.Errorf("a value gave %v", got)
	}
	if got := apitype.Null[string]().Else("def"); got != "def" {
		t.Errorf("null.Else gave %q", got)
	}
	if got := apitype.FromPointer(&old); got != apitype.Some("old") {
		t.Errorf("FromPointer gave %v", got)
	}
	if got := apitype.FromPointer[string](nil); !got.IsNull() {
		t.Errorf("FromPointer(nil) gave %v", got)
	}
}

// Every Optional[X] in the sources must be in OptionalTypes, else the OpenAPI document
// would show it as an object without members.
func TestOptionalTypesIsComplete(t *testing.T) {
	t.Parallel()
	used := map[string]bool{}
	fset, files := parseSources(t)
	for _, f := range files {
		ast.Inspect(f, func(n ast.Node) bool {
			field, ok := n.(*ast.Field)
			if !ok || field.Tag == nil {
				return true
			}
			if x, ok := field.Type.(*ast.IndexExpr); ok {
				var b strings.Builder
				if err := printer.Fprint(&b, fset, x); err != nil {
					t.Fatal(err)
				}
				used[b.String()] = true
			}
			return true
		})
	}
	listed := map[string]bool{}
	for _, o := range apitype.OptionalTypes() {
		if o.Pointer.Kind() != reflect.Pointer {
			t.Errorf("%v is paired with %v, which is no pointer", o.Optional, o.Pointer)
		}
		name := strings.ReplaceAll(o.Pointer.Elem().String(), "apitype.", "")
		name = strings.ReplaceAll(name, "jsontext.Value", "json.RawMessage")
		listed["Optional["+name+"]"] = true
	}
	if got, want := keys(listed), keys(used); !reflect.DeepEqual(got, want) {
		t.Errorf("OptionalTypes lists\n%v\nthe structs use\n%v", got, want)
	}
}

func TestAnInputHasNoEmbeddedStruct(t *testing.T) {
	t.Parallel()
	// encoding/json would put the name of the Go type into the path of a type error.
	for _, p := range inputs {
		for i := range p.ours.NumField() {
			if f := p.ours.Field(i); f.Anonymous {
				t.Errorf("%v embeds %s", p.ours, f.Name)
			}
		}
	}
}

func TestUpdateKeepsEveryMember(t *testing.T) {
	t.Parallel()
	var ep apitype.EndpointIn
	decode(t, `{"url":"u","description":"d","uid":"i","disabled":true,"eventTypes":["a"],"filterTypes":["b"],"channels":["c"],
		"throttleRate":1,"rateLimit":2,"metadata":{"k":"v"},"version":1,"secret":"s","headers":{"h":"v"}}`, &ep)
	var et apitype.EventTypeIn
	decode(t, `{"name":"n","description":"d","archived":true,"deprecated":true,"schemas":{"1":{}},"enforceSchema":true,
		"groupName":"g","featureFlags":["a"],"featureFlag":"b"}`, &et)
	for _, v := range []reflect.Value{reflect.ValueOf(ep.Update()), reflect.ValueOf(et.Update())} {
		for i := range v.NumField() {
			if v.Field(i).IsZero() {
				t.Errorf("%v: %s was lost", v.Type(), v.Type().Field(i).Name)
			}
		}
	}
}

func decode(t *testing.T, s string, into any) {
	t.Helper()
	if err := json.Unmarshal([]byte(s), into); err != nil {
		t.Fatal(err)
	}
}

func FuzzOptionalRoundTrip(f *testing.F) {
	for _, s := range []string{``, `null`, `""`, `"a"`, `"\u0000<&>"`, `1`, `{}`, `[`, ` null`, `"\ud800"`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		var o apitype.Optional[string]
		if err := json.Unmarshal([]byte(s), &o); err != nil {
			return
		}
		b, err := json.Marshal(o)
		if err != nil {
			t.Fatal(err)
		}
		var again apitype.Optional[string]
		if err := json.Unmarshal(b, &again); err != nil {
			t.Fatal(err)
		}
		if o.IsZero() || again != o {
			t.Errorf("%q became %+v, then %+v", s, o, again)
		}
	})
}

func parseSources(t *testing.T) (*token.FileSet, []*ast.File) {
	t.Helper()
	names, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	fset := token.NewFileSet()
	var files []*ast.File
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(fset, name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, f)
	}
	return fset, files
}

func keys(m map[string]bool) []string {
	names := make([]string, 0, len(m))
	for n := range m {
		names = append(names, n)
	}
	sort.Strings(names)
	return names
}
