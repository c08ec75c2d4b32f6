package hook_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/grapnelhq/grapnel/internal/hook"
)

func TestEveryKindOfRecordHasAWordAndAType(t *testing.T) {
	t.Parallel()
	words := map[string]bool{}
	for i, kind := range hook.RecordKinds {
		if int(kind) != i {
			t.Errorf("%s is at place %d of the stream, but is number %d", kind, i, kind)
		}
		rec := hook.NewRecord(kind)
		if rec == nil || rec.RecordKind() != kind || kind.String() == "unknown" || words[kind.String()] {
			t.Errorf("kind %d: %q, %T", kind, kind, rec)
		}
		words[kind.String()] = true
	}
	next := hook.RecordKind(len(hook.RecordKinds))
	if next.String() != "unknown" || hook.NewRecord(next) != nil {
		t.Errorf("RecordKinds lacks %s", next)
	}
}

func TestIDsSurviveTheirText(t *testing.T) {
	t.Parallel()
	for _, id := range []hook.ID{{}, hook.NewID(time.Unix(1_780_000_000, 0)), {19: 1}, hook.ID([]byte(strings.Repeat("\xff", 20)))} {
		text, err := json.Marshal(id)
		if err != nil || len(text) != 29 {
			t.Fatalf("%s, %v", text, err)
		}
		var again hook.ID
		if err := json.Unmarshal(text, &again); err != nil || again != id {
			t.Errorf("%v became %v, %v", id, again, err)
		}
	}
	for _, text := range []string{"", "x", strings.Repeat("z", 27), strings.Repeat("0", 26), strings.Repeat("0", 26) + "-"} {
		var id hook.ID
		if err := id.UnmarshalText([]byte(text)); !errors.Is(err, hook.ErrBadID) {
			t.Errorf("%q: %v, %v", text, id, err)
		}
	}
}

func TestAnotherSchemaSaysWhatToDo(t *testing.T) {
	t.Parallel()
	older, newer := &hook.SchemaError{Have: 1, Newest: 2}, &hook.SchemaError{Have: 3, Newest: 2}
	if !strings.Contains(older.Hint(), "grapnel admin migrate") || strings.Contains(newer.Hint(), "migrate") || older.Error() == newer.Error() {
		t.Errorf("%s: %s\n%s: %s", older, older.Hint(), newer, newer.Hint())
	}
}
