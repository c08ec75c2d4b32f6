package move_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/grapnelhq/grapnel/internal/hook"
	"github.com/grapnelhq/grapnel/internal/move"
	"github.com/grapnelhq/grapnel/internal/store"
)

var quiet = slog.New(slog.DiscardHandler)

// history is what a store can hold: an application with endpoints and messages.
func history(endpoints, messages int) []hook.Record {
	env, app, source := id(1), id(2), id(5)
	records := []hook.Record{
		&hook.EnvironmentRecord{ID: env, Name: "first", CreatedAt: noon},
		&hook.ApplicationRecord{ID: app, Env: env, Name: "Acme", CreatedAt: noon, UpdatedAt: noon, Config: 1},
		&hook.ApplicationRecord{ID: source, Env: env, Name: "Shop", CreatedAt: noon, UpdatedAt: noon, Source: true},
	}
	number := func(kind byte, n int) hook.ID {
		id := id(kind)
		id[5], id[6] = byte(n>>8), byte(n)
		return id
	}
	for n := range endpoints {
		records = append(records, &hook.EndpointRecord{ID: number(3, n), App: app, URL: "https://example.com/", Revision: 1,
			Secrets: []hook.SecretRecord{{Sealed: []byte("sealed")}}, CreatedAt: noon, UpdatedAt: noon})
	}
	for n := range endpoints {
		records = append(records, &hook.RevisionRecord{Endpoint: number(3, n), Revision: 1, Since: noon, Config: 1})
	}
	for n := range messages {
		records = append(records, &hook.MessageRecord{ID: number(4, n), App: app, EventType: "a.b", ContentType: "application/json",
			BodySize: 2, Body: []byte("{}"), CreatedAt: noon, Config: 1})
	}
	for n := range messages {
		records = append(records, &hook.DeliveryRecord{Message: number(4, n), Endpoint: number(3, n%endpoints), Due: noon, UpdatedAt: noon})
	}
	return append(records,
		&hook.SourceRecord{ID: source, Env: env, Name: "Shop", Type: "stripe", Secrets: []hook.SecretRecord{{Sealed: []byte("sealed")}},
			Tokens: []hook.TokenRecord{{Hash: bytes.Repeat([]byte{1}, 32), Sealed: []byte("sealed"), CreatedAt: noon}}, CreatedAt: noon, UpdatedAt: noon},
		&hook.RequestRecord{ID: id(6), Source: source, State: hook.RequestRefused, Envelope: &hook.Envelope{Method: "POST"}, Status: 401,
			Fingerprint: bytes.Repeat([]byte{2}, 16), BodySize: 1, Body: []byte{0xff}, ReceivedAt: noon})
}

// restored makes a database of these records.
func restored(t *testing.T, records []hook.Record) (address string) {
	t.Helper()
	address = "sqlite:" + filepath.Join(t.TempDir(), "g.db")
	if err := restore(t, write(t, records), address); err != nil {
		t.Fatal(err)
	}
	return address
}

func restore(t *testing.T, backup []byte, address string) error {
	t.Helper()
	r, err := move.NewReader(bytes.NewReader(backup), nil)
	if err != nil {
		return err
	}
	_, err = move.Restore(t.Context(), r, address, quiet, nil)
	return err
}

// held gives the records of a database as sorted texts.
func held(t *testing.T, address string) (lines []string) {
	t.Helper()
	s, err := store.OpenSource(t.Context(), address, false)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := s.Dump(t.Context(), func(rec hook.Record) error {
		text, err := json.Marshal(rec)
		lines = append(lines, fmt.Sprintf("%s %s", rec.RecordKind(), text))
		return err
	}); err != nil {
		t.Fatal(err)
	}
	slices.Sort(lines)
	return lines
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return !errors.Is(err, fs.ErrNotExist)
}

