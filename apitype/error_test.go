package apitype_test

import (
	"encoding/json"
	"errors"
	"reflect"
	"testing"

	"github.com/danielgtaylor/huma/v2"

	"github.com/grapnelhq/grapnel/apitype"
)

func TestErrorDetailIsAStringOrAList(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		detail apitype.ErrorDetail
		json   string
		text   string
	}{
		{apitype.ErrorDetail{}, `""`, ""},
		{apitype.ErrorDetail{Text: "No such thing."}, `"No such thing."`, "No such thing."},
		{apitype.ErrorDetail{Items: []apitype.ErrorItem{}}, `[]`, ""},
		{
			apitype.ErrorDetail{Items: []apitype.ErrorItem{
				{Loc: []string{"body", "channels", "[0]"}, Msg: "is empty", Type: "value_error"},
				{Loc: []string{"query", "limit"}, Msg: "is over 250", Type: "value_error"},
			}},
			`[{"loc":["body","channels","[0]"],"msg":"is empty","type":"value_error"},{"loc":["query","limit"],"msg":"is over 250","type":"value_error"}]`,
			"body.channels.[0]: is empty; query.limit: is over 250",
		},
	} {
		b, err := json.Marshal(c.detail)
		if err != nil || string(b) != c.json {
			t.Errorf("%+v is written as %s, %v", c.detail, b, err)
		}
		var back apitype.ErrorDetail
		if err := json.Unmarshal(b, &back); err != nil || !reflect.DeepEqual(back, c.detail) {
			t.Errorf("%s is read as %+v, %v", b, back, err)
		}
		if got := c.detail.String(); got != c.text {
			t.Errorf("%+v as text is %q", c.detail, got)
		}
	}
}

func TestErrorDetailRefusesOtherShapes(t *testing.T) {
	t.Parallel()
	for _, s := range []string{`{}`, `1`, `true`, `["a"]`, `[[]]`} {
		var d apitype.ErrorDetail
		if err := json.Unmarshal([]byte(s), &d); err == nil {
			t.Errorf("%s was read as %+v", s, d)
		}
	}
}

func TestErrorIsAGoError(t *testing.T) {
	t.Parallel()
	var err error = &apitype.Error{Status: 404, Code: "not_found", Detail: apitype.ErrorDetail{Text: "No such endpoint."}}
	var e *apitype.Error
	var answer huma.StatusError
	if !errors.As(err, &e) || !errors.As(err, &answer) || answer.GetStatus() != 404 || err.Error() != "404 not_found: No such endpoint." {
		t.Errorf("got %q", err)
	}
}

func FuzzErrorDetailRoundTrip(f *testing.F) {
	for _, s := range []string{`"x"`, `[]`, `null`, `[{"loc":["body"],"msg":"m","type":"t"}]`, `[{"loc":null}]`, ` [1]`, `{"a":[]}`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		var d, again apitype.ErrorDetail
		if json.Unmarshal([]byte(s), &d) != nil {
			return
		}
		b, err := json.Marshal(d)
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(b, &again); err != nil || !reflect.DeepEqual(d, again) {
			t.Errorf("%q became %+v, then %+v, %v", s, d, again, err)
		}
	})
}
