package move_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/grapnelhq/grapnel/internal/hook"
	"github.com/grapnelhq/grapnel/internal/move"
	"github.com/grapnelhq/grapnel/internal/seal"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 123456000, time.UTC)

func id(n byte) (id hook.ID) {
	id = hook.IDAt(noon)
	id[19] = n
	return id
}

// sealed is a value that the returned key has sealed.
func sealed() ([]byte, seal.Key) {
	key, err := seal.Parse(base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{7}, seal.KeySize)))
	if err != nil {
		panic(err)
	}
	ring, err := seal.NewKeyring(key)
	if err != nil {
		panic(err)
	}
	return ring.Seal([]byte("whsec_x"), nil), key
}

// oneOfEach has a record of each kind with every field set, and then one with
// as few as there can be.
func oneOfEach() []hook.Record {
	secret, _ := sealed()
	hash := bytes.Repeat([]byte{9}, 32)
	words, meta := []string{"a", "b\x00\u2028<>&"}, map[string]string{"z": "1", "a": "ü"}
	return []hook.Record{
		&hook.EnvironmentRecord{ID: id(1), Name: "first", CreatedAt: noon},
		&hook.KeyRecord{ID: id(2), Env: id(1), App: id(3), Hash: hash, Name: "k", CensoredText: "gk_…x", Scopes: words,
			SessionID: "s", FeatureFlags: words, CreatedAt: noon, ExpiresAt: noon, LastUsedAt: noon},
		&hook.KeyRecord{ID: id(20), Env: id(1), Hash: hash, CreatedAt: noon},
		&hook.ApplicationRecord{ID: id(3), Env: id(1), UID: "acme", Name: "Acme", ThrottleRate: 5, Metadata: meta,
			CreatedAt: noon, UpdatedAt: noon, DeletedAt: noon, Source: true, Config: 12},
		&hook.ApplicationRecord{ID: id(30), Env: id(1), CreatedAt: noon, UpdatedAt: noon},
		&hook.EventTypeRecord{ID: id(4), Env: id(1), Name: "a.b", Description: "d", GroupName: "g", Archived: true, Deprecated: true,
			FeatureFlags: words, Schemas: []byte(`{"1":{}}`), EnforceSchema: true, CreatedAt: noon, UpdatedAt: noon},
		&hook.EndpointRecord{ID: id(5), App: id(3), UID: "e", Description: "d", URL: "https://example.com/", EventTypes: words, Channels: words,
			ThrottleRate: 3, Metadata: meta, FeatureFlags: words, SealedHeaders: secret,
			Secrets: []hook.SecretRecord{{Sealed: secret}, {Sealed: secret, ExpiresAt: noon}}, DisabledReason: hook.DisabledByGone,
			DisabledAt: noon, FailingSince: noon, Revision: 7, CreatedAt: noon, UpdatedAt: noon, DeletedAt: noon},
		&hook.RevisionRecord{Endpoint: id(5), Revision: 7, EventTypes: words, Channels: words, Disabled: true, Since: noon, Config: 11},
		&hook.MessageRecord{ID: id(6), App: id(3), EventType: "a.b", EventID: "e1", Channels: words, Tags: words, ContentType: "text/plain",
			BodySize: 4, CreatedAt: noon, DeliverAt: noon, BodyExpiresAt: noon, Body: []byte{0, 0xff, '\n', '"'}, Config: -3,
			Envelope: &hook.Envelope{Method: "POST", Path: "/p", Query: "\xff", Headers: []hook.HeaderLine{{"A", "\x00ü\xff"}}, Forward: words}},
		&hook.MessageRecord{ID: id(60), App: id(3), BodySize: 0, CreatedAt: noon, Body: []byte{}},
		&hook.MessageRecord{ID: id(61), App: id(3), BodySize: 9, CreatedAt: noon},
		&hook.DeliveryRecord{Message: id(6), Endpoint: id(5), State: hook.Canceled, Reason: hook.ReasonByUser, Attempts: 2, Step: 1, Manual: true,
			Retry: true, Due: noon, AutoDue: noon, LastStatus: 500, UpdatedAt: noon},
		&hook.AttemptRecord{ID: id(7), Message: id(6), Endpoint: id(5), Number: 2, Trigger: hook.TriggerManual, URL: "https://example.com/",
			Class: hook.FailBody, Status: 599, Detail: "d", StartedAt: noon,
			Timings: hook.TimingsRecord{Queue: 1000, DNS: 2000, Connect: 3000, TLS: 4000, FirstByte: 5000, Body: 6000, Total: 7000}, NextDue: noon, Response: []byte("no"), ResponseHeaders: []byte(`{}`), RequestHeaders: []byte(`{"a":"b"}`)},
		&hook.AttemptRecord{ID: id(70), Message: id(6), Endpoint: id(5), StartedAt: noon},
		&hook.IdempotencyRecord{Env: id(1), Hash: hash[:16], Fingerprint: hash[:16], Object: id(6), ExpiresAt: noon, Auto: true},
		&hook.TaskRecord{ID: id(8), Env: id(1), App: id(3), Endpoint: id(5), Kind: hook.TaskRecover, Status: hook.TaskRunning, Since: noon,
			Until: noon, Cursor: id(6), Queued: 4, Canceled: true, Rate: 5, Total: 6, CreatedAt: noon, UpdatedAt: noon},
		&hook.RollupRecord{Endpoint: id(5), Hour: noon.Truncate(time.Hour), ByClass: [13]int64{1, 12: 2}, Took: [hook.TookCells]int64{3, 47: 4}},
		&hook.SourceRecord{ID: id(3), Env: id(1), UID: "shop", Name: "Shop", Type: "stripe", Metadata: meta,
			Settings: hook.SourceSettings{Verification: []byte(`{"a":"b"}`), Rate: 4}, Secrets: []hook.SecretRecord{{Sealed: secret}},
			Tokens: []hook.TokenRecord{{Hash: hash, Sealed: secret, CreatedAt: noon, ExpiresAt: noon}}, Disabled: true, NextFire: noon,
			CreatedAt: noon, UpdatedAt: noon},
		&hook.RequestRecord{ID: id(9), Source: id(3), State: hook.RequestDiffers, Reason: "verified", Detail: "d", Findings: []byte(`[]`),
			Envelope: &hook.Envelope{Method: "PUT", Headers: []hook.HeaderLine{{"A", "\xff"}}}, Remote: "192.0.2.1", EventType: "t", Key: "k",
			Message: id(6), Fingerprint: hash[:16], Status: 200, ContentType: "text/plain", BodySize: 2, Body: []byte{0, 0xff},
			ReceivedAt: noon, Note: "n"},
		&hook.RequestRecord{ID: id(90), Source: id(3), Message: id(6), Fingerprint: hash[:16], ReceivedAt: noon},
		&hook.TrafficRecord{Env: id(1), Start: noon, Accepted: 7, ByClass: [13]int64{1, 12: 2}, Took: [hook.TookCells]int64{3, 47: 4},
			Delay: hook.Delays{5, 47: 6}},
		&hook.IssueRecord{ID: id(10), Env: id(1), Endpoint: id(5), Class: hook.FailStatus5xx, Status: 503, FirstSeen: noon, LastSeen: noon,
			Attempts: 3, Message: id(6), Attempt: id(7), State: hook.IssueMuted, MutedUntil: noon, ResolvedAt: noon, HealedAt: noon, Note: "n",
			Assignee: "a"},
		&hook.MemberRecord{ID: id(11), Email: "ada@example.com", Name: "Ada", Role: hook.RoleOwner, MayReadPayloads: true, Password: "$argon2id$x",
			Subject: "s", CreatedAt: noon, UpdatedAt: noon, SeenAt: noon},
		&hook.MemberRecord{ID: id(110), Email: "b@example.com", Role: hook.RoleViewer, CreatedAt: noon, UpdatedAt: noon},
		&hook.PasskeyRecord{ID: id(12), Member: id(11), Credential: []byte{0, 0xff}, Name: "k", Data: []byte("{}"), CreatedAt: noon, UsedAt: noon},
		&hook.AuditRecord{ID: id(13), Env: id(1), Actor: hook.ActorMember, ActorID: id(11), Name: "ada@example.com", Action: "a", Target: "/t",
			Address: netip.MustParseAddr("192.0.2.1")},
		&hook.AuditRecord{ID: id(130), Actor: hook.ActorSystem},
	}
}