func TestWhatIsRestoredIsWhatWasBackedUp(t *testing.T) {
	t.Parallel()
	from := restored(t, history(3, 20))
	before := held(t, from)
	file := filepath.Join(t.TempDir(), "b.gz")
	out, size, err := move.Backup(t.Context(), from, file, false, header, nil)
	if err != nil || out.Sums.Total() != int64(len(before)) || size == 0 {
		t.Fatalf("%d records, %d bytes, %v", out.Sums.Total(), size, err)
	}
	backup, err := os.ReadFile(file)
	if err != nil || int64(len(backup)) != size {
		t.Fatalf("%d bytes, %v", len(backup), err)
	}
	to := "sqlite:" + filepath.Join(t.TempDir(), "new", "g.db")
	r, err := move.NewReader(bytes.NewReader(backup), nil)
	if err != nil {
		t.Fatal(err)
	}
	var compared int64
	c, err := move.Restore(t.Context(), r, to, quiet, func(_ move.Kind, n int64) { compared = n })
	if err != nil || !reflect.DeepEqual(c.Source.Sums, out.Sums) || !reflect.DeepEqual(c.Target.Sums, out.Sums) || compared != out.Sums.Total() {
		t.Errorf("%+v, compared %d, %v", c, compared, err)
	}
	if !slices.Equal(held(t, to), before) {
		t.Error("what is there differs")
	}
	if err := restore(t, backup, to); !errors.Is(err, move.ErrNotEmpty) {
		t.Errorf("once more: %v", err)
	}
}

func TestNothingIsRestoredOfABackupThatIsNotWhole(t *testing.T) {
	t.Parallel()
	backup := write(t, history(2, 200))
	lines := text(t, backup)
	for name, damaged := range map[string][]byte{
		"cut off":    backup[:len(backup)-30],
		"a bit":      append(bytes.Clone(backup[:len(backup)/2]), append([]byte{backup[len(backup)/2] ^ 4}, backup[len(backup)/2+1:]...)...),
		"edited":     zipped(t, strings.Replace(lines, "Acme", "Acne", 1)),
		"no trailer": zipped(t, lines[:strings.LastIndex(lines[:len(lines)-1], "\n")+1]),
	} {
		path := filepath.Join(t.TempDir(), "g.db")
		if err := restore(t, damaged, "sqlite:"+path); !errors.Is(err, move.Damaged) && !errors.Is(err, move.CutOff) {
			t.Errorf("%s: %v", name, err)
		}
		if exists(path) || exists(path+".new") {
			t.Errorf("%s: something is there", name)
		}
	}
}

