package hook_test

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/grapnelhq/grapnel/internal/hook"
)

func TestIDTextIsTheLayoutThatTheFieldUses(t *testing.T) {
	t.Parallel()
	var zero, full hook.ID
	for i := range full {
		full[i] = 0xff
	}
	// The bounds of the KSUID layout.
	for id, want := range map[hook.ID]string{
		zero: "msg_000000000000000000000000000",
		full: "msg_aWgEPTl1tmebfsQzFP4bxwgy80V",
	} {
		if got := hook.KindMessage.Format(id); got != want {
			t.Errorf("Format = %s, want %s", got, want)
		}
		if back, err := hook.KindMessage.Parse(want); err != nil || back != id {
			t.Errorf("Parse(%s) = %x, %v", want, back, err)
		}
	}
}

func TestIDsSortByTimeAndTextSortsAsBytes(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	var ids []hook.ID
	for i := range 200 {
		ids = append(ids, hook.NewID(at.Add(time.Duration(i)*4*time.Millisecond)))
	}
	for i := 1; i < len(ids); i++ {
		if bytes.Compare(ids[i-1][:], ids[i][:]) >= 0 {
			t.Fatalf("id %d is not after the one before", i)
		}
		if hook.KindApplication.Format(ids[i-1]) >= hook.KindApplication.Format(ids[i]) {
			t.Fatalf("text of id %d is not after the one before", i)
		}
	}
}

func TestIDTimeSaturatesOutsideItsRange(t *testing.T) {
	t.Parallel()
	early := hook.IDAt(time.Date(1970, 1, 1, 0, 0, 0, 0, time.UTC))
	if !early.IsZero() {
		t.Errorf("an early time gives %x", early)
	}
	late := hook.IDAt(time.Date(2999, 1, 1, 0, 0, 0, 0, time.UTC))
	if !bytes.Equal(late[:5], []byte{255, 255, 255, 255, 255}) {
		t.Errorf("a late time gives %x", late)
	}
}

func TestParseRefusesWhatIsNoIDOfTheKind(t *testing.T) {
	t.Parallel()
	good := hook.KindEndpoint.Format(hook.NewID(time.Unix(1_700_000_000, 0)))
	for _, s := range []string{
		"", "ep_", good[:len(good)-1], good + "0", "app_" + good[3:], strings.ToUpper(good[:3]) + good[3:],
		"ep_zzzzzzzzzzzzzzzzzzzzzzzzzzz", "ep_" + strings.Repeat("-", 27), "ep_" + strings.Repeat("é", 13) + "a",
	} {
		if _, err := hook.KindEndpoint.Parse(s); err == nil {
			t.Errorf("Parse(%q) took it", s)
		}
		if s == "" {
			continue
		}
		if ref := hook.KindEndpoint.ParseRef(s); ref.UID != s || !ref.ID.IsZero() {
			t.Errorf("ParseRef(%q) = %+v, want a uid", s, ref)
		}
	}
}

func TestKindsHaveDistinctPrefixes(t *testing.T) {
	t.Parallel()
	seen := map[hook.Kind]bool{}
	for _, k := range hook.Kinds {
		if seen[k] || !strings.HasSuffix(string(k), "_") {
			t.Errorf("prefix %q", k)
		}
		seen[k] = true
	}
}

func FuzzIDTextRoundTrips(f *testing.F) {
	f.Add([]byte{1, 2, 3}, "msg_2rVnDFlmVQNQhNjWVxcDJRk3wZ1")
	f.Add(bytes.Repeat([]byte{255}, 20), "msg_aWgEPTl1tmebfsQzFP4bxwgy80W")
	f.Fuzz(func(t *testing.T, raw []byte, text string) {
		var id hook.ID
		copy(id[:], raw)
		s := hook.KindMessage.Format(id)
		if back, err := hook.KindMessage.Parse(s); err != nil || back != id {
			t.Fatalf("%x -> %s -> %x, %v", id, s, back, err)
		}
		if id, err := hook.KindMessage.Parse(text); err == nil && hook.KindMessage.Format(id) != text {
			t.Fatalf("%q is not the text of %x", text, id)
		}
	})
}

func FuzzIDTimeKeepsOrder(f *testing.F) {
	f.Add(int64(1_700_000_000), int64(5), int64(1_700_000_000), int64(900_000_000))
	f.Add(int64(-1), int64(0), int64(1<<40), int64(0))
	f.Fuzz(func(t *testing.T, s1, n1, s2, n2 int64) {
		a, b := time.Unix(s1%(1<<40), n1%1_000_000_000), time.Unix(s2%(1<<40), n2%1_000_000_000)
		x, y := hook.IDAt(a), hook.IDAt(b)
		if a.Before(b) && bytes.Compare(x[:], y[:]) > 0 {
			t.Fatalf("%v < %v but %x > %x", a, b, x, y)
		}
		if got := x.Time(); x[0] != 0 && x[0] != 255 && (got.After(a) || a.Sub(got) > 4*time.Millisecond) {
			t.Fatalf("Time of the id of %v is %v", a, got)
		}
	})
}

func BenchmarkFormatID(b *testing.B) {
	id := hook.NewID(time.Unix(1_700_000_000, 0))
	buf := make([]byte, 0, 64)
	b.ReportAllocs()
	for b.Loop() {
		buf = hook.KindMessage.Append(buf[:0], id)
	}
}

func TestErrorCatalogNamesEachCodeOnce(t *testing.T) {
	t.Parallel()
	var seen []hook.Code
	last := 0
	for _, info := range hook.ErrorCatalog {
		if slices.Contains(seen, info.Code) {
			t.Errorf("%s is listed twice", info.Code)
		}
		seen = append(seen, info.Code)
		if info.Status < last || info.Status < 400 || info.Status > 599 {
			t.Errorf("%s: status %d", info.Code, info.Status)
		}
		last = info.Status
		if info.Title == "" || info.Meaning == "" || info.Remedy == "" {
			t.Errorf("%s lacks words", info.Code)
		}
		if got := info.Code.Info(); got != info {
			t.Errorf("Info of %s is %+v", info.Code, got)
		}
	}
}

func TestErrorTellsCodeDetailFieldsAndCause(t *testing.T) {
	t.Parallel()
	e := hook.Unavailable(hook.ErrBadID)
	if e.Code.Info().Status != 503 || !errors.Is(e, hook.ErrBadID) || !strings.Contains(e.Error(), "not a valid id") {
		t.Errorf("%v", e)
	}
	if s := hook.Invalid("must not be empty", "body", "name").Error(); s != "invalid: must not be empty" {
		t.Errorf("Error() = %q", s)
	}
}
