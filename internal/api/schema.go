package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"slices"
	"strconv"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"

	"github.com/grapnelhq/grapnel/internal/hook"
)

// maxFaults is how many misfits of one payload are listed.
const maxFaults = 20

// noLoader refuses every reference that leads out of the schema: saving a schema
// never reads a file or the network.
type noLoader struct{}

// errRemote is what a schema with such a reference is refused with.
var errRemote = errors.New("references to other documents are not followed")

func (noLoader) Load(string) (any, error) { return nil, errRemote }

// compileSchema reads one JSON Schema; without $schema it is draft 7.
func compileSchema(text []byte) (*schema, error) {
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		return nil, errors.New("is not valid JSON")
	}
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft7)
	c.UseLoader(noLoader{})
	steps := new(steps)
	steps.count(c)
	const at = "urn:schema"
	if err := c.AddResource(at, doc); err != nil {
		return nil, schemaFault(err)
	}
	s, err := c.Compile(at)
	if err != nil {
		return nil, schemaFault(err)
	}
	return &schema{compiled: s, steps: steps}, nil
}

// schemaFault says in which part a schema is wrong.
func schemaFault(err error) error {
	var invalid *jsonschema.ValidationError
	switch {
	case errors.Is(err, errRemote):
		return errRemote
	case errors.As(err, &invalid):
		leaf := invalid
		for len(leaf.Causes) > 0 {
			leaf = leaf.Causes[0]
		}
		return errors.New("is not a valid JSON Schema at /" + strings.Join(leaf.InstanceLocation, "/"))
	}
	return errors.New("is not a valid JSON Schema")
}

// schemas checks schemas by version and gives them as they are stored: one JSON
// object; nil for none.
func (k *checker) schemas(byVersion map[string]json.RawMessage) []byte {
	if len(byVersion) == 0 {
		return nil
	}
	for _, version := range sortedVersions(byVersion) {
		if n, err := strconv.Atoi(version); err != nil || n < 1 || strconv.Itoa(n) != version {
			k.bad("the name of a version must be a whole number from 1", "schemas")
			continue
		}
		if !isObject(byVersion[version]) {
			k.bad("must be a JSON Schema, an object", "schemas", version)
		} else if _, err := compileSchema(byVersion[version]); err != nil {
			k.bad(err.Error(), "schemas", version)
		}
	}
	var buf bytes.Buffer
	if err := encode(&buf, byVersion); err != nil {
		k.bad("cannot be stored", "schemas")
	}
	return bytes.TrimSpace(buf.Bytes())
}

// sortedVersions gives the versions from the lowest to the highest.
func sortedVersions(byVersion map[string]json.RawMessage) []string {
	versions := make([]string, 0, len(byVersion))
	for v := range byVersion {
		versions = append(versions, v)
	}
	slices.SortFunc(versions, func(a, b string) int {
		if len(a) != len(b) {
			return len(a) - len(b)
		}
		return strings.Compare(a, b)
	})
	return versions
}

// enforced compiles the schema that payloads of t must fit: that of the highest
// version. Nil: there is none, or it is not enforced.
func enforced(t *hook.EventType) (*schema, error) {
	if !t.EnforceSchema || t.Schemas == nil {
		return nil, nil
	}
	byVersion, err := schemasOut(t)
	if err != nil || len(byVersion) == 0 {
		return nil, err
	}
	versions := sortedVersions(byVersion)
	return compileSchema(byVersion[versions[len(versions)-1]])
}

// misfits lists where the payload does not fit the schema, never what stands there.
func misfits(s *schema, payload []byte) error {
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(payload))
	if err != nil {
		return hook.Invalid("is not JSON, but the event type enforces a schema", "body", "payload")
	}
	err = s.validate(doc, len(payload))
	var invalid *jsonschema.ValidationError
	switch {
	case errors.Is(err, errTooManySteps):
		return hook.Invalid(err.Error(), "body", "payload")
	case !errors.As(err, &invalid):
		return err
	}
	var k checker
	k.addMisfits(invalid, doc)
	return k.err()
}

func (k *checker) addMisfits(e *jsonschema.ValidationError, doc any) {
	for _, cause := range e.Causes {
		k.addMisfits(cause, doc)
	}
	if len(e.Causes) > 0 || len(k.fields) >= maxFaults {
		return
	}
	k.bad(misfit(e.ErrorKind), append([]string{"payload"}, placeIn(doc, e.InstanceLocation)...)...)
}

// placeIn writes positions of lists as [0].
func placeIn(doc any, path []string) []string {
	place := make([]string, 0, len(path))
	for _, step := range path {
		switch at := doc.(type) {
		case []any:
			place = append(place, "["+step+"]")
			if i, err := strconv.Atoi(step); err == nil && i >= 0 && i < len(at) {
				doc = at[i]
			}
		case map[string]any:
			place = append(place, step)
			doc = at[step]
		default:
			place = append(place, step)
		}
	}
	return place
}

// misfit names the keyword of the schema that is not met.
func misfit(k jsonschema.ErrorKind) string {
	switch k := k.(type) {
	case *kind.Required:
		return "lacks " + strings.Join(k.Missing, ", ")
	case *kind.Type:
		return "must be of type " + strings.Join(k.Want, " or ")
	}
	keyword := "false"
	if path := k.KeywordPath(); len(path) > 0 {
		keyword = path[0]
	}
	return "does not fit the `" + keyword + "` of the schema"
}