// list is a source of these records.
type list []hook.Record

func (l list) Dump(_ context.Context, emit func(hook.Record) error) error {
	for _, rec := range l {
		if err := emit(rec); err != nil {
			return err
		}
	}
	return nil
}

var header = move.Header{MadeAt: noon, Grapnel: "v1", Store: "sqlite"}

func write(t testing.TB, records []hook.Record) []byte {
	t.Helper()
	var out bytes.Buffer
	if _, err := move.Write(t.Context(), &out, header, list(records), nil); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// read gives what a backup holds, and io.EOF if it is whole.
func read(backup []byte) (records []hook.Record, h move.Header, err error) {
	r, err := move.NewReader(bytes.NewReader(backup), nil)
	if err != nil {
		return nil, move.Header{}, err
	}
	for {
		rec, err := r.Next()
		if err != nil {
			return records, r.Header(), err
		}
		records = append(records, rec)
	}
}

// text gives the lines of a backup, and zipped packs them again.
func text(t testing.TB, backup []byte) string {
	t.Helper()
	zip, err := gzip.NewReader(bytes.NewReader(backup))
	if err != nil {
		t.Fatal(err)
	}
	lines, err := io.ReadAll(zip)
	if err != nil {
		t.Fatal(err)
	}
	return string(lines)
}

func zipped(t testing.TB, lines string) []byte {
	t.Helper()
	var out bytes.Buffer
	zip := gzip.NewWriter(&out)
	if _, err := io.WriteString(zip, lines); err != nil {
		t.Fatal(err)
	}
	if err := zip.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestBackupGivesEveryKindOfRecordBackAsItWas(t *testing.T) {
	t.Parallel()
	records := oneOfEach()
	var seen []int64
	var out bytes.Buffer
	contents, err := move.Write(t.Context(), &out, header, list(records), func(_ hook.RecordKind, n int64) { seen = append(seen, n) })
	if err != nil {
		t.Fatal(err)
	}
	again, h, err := read(out.Bytes())
	if !errors.Is(err, io.EOF) {
		t.Fatal(err)
	}
	if h.Store != "sqlite" || h.Grapnel != "v1" || !h.MadeAt.Equal(noon) || h.Version != 2 {
		t.Errorf("header %+v", h)
	}
	if len(again) != len(records) || contents.Sums.Total() != int64(len(records)) || len(seen) != len(records) {
		t.Fatalf("%d records, %d counted, %d told, of %d", len(again), contents.Sums.Total(), len(seen), len(records))
	}
	kinds := map[hook.RecordKind]bool{}
	for i := range records {
		kinds[records[i].RecordKind()] = true
		if !reflect.DeepEqual(again[i], records[i]) {
			t.Errorf("kind %s:\n%+v\nwant\n%+v", records[i].RecordKind(), again[i], records[i])
		}
	}
	if len(kinds) != len(hook.RecordKinds) {
		t.Errorf("only %d of %d kinds are tried", len(kinds), len(hook.RecordKinds))
	}
	_, key := sealed()
	if len(contents.MasterKeys) != 1 || contents.MasterKeys[0] != key.ID() {
		t.Errorf("master keys %q, want %s", contents.MasterKeys, key.ID())
	}
	for _, secret := range []string{key.Reveal(), "whsec_x"} {
		if strings.Contains(text(t, out.Bytes()), secret) {
			t.Error("the backup shows a secret")
		}
	}
}

func TestEveryFieldOfARecordIsInTheBackup(t *testing.T) {
	t.Parallel()
	full := map[hook.RecordKind]hook.Record{}
	for _, rec := range oneOfEach() {
		if _, ok := full[rec.RecordKind()]; !ok {
			full[rec.RecordKind()] = rec
		}
	}
	for kind, rec := range full {
		v := reflect.ValueOf(rec).Elem()
		for i := range v.NumField() {
			if v.Field(i).IsZero() && kind != hook.RecordEnvironment {
				t.Errorf("%s.%s is not tried", kind, v.Type().Field(i).Name)
			}
		}
	}
}

func TestChecksumsDoNotDependOnTheOrderOrTheNumbersOfConfigurations(t *testing.T) {
	t.Parallel()
	sums := func(records ...hook.Record) string {
		var out bytes.Buffer
		c, err := move.Write(t.Context(), &out, header, list(records), nil)
		if err != nil {
			t.Fatal(err)
		}
		return fmt.Sprint(c.Sums)
	}
	a := &hook.MessageRecord{ID: id(1), App: id(2), Body: []byte("a"), Config: 1}
	b := &hook.MessageRecord{ID: id(3), App: id(2), Body: []byte("b"), Config: 2}
	a9 := &hook.MessageRecord{ID: id(1), App: id(2), Body: []byte("a"), Config: 9}
	changed := &hook.MessageRecord{ID: id(1), App: id(2), Body: []byte("c"), Config: 1}
	if sums(a, b) != sums(b, a) || sums(a, b) != sums(a9, b) {
		t.Error("they depend on it")
	}
	for name, other := range map[string]string{"a change": sums(changed, b), "one less": sums(a), "one twice": sums(a, a), "none": sums()} {
		if other == sums(a, b) {
			t.Errorf("%s is not noticed", name)
		}
	}
}

func TestEveryDamageIsRefusedOrMakesNoDifference(t *testing.T) {
	t.Parallel()
	records := oneOfEach()
	backup := write(t, records)
	unnoticed := 0
	for i := range backup {
		for _, flip := range []byte{0x01, 0xff} {
			damaged := bytes.Clone(backup)
			damaged[i] ^= flip
			again, _, err := read(damaged)
			if !errors.Is(err, io.EOF) {
				if _, known := errors.AsType[*move.Error](err); !known {
					t.Errorf("byte %d of %d: an error of no kind: %v", i, len(backup), err)
				}
				continue
			}
			// Compressed data has bits without a meaning, in its header and between its
			// blocks. Nothing that was read may differ.
			if !reflect.DeepEqual(again, records) {
				t.Errorf("byte %d of %d was changed by %02x, and so was what is read", i, len(backup), flip)
			}
			unnoticed++
		}
	}
	if unnoticed > 30 {
		t.Errorf("%d changes made no difference: more than the header of gzip has room for", unnoticed)
	}
}

func TestEveryBackupThatIsCutOffIsRefused(t *testing.T) {
	t.Parallel()
	backup := write(t, oneOfEach())
	for n := range backup {
		_, _, err := read(backup[:n])
		if !errors.Is(err, move.CutOff) && (n > 10 || !errors.Is(err, move.NotABackup)) {
			t.Errorf("cut to %d of %d bytes: %v", n, len(backup), err)
		}
	}
	// Cut to whole lines and packed again, as if only the program had been killed.
	lines := strings.SplitAfter(text(t, backup), "\n")
	for n := range len(lines) - 1 {
		_, _, err := read(zipped(t, strings.Join(lines[:n], "")))
		if !errors.Is(err, move.CutOff) {
			t.Errorf("cut to %d lines: %v", n, err)
		}
	}
}

func TestBackupsThatWereEditedAreRefused(t *testing.T) {
	t.Parallel()
	lines := text(t, write(t, oneOfEach()))
	if _, _, err := read(zipped(t, lines)); !errors.Is(err, io.EOF) {
		t.Errorf("packed again by another program: %v", err)
	}
	each := strings.SplitAfter(lines, "\n")
	last := len(each) - 2
	swapped := append([]string(nil), each...)
	swapped[1], swapped[4] = swapped[4], swapped[1]
	short := base64.StdEncoding.EncodeToString(make([]byte, 31))
	long := base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{9}, 32))
	for name, edited := range map[string]string{
		"a word":              strings.Replace(lines, "Acme", "Acne", 1),
		"a configuration":     strings.Replace(lines, "},12]", "},13]", 1),
		"no configuration":    strings.Replace(lines, "},12]", "}]", 1),
		"a line less":         strings.Join(append(append([]string(nil), each[:3]...), each[4:]...), ""),
		"a line twice":        each[0] + each[1] + lines[len(each[0]):],
		"another order":       strings.Join(swapped, ""),
		"a line more":         lines + each[1],
		"a second trailer":    lines + each[last],
		"text behind":         lines + "x",
		"the header":          strings.Replace(lines, `"grapnel":"v1"`, `"grapnel":"v2"`, 1),
		"an unknown kind":     strings.Replace(lines, `["key",`, `["kex",`, 1),
		"an unknown member":   strings.Replace(lines, `"name":"first"`, `"nome":"first"`, 1),
		"an unknown state":    strings.Replace(lines, `"state":4`, `"state":5`, 1),
		"a leased delivery":   strings.Replace(lines, `"state":4`, `"state":1`, 1),
		"an unknown reason":   strings.Replace(lines, `"reason":9`, `"reason":10`, 1),
		"an unknown class":    strings.Replace(lines, `"class":12`, `"class":13`, 1),
		"a missing id":        strings.Replace(lines, `"env":"`, `"env":null,"x":"`, 1),
		"a short hash":        strings.Replace(lines, long, short, 1),
		"two values":          strings.Replace(lines, `"CreatedAt"`, `} {"CreatedAt"`, 1) + " ",
		"an empty line":       strings.Replace(lines, "\n", "\n\n", 1),
		"a foreign line":      strings.Replace(lines, "\n", "\nhello\n", 1),
		"other master keys":   strings.Replace(lines, `"master_keys":["`, `"master_keys":["0`, 1),
		"no master keys":      strings.Replace(lines, `"master_keys":["`, `"MASTER":["`, 1),
		"another count":       strings.Replace(lines, `"count":3`, `"count":4`, 1),
		"a trailer too early": each[0] + each[last],
	} {
		if edited == lines {
			t.Errorf("%s: nothing was edited", name)
		}
		if _, _, err := read(zipped(t, edited)); !errors.Is(err, move.Damaged) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestRecordsInAnotherOrderThanThatOfTheirKindsAreRefused(t *testing.T) {
	t.Parallel()
	records := oneOfEach()
	records[0], records[3] = records[3], records[0]
	if _, _, err := read(write(t, records)); !errors.Is(err, move.Damaged) {
		t.Errorf("every checksum is right: %v", err)
	}
}

func TestForeignFilesAndNewerBackupsAreNamedAsSuch(t *testing.T) {
	t.Parallel()
	lines := text(t, write(t, oneOfEach()))
	for name, file := range map[string][]byte{
		"nothing": nil, "text": []byte("hello\n"), "a database": []byte("SQLite format 3\x00"), "gzip": zipped(t, "hello\n"),
		"JSON": zipped(t, `{"format":"other"}`+"\n"), "a broken header": zipped(t, `{"format":`+"\n"),
	} {
		if _, _, err := read(file); !errors.Is(err, move.NotABackup) {
			t.Errorf("%s: %v", name, err)
		}
	}
	_, _, err := read(zipped(t, strings.Replace(lines, `"version":2`, `"version":3,"more":true`, 1)))
	if !errors.Is(err, move.NewerFormat) || !strings.Contains(err.Error(), "v1") {
		t.Errorf("a newer format: %v", err)
	}
	if r, err := move.NewReader(failing{}, nil); err == nil || errors.Is(err, move.Damaged) || errors.Is(err, move.NotABackup) {
		t.Errorf("a file that cannot be read: %v, %v", r, err)
	}
}

// failing is a file on a broken disk.
type failing struct{}

var errDisk = errors.New("input/output error")

func (failing) Read([]byte) (int, error) { return 0, errDisk }

func TestAReaderThatFailedGoesOnFailing(t *testing.T) {
	t.Parallel()
	backup := write(t, oneOfEach())
	r, err := move.NewReader(bytes.NewReader(backup[:len(backup)-20]), nil)
	for err == nil {
		_, err = r.Next()
	}
	if _, again := r.Next(); !errors.Is(again, move.CutOff) || !errors.Is(err, move.CutOff) {
		t.Errorf("%v, then %v", err, again)
	}
}

func TestBackupFileAppearsWholeAndReplacesNothingUnasked(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "b.gz")
	put := func(force bool, from move.Source) error {
		_, _, err := move.WriteFile(t.Context(), path, force, header, from, nil)
		return err
	}
	broken := source(func(context.Context, func(hook.Record) error) error { return errDisk })
	if err := put(false, broken); !errors.Is(err, errDisk) {
		t.Errorf("a source that fails: %v", err)
	}
	if err := put(false, list(oneOfEach())); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := put(false, list(nil)); !errors.Is(err, move.FileExists) {
		t.Errorf("without force: %v", err)
	}
	if err := put(true, broken); !errors.Is(err, errDisk) {
		t.Errorf("with force, a source that fails: %v", err)
	}
	if now, err := os.ReadFile(path); err != nil || !bytes.Equal(now, whole) {
		t.Errorf("the backup before was harmed, %v", err)
	}
	if err := put(true, list(nil)); err != nil {
		t.Errorf("with force: %v", err)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 1 {
		t.Errorf("%d files are left, %v", len(entries), err)
	}
}

// A rename over /dev/null would break the machine.
func TestBackupReplacesNothingThatIsNoFileEvenByForce(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	link := filepath.Join(dir, "to-a-device")
	if err := os.Symlink(os.DevNull, link); err != nil {
		t.Fatal(err)
	}
	folder := filepath.Join(dir, "folder")
	if err := os.Mkdir(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{link, folder} {
		before, err := os.Lstat(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, force := range []bool{false, true} {
			if _, _, err := move.WriteFile(t.Context(), path, force, header, list(nil), nil); !errors.Is(err, move.NotAFile) {
				t.Errorf("%s, force %t: %v, want NotAFile", before.Mode(), force, err)
			}
		}
		if after, err := os.Lstat(path); err != nil || after.Mode() != before.Mode() {
			t.Errorf("%s became %v, %v", before.Mode(), after, err)
		}
	}
}

type source func(context.Context, func(hook.Record) error) error

func (s source) Dump(ctx context.Context, emit func(hook.Record) error) error { return s(ctx, emit) }

func TestEveryProblemHasAMessageAndAHint(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, p := range move.Problems() {
		err := &move.Error{Problem: p}
		if p.Error() == "" || strings.Contains(p.Error(), "Problem(") || seen[p.Error()] || err.Hint() == "" {
			t.Errorf("problem %d: %q, hint %q", uint8(p), p.Error(), err.Hint())
		}
		seen[p.Error()] = true
	}
	next := move.Problem(len(move.Problems()) + 1)
	if next.Error() != fmt.Sprintf("move.Problem(%d)", uint8(next)) || next.Hint() != "" {
		t.Errorf("Problems() lacks %q", next.Error())
	}
}

func FuzzReaderBelievesNothing(f *testing.F) {
	lines := text(f, write(f, oneOfEach()))
	f.Add([]byte(lines))
	for line := range strings.Lines(lines) {
		f.Add([]byte(line))
	}
	f.Add([]byte(lines[:len(lines)/2]))
	f.Fuzz(func(t *testing.T, lines []byte) {
		records, _, err := read(zipped(t, string(lines)))
		if err == nil {
			t.Fatal("no end")
		}
		if !errors.Is(err, io.EOF) {
			if _, known := errors.AsType[*move.Error](err); !known {
				t.Fatalf("an error of no kind: %v", err)
			}
			return
		}
		// What was taken as whole says the same again.
		again, _, err := read(write(t, records))
		if !errors.Is(err, io.EOF) || !reflect.DeepEqual(again, records) {
			t.Fatalf("written again it differs: %v", err)
		}
	})
}

func FuzzReaderTakesAnyFile(f *testing.F) {
	f.Add(write(f, oneOfEach()))
	f.Add([]byte{0x1f, 0x8b})
	f.Fuzz(func(t *testing.T, file []byte) {
		if _, _, err := read(file); err == nil {
			t.Fatal("no end")
		}
	})
}

func TestABackupFromBeforeThereWereSourcesIsRead(t *testing.T) {
	t.Parallel()
	var records []hook.Record
	for _, rec := range oneOfEach() {
		if rec.RecordKind() < hook.RecordSource {
			records = append(records, rec)
		}
	}
	lines := strings.Split(strings.TrimSuffix(strings.Replace(text(t, write(t, records)), `"version":2`, `"version":1`, 1), "\n"), "\n")
	// Its trailer knows nothing of the kinds that came later.
	var trailer struct {
		Kinds      []json.RawMessage `json:"kinds"`
		MasterKeys []string          `json:"master_keys"`
		SHA256     string            `json:"sha256"`
	}
	last := len(lines) - 1
	if err := json.Unmarshal([]byte(lines[last]), &trailer); err != nil {
		t.Fatal(err)
	}
	before := strings.Join(lines[:last], "\n") + "\n"
	trailer.Kinds = trailer.Kinds[:hook.RecordSource]
	trailer.SHA256 = fmt.Sprintf("%x", sha256.Sum256([]byte(before)))
	again, err := json.Marshal(trailer)
	if err != nil {
		t.Fatal(err)
	}
	got, h, err := read(zipped(t, before+string(again)+"\n"))
	if !errors.Is(err, io.EOF) || h.Version != 1 || !reflect.DeepEqual(got, records) {
		t.Errorf("version %d, %d of %d records, %v", h.Version, len(got), len(records), err)
	}
	// One that lacks a kind that it has is none.
	trailer.Kinds = trailer.Kinds[:hook.RecordRollup]
	if again, err = json.Marshal(trailer); err != nil {
		t.Fatal(err)
	}
	if _, _, err := read(zipped(t, before+string(again)+"\n")); err == nil || errors.Is(err, io.EOF) {
		t.Errorf("a trailer that lacks a kind: %v", err)
	}
}