func TestRestoreStopsWhenToldAndLeavesNothing(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "g.db")
	ctx, cancel := context.WithCancel(t.Context())
	r, err := move.NewReader(bytes.NewReader(write(t, history(2, 5000))), func(_ move.Kind, n int64) {
		if n == 6000 {
			cancel()
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := move.Restore(ctx, r, "sqlite:"+path, quiet, nil); err == nil || exists(path) || exists(path+".new") {
		t.Errorf("%v, something is there %t", err, exists(path) || exists(path+".new"))
	}
}

func TestCopyComparesBothSides(t *testing.T) {
	t.Parallel()
	from := restored(t, history(3, 50))
	to := "sqlite:" + filepath.Join(t.TempDir(), "g.db")
	var copied, compared int64
	c, err := move.Copy(t.Context(), from, to, quiet, func(_ move.Kind, n int64) { copied = n }, func(_ move.Kind, n int64) { compared = n })
	if err != nil || copied != 111 || compared != 111 || !reflect.DeepEqual(c.Source.Sums, c.Target.Sums) {
		t.Errorf("copied %d, compared %d, %v", copied, compared, err)
	}
	if !slices.Equal(held(t, to), held(t, from)) {
		t.Error("what is there differs")
	}
	_, err = move.Copy(t.Context(), from, to, quiet, nil, nil)
	if target, ok := errors.AsType[*move.TargetError](err); !ok || !errors.Is(target, move.ErrNotEmpty) {
		t.Errorf("into a database with contents: %v", err)
	}
	_, err = move.Copy(t.Context(), from+"x", to+"y", quiet, nil, nil)
	if _, target := errors.AsType[*move.TargetError](err); target || !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("from nowhere: %v", err)
	}
}

func TestCopyLeavesDatabasesInUseAlone(t *testing.T) {
	t.Parallel()
	from := restored(t, history(1, 1))
	s, err := store.Open(t.Context(), from, store.Options{Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	to := filepath.Join(t.TempDir(), "g.db")
	if _, err := move.Copy(t.Context(), from, "sqlite:"+to, quiet, nil, nil); !errors.Is(err, move.ErrInUse) || exists(to) {
		t.Errorf("%v, a target is there %t", err, exists(to))
	}
}

func TestACopyThatDiffersIsRefused(t *testing.T) {
	t.Parallel()
	records := history(2, 5)
	var out bytes.Buffer
	want, err := move.Write(t.Context(), &out, header, list(records), nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := move.Compare(t.Context(), want, list(records)); err != nil {
		t.Errorf("the same: %v", err)
	}
	changed := slices.Clone(records)
	changed[1] = &hook.ApplicationRecord{ID: id(2), Env: id(1), Name: "Acne", CreatedAt: noon, UpdatedAt: noon}
	for name, other := range map[string]list{"one less": records[1:], "one twice": append(slices.Clone(records), records[0]), "another": changed} {
		if err := move.Compare(t.Context(), want, other); !errors.Is(err, move.Differs) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestMigrateBringsAFileToTheNewestSchema(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "g.db")
	if _, err := move.Migrate(t.Context(), "sqlite:"+path, quiet); !errors.Is(err, fs.ErrNotExist) || exists(path) {
		t.Errorf("no file: %v, there is one now %t", err, exists(path))
	}
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	before, err := move.Migrate(t.Context(), "sqlite:"+path, quiet)
	if err != nil || before.Have != 0 || before.Newest < 1 {
		t.Errorf("%+v, %v", before, err)
	}
	empty := filepath.Join(t.TempDir(), "empty.db")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err = move.Collect(t.Context(), "sqlite:"+empty, move.Retention{}, noon, quiet, nil)
	if schema, ok := errors.AsType[*move.SchemaError](err); !ok || schema.Have != 0 {
		t.Errorf("nothing else migrates: %v", err)
	}
	if after, err := move.SchemaOf(t.Context(), "sqlite:"+path); err != nil || after.Have != after.Newest {
		t.Errorf("%+v, %v", after, err)
	}
}

func TestCollectRemovesWhatIsOldAndGivesTheSpaceBack(t *testing.T) {
	t.Parallel()
	records := history(1, 3000)
	for _, rec := range records {
		if m, ok := rec.(*hook.MessageRecord); ok {
			m.Body = bytes.Repeat([]byte("x"), 4000)
			m.BodySize = len(m.Body)
		}
	}
	address := restored(t, records)
	var told []int
	collect := func(now time.Time) (move.Collected, error) {
		return move.Collect(t.Context(), address, move.Retention{Messages: 24 * time.Hour}, now, quiet, func(r move.Removed) { told = append(told, r.Messages) })
	}
	young, err := collect(noon.Add(time.Hour))
	if err != nil || young.Messages != 0 || young.After < 10<<20 {
		t.Errorf("nothing is old: %+v, %v", young, err)
	}
	old, err := collect(noon.Add(25 * time.Hour))
	if err != nil || old.Messages != 3000 || old.Unsent != 3000 || old.Before < 10<<20 || old.After > 2<<20 {
		t.Errorf("everything is old: %+v, %v", old, err)
	}
	if !slices.IsSorted(told) || told[len(told)-1] != 3000 || len(told) < 3 {
		t.Errorf("told %v", told)
	}
	if _, err := move.Collect(t.Context(), address+"x", move.Retention{}, noon, quiet, nil); !errors.Is(err, fs.ErrNotExist) || exists(strings.TrimPrefix(address, "sqlite:")+"x") {
		t.Errorf("no file: %v", err)
	}
}
