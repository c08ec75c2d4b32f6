package api

import (
	"errors"
	"sync"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// A schema of a few lines can ask for a number of checks that doubles with each
// of them. What a payload may cost grows with its length, up to a second or so.
const (
	stepsAtLeast = 10_000
	stepsPerByte = 16
	stepsAtMost  = 1_000_000
)

var errTooManySteps = errors.New("needs too many steps to be checked against the schema of its event type")

// schema is a JSON Schema that checks one payload at a time, in a bounded number
// of steps.
type schema struct {
	compiled *jsonschema.Schema
	mu       sync.Mutex // guards steps
	steps    *steps
}

// validate checks a document that was size bytes long. The error is a
// *jsonschema.ValidationError or errTooManySteps.
func (s *schema) validate(doc any, size int) (err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.steps.left = min(stepsAtLeast+stepsPerByte*size, stepsAtMost)
	defer func() {
		// The validator has no other way to be stopped.
		switch p := recover(); p {
		case nil:
		case errTooManySteps:
			err = errTooManySteps
		default:
			panic(p)
		}
	}()
	return s.compiled.Validate(doc)
}

// steps counts down. It is part of every schema object as an unknown keyword would
// be that takes all values.
type steps struct{ left int }

var _ jsonschema.SchemaExt = (*steps)(nil)

// count makes all that is compiled from now on count.
func (s *steps) count(c *jsonschema.Compiler) {
	c.RegisterVocabulary(&jsonschema.Vocabulary{
		URL:     "urn:steps",
		Compile: func(*jsonschema.CompilerContext, map[string]any) (jsonschema.SchemaExt, error) { return s, nil },
	})
	c.AssertVocabs()
}

// Validate takes one step.
func (s *steps) Validate(*jsonschema.ValidatorContext, any) {
	if s.left--; s.left < 0 {
		panic(errTooManySteps)
	}
}
