package cli_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/grapnelhq/grapnel/apitype"
	"github.com/grapnelhq/grapnel/client"
	"github.com/grapnelhq/grapnel/internal/cli"
	"github.com/grapnelhq/grapnel/internal/config"
	"github.com/grapnelhq/grapnel/internal/server"
	"github.com/grapnelhq/grapnel/webhook"
)

// site is a database and its receiver; its server can be stopped and started.
type site struct {
	*testing.T
	shell
	db       string // path
	env      []string
	ago      time.Duration // how far the server's clock is behind
	server   *server.Server
	client   *client.Client
	receiver *httptest.Server
	got      chan http.Header
}

func newSite(t *testing.T, env ...string) *site {
	t.Helper()
	s := &site{T: t, shell: bare(t), db: filepath.Join(t.TempDir(), "g.db"), env: env, got: make(chan http.Header, 100)}
	s.receiver = httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { s.got <- r.Header }))
	t.Cleanup(s.receiver.Close)
	t.Cleanup(func() { s.stop() })
	return s
}

func (s *site) start() {
	s.Helper()
	cfg, err := config.Load(config.Sources{
		Flags: map[string]string{
			"listen": "127.0.0.1:0", "db": "sqlite:" + s.db, "log-level": "error",
			"allow-net": "127.0.0.0/8", "allow-http": "true", "retry-schedule": "1h", "drain-timeout": "2s",
		},
		Env: append([]string{"GRAPNEL_API_KEY=" + testKey}, s.env...),
	})
	if err != nil {
		s.Fatal(err)
	}
	s.server = server.New(server.Options{Config: cfg, Version: "test", Now: func() time.Time { return time.Now().Add(-s.ago) }})
	if err := s.server.Start(s.Context()); err != nil {
		s.Fatal(err)
	}
	if s.client, err = client.New(s.server.URL(), testKey); err != nil {
		s.Fatal(err)
	}
}

func (s *site) stop() {
	s.Helper()
	if s.server == nil {
		return
	}
	if err := s.server.Stop(context.Background()); err != nil {
		s.Error(err)
	}
	s.server = nil
}

// fill makes an application with an endpoint and sends to it.
func (s *site) fill(messages int) (secret string) {
	s.Helper()
	if _, err := s.client.CreateApplication(s.Context(), apitype.ApplicationIn{Name: "Acme", UID: apitype.Some("acme")}); err != nil {
		s.Fatal(err)
	}
	if _, err := s.client.CreateEndpoint(s.Context(), "acme", apitype.EndpointIn{
		URL: s.receiver.URL, UID: apitype.Some("ep"), Headers: apitype.Some(map[string]string{"X-Own": "sealed-header"}),
	}); err != nil {
		s.Fatal(err)
	}
	for range messages {
		s.deliver()
	}
	out, err := s.client.EndpointSecret(s.Context(), "acme", "ep")
	if err != nil {
		s.Fatal(err)
	}
	return out.Key
}

// deliver sends one event that must arrive.
func (s *site) deliver() http.Header {
	s.Helper()
	out, err := s.client.Publish(s.Context(), "acme", apitype.MessageIn{EventType: "a.b", Payload: json.RawMessage(`{}`)}, client.PublishOptions{Wait: 30 * time.Second})
	if err != nil {
		s.Fatal(err)
	}
	_ = out
	return <-s.got
}

// proves that what the endpoint gets is signed with the secret, and has its header.
func (s *site) proves(secret string) {
	s.Helper()
	h := s.deliver()
	if h.Get("X-Own") != "sealed-header" {
		s.Error("the added header is gone")
	}
	if err := webhook.MustVerifier(secret).Verify(h, []byte(`{}`)); err != nil {
		s.Errorf("the signature: %v", err)
	}
}

// messages gives the ids of those of the application.
func (s *site) messages() (ids []string) {
	s.Helper()
	out, err := s.client.ListMessages(s.Context(), "acme", client.MessageFilter{}, client.ListOptions{Limit: 250})
	if err != nil {
		s.Fatal(err)
	}
	for _, m := range out.Data {
		ids = append(ids, m.ID)
	}
	return ids
}

func (s *site) admin(args ...string) (code int, out, errs string) {
	s.Helper()
	sh := s.shell
	sh.env = append(slices.Clone(sh.env), s.env...)
	return sh.run(s.T, append([]string{"admin"}, args...)...)
}

func (s *site) expect(want int, args ...string) (out, errs string) {
	s.Helper()
	code, out, errs := s.admin(args...)
	if code != want {
		s.Fatalf("admin %v: exit %d, want %d\n%s%s", args, code, want, out, errs)
	}
	return out, errs
}

func copyTo(t *testing.T, from, to string) {
	t.Helper()
	text, err := os.ReadFile(from)
	if err == nil {
		err = os.WriteFile(to, text, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func tells(t *testing.T, text string, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if !strings.Contains(text, part) {
			t.Errorf("no %q in:\n%s", part, text)
		}
	}
}

var elapsed = regexp.MustCompile(`\d+\.\d s`)

func TestABackupOfARunningServerIsRestoredAndServes(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.start()
	secret := s.fill(3)
	file := filepath.Join(t.TempDir(), "b.gz")
	out, errs := s.expect(cli.ExitOK, "backup", file, "--db", "sqlite:"+s.db)
	tells(t, out, "KIND", "CHECKSUM", "\nmessage            3        ", "\nattempt            3        ")
	tells(t, errs, "Wrote "+file, "encrypted with master key", "keep that key at another place")
	before := s.messages()

	_, errs = s.expect(cli.ExitConflict, "backup", file, "--db", "sqlite:"+s.db)
	tells(t, errs, "the file exists already", "--force")
	s.expect(cli.ExitOK, "backup", file, "--db", "sqlite:"+s.db, "--force")
	_, errs = s.expect(cli.ExitNotFound, "backup", filepath.Join(file, "absent", "b.gz"), "--db", "sqlite:"+s.db)
	tells(t, errs, "There is no folder "+filepath.Join(file, "absent"))
	out, _ = s.expect(cli.ExitOK, "restore", file, "--check", "-o", "json")
	var told struct {
		Records    int64
		MasterKeys []string
		Kinds      []struct {
			Kind, Checksum string
			Records        int64
		}
	}
	if err := json.Unmarshal([]byte(out), &told); err != nil || len(told.Kinds) != 19 || told.Records < 10 || len(told.MasterKeys) != 1 {
		t.Errorf("%+v, %v", told, err)
	}
	s.stop()

	key := filepath.Join(filepath.Dir(s.db), "master.key")
	s.db = filepath.Join(t.TempDir(), "folder", "g.db")
	_, errs = s.expect(cli.ExitOK, "restore", file, "--db", "sqlite:"+s.db)
	tells(t, errs, "Restoring a backup made ", "by version dev from sqlite", told.MasterKeys[0]+", which is not here", "put it into "+filepath.Dir(s.db), " holds all of it: ")
	_, errs = s.expect(cli.ExitConflict, "restore", file, "--db", "sqlite:"+s.db)
	tells(t, errs, "holds something already", "nothing is ever replaced")
	copyTo(t, key, filepath.Join(filepath.Dir(s.db), "master.key"))
	other := filepath.Join(filepath.Dir(s.db), "h.db")
	if _, errs = s.expect(cli.ExitOK, "restore", file, "--db", "sqlite:"+other); strings.Contains(errs, "which is not here") {
		t.Errorf("the key is there: %s", errs)
	}
	s.start()
	if after := s.messages(); !slices.Equal(after, before) {
		t.Errorf("messages %q, want %q", after, before)
	}
	s.proves(secret)
}

func TestBackupGoesThroughPipes(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.start()
	s.fill(1)
	out, errs := s.expect(cli.ExitOK, "backup", "-", "--db", "sqlite:"+s.db)
	tells(t, errs, "Wrote ", " records in ")
	sh := s.shell
	sh.in = out
	other := filepath.Join(t.TempDir(), "g.db")
	if code, _, errs := sh.run(t, "admin", "restore", "-", "--db", "sqlite:"+other); code != cli.ExitOK {
		t.Errorf("exit %d, %s", code, errs)
	}
	sh.terminal = true
	if code, out, errs := sh.run(t, "admin", "backup", "-", "--db", "sqlite:"+s.db); code != cli.ExitUsage || out != "" || !strings.Contains(errs, "redirect stdout") {
		t.Errorf("to a terminal: exit %d, %d bytes, %s", code, len(out), errs)
	}
}

func TestRestoreSaysWhatIsWrongWithAFile(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.start()
	s.fill(1)
	file := filepath.Join(t.TempDir(), "b.gz")
	s.expect(cli.ExitOK, "backup", file, "--db", "sqlite:"+s.db)
	backup, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	target := filepath.Join(t.TempDir(), "g.db")
	for name, c := range map[string]struct {
		file []byte
		text string
	}{
		"cut off":      {backup[:len(backup)-10], "the backup is cut off"},
		"damaged":      {append(bytes.Clone(backup[:40]), append([]byte{backup[40] ^ 1}, backup[41:]...)...), "the backup is "},
		"not a backup": {[]byte("hello"), "this is not a backup made by Grapnel"},
	} {
		path := filepath.Join(t.TempDir(), "x.gz")
		if err := os.WriteFile(path, c.file, 0o600); err != nil {
			t.Fatal(err)
		}
		for _, args := range [][]string{{"restore", path, "--check"}, {"restore", path, "--db", "sqlite:" + target}} {
			_, errs := s.expect(cli.ExitInvalid, args...)
			tells(t, errs, c.text, "fix")
		}
		if _, err := os.Stat(target); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: something is there, %v", name, err)
		}
	}
	_, errs := s.expect(cli.ExitNotFound, "restore", file+"x", "--check")
	tells(t, errs, "There is no "+file+"x")
}

func TestCopyComparesAndRefusesWhatIsInUse(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.start()
	secret := s.fill(2)
	to := filepath.Join(t.TempDir(), "g.db")
	_, errs := s.expect(cli.ExitConflict, "copy", "--from", "sqlite:"+s.db, "--to", "sqlite:"+to)
	tells(t, errs, "Another process has sqlite:"+s.db+" open", "Stop the server")
	s.stop()
	out, errs := s.expect(cli.ExitOK, "copy", "--from", "sqlite:"+s.db, "--to", "sqlite:"+to)
	tells(t, out, "SOURCE", "TARGET", "\nmessage            2       2       ", "✓")
	tells(t, errs, "Copied and compared ", "--db sqlite:"+to, "master key")
	_, errs = s.expect(cli.ExitConflict, "copy", "--from", "sqlite:"+s.db, "--to", "sqlite:"+to)
	tells(t, errs, "sqlite:"+to+" holds something already")
	_, errs = s.expect(cli.ExitNotFound, "copy", "--from", "sqlite:"+s.db+"x", "--to", "sqlite:"+to+"y")
	tells(t, errs, "There is no sqlite:"+s.db+"x")
	copyTo(t, filepath.Join(filepath.Dir(s.db), "master.key"), filepath.Join(filepath.Dir(to), "master.key"))
	s.db = to
	s.start()
	s.proves(secret)
}

func TestCopyIsToldWhichDatabases(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	for _, c := range []struct {
		args []string
		text string
	}{
		{[]string{"copy"}, "--from is missing"},
		{[]string{"copy", "--from", "sqlite:a"}, "--to is missing"},
		{[]string{"copy", "--from", "mysql://topsecret@h/x", "--to", "sqlite:a"}, "--from is not a database address"},
		{[]string{"copy", "--from", "sqlite:a", "--to", "sqlite:a"}, "are the same database"},
	} {
		_, errs := s.expect(cli.ExitUsage, c.args...)
		tells(t, errs, c.text)
		if strings.Contains(errs, "topsecret") {
			t.Errorf("a password is shown: %s", errs)
		}
	}
}

func TestMigrateSaysWhetherItIsNeeded(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	_, errs := s.expect(cli.ExitNotFound, "migrate", "--check", "--db", "sqlite:"+s.db)
	tells(t, errs, "There is no sqlite:"+s.db)
	if err := os.WriteFile(s.db, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	_, errs = s.expect(cli.ExitNo, "migrate", "--check", "--db", "sqlite:"+s.db)
	tells(t, errs, "needs a migration", "Its schema has version 0")
	_, errs = s.expect(cli.ExitConflict, "backup", filepath.Join(t.TempDir(), "b.gz"), "--db", "sqlite:"+s.db)
	tells(t, errs, "the schema of the database has version 0", "grapnel admin migrate")
	_, errs = s.expect(cli.ExitOK, "migrate", "--db", "sqlite:"+s.db)
	tells(t, errs, "was brought from schema version 0 to ")
	_, errs = s.expect(cli.ExitOK, "migrate", "--check", "--db", "sqlite:"+s.db)
	tells(t, errs, "there is nothing to do")
}

func TestGCAsksAndRemovesWhatRetentionNoLongerKeeps(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.ago = 48 * time.Hour
	s.start()
	s.fill(2)
	args := []string{"gc", "--db", "sqlite:" + s.db, "--retention", "1d", "--allow-short-retention"}
	_, errs := s.expect(cli.ExitUsage, args...)
	tells(t, errs, "messages older than 1d", "--yes")
	_, errs = s.expect(cli.ExitConflict, append(args, "--yes")...)
	tells(t, errs, "open", "Stop the server")
	s.stop()
	out, errs := s.expect(cli.ExitOK, append(args, "--yes")...)
	tells(t, out, "\nmessage          2\n", "\nattempt          2\n")
	tells(t, errs, "sqlite:"+s.db+" had ")
	out, _ = s.expect(cli.ExitOK, append(args, "--yes", "-o", "json")...)
	tells(t, out, `"messages": 0`, `"bytesAfter": `)
	s.start()
	if left := s.messages(); len(left) != 0 {
		t.Errorf("%d messages are left", len(left))
	}
}

func TestTheMasterKeyBesideTheDatabaseIsChanged(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.start()
	secret := s.fill(1)
	key := filepath.Join(filepath.Dir(s.db), "master.key")
	before, err := os.ReadFile(key)
	if err != nil {
		t.Fatal(err)
	}
	_, errs := s.expect(cli.ExitConflict, "rotate-master-key", "--db", "sqlite:"+s.db)
	tells(t, errs, "Stop the server")
	s.stop()
	_, errs = s.expect(cli.ExitOK, "rotate-master-key", "--db", "sqlite:"+s.db)
	tells(t, errs, "Every secret is encrypted with master key ", "2 secrets changed, 1 endpoint and 0 sources looked at", "Back the new key up", key+".old")
	after, err := os.ReadFile(key)
	if old, oldErr := os.ReadFile(key + ".old"); err != nil || oldErr != nil || bytes.Equal(after, before) || !bytes.Equal(old, before) {
		t.Errorf("the key files: %v, %v", err, oldErr)
	}
	for _, text := range []string{string(before), string(after)} {
		if strings.Contains(errs, strings.TrimSpace(text)) {
			t.Error("a key is shown")
		}
	}
	s.start()
	s.proves(secret)
	s.stop()
	// A rotation that was stopped: both keys are in the file.
	if err := os.WriteFile(key, append(slices.Clone(after), before...), 0o600); err != nil {
		t.Fatal(err)
	}
	s.start()
	s.proves(secret)
	s.stop()
	_, errs = s.expect(cli.ExitOK, "rotate-master-key", "--db", "sqlite:"+s.db)
	tells(t, errs, "An earlier run had not come to its end")
}

func TestGivenMasterKeysAreChangedInSteps(t *testing.T) {
	t.Parallel()
	const first, second = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", "ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8="
	s := newSite(t, "GRAPNEL_MASTER_KEY="+first)
	s.start()
	secret := s.fill(1)
	s.stop()
	_, errs := s.expect(cli.ExitUsage, "rotate-master-key", "--db", "sqlite:"+s.db)
	tells(t, errs, "there is only one master key", "in front of it")
	for _, keys := range []string{first + " " + second, second + "," + first} {
		s.env = []string{"GRAPNEL_MASTER_KEY=" + keys}
		s.start()
		s.proves(secret)
		s.stop()
	}
	_, errs = s.expect(cli.ExitOK, "rotate-master-key", "--db", "sqlite:"+s.db)
	tells(t, errs, "2 secrets changed", "Take the old key out of the settings")
	if strings.Contains(errs, first) || strings.Contains(errs, second) {
		t.Error("a key is shown")
	}
	s.env = []string{"GRAPNEL_MASTER_KEY=" + second}
	s.start()
	s.proves(secret)
}

func TestAdminNeedsItsDatabaseAndKey(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	for _, args := range [][]string{{"backup", filepath.Join(t.TempDir(), "b.gz")}, {"gc", "--yes"}, {"rotate-master-key"}} {
		_, errs := s.expect(cli.ExitNotFound, append(args, "--db", "sqlite:"+s.db)...)
		tells(t, errs, "There is no ")
		if entries, err := os.ReadDir(filepath.Dir(s.db)); err != nil || len(entries) != 0 {
			t.Errorf("%v made %d files, %v", args, len(entries), err)
		}
	}
}

func TestAdminTellsAProgramWhatFailed(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	_, errs := s.expect(cli.ExitNotFound, "backup", "x.gz", "--db", "sqlite:"+s.db, "-o", "json")
	var told struct {
		Error struct{ Code, Message, Hint string }
	}
	if err := json.Unmarshal([]byte(errs), &told); err != nil || told.Error.Code != "not_found" || told.Error.Hint == "" {
		t.Errorf("%s: %v", errs, err)
	}
}

func TestHelpOfAdminHasEightyColumns(t *testing.T) {
	t.Parallel()
	sh := bare(t)
	for _, command := range []string{"", "backup", "restore", "copy", "migrate", "gc", "rotate-master-key"} {
		code, out, errs := sh.run(t, append([]string{"admin"}, append(strings.Fields(command), "--help")...)...)
		if code != cli.ExitOK || errs != "" || command != "" && !strings.Contains(out, "Examples\n  grapnel admin "+command) {
			t.Errorf("%s --help: exit %d, %q\n%s", command, code, errs, out)
		}
		for line := range strings.Lines(out) {
			if n := len([]rune(strings.TrimRight(line, "\n"))); n > 80 {
				t.Errorf("%s: a line of help has %d columns: %s", command, n, line)
			}
		}
	}
}

func TestProgressIsOneLineAtATerminalAndPlainLinesElsewhere(t *testing.T) {
	t.Parallel()
	if got := cli.ShowProgress(true, "a", "b"); got != "\r\x1b[Ka\r\x1b[Kb\r\x1b[K" {
		t.Errorf("at a terminal: %q", got)
	}
	if got := cli.ShowProgress(false, "a", "b"); got != "a\nb\n" {
		t.Errorf("at a pipe: %q", got)
	}
	if got := cli.ShowProgress(true); got != "" {
		t.Errorf("nothing to tell: %q", got)
	}
}

func TestNumbersAreWrittenForPeople(t *testing.T) {
	t.Parallel()
	for n, want := range map[int64]string{0: "0", 999: "999", 1000: "1,000", 1234567: "1,234,567"} {
		if got := cli.Digits(n); got != want {
			t.Errorf("%d: %s, want %s", n, got, want)
		}
	}
	for n, want := range map[int64]string{0: "0 B", 1023: "1023 B", 1024: "1.0 KiB", 3 << 20: "3.0 MiB", 1 << 42: "4.0 TiB"} {
		if got := cli.SizeText(n); got != want {
			t.Errorf("%d: %s, want %s", n, got, want)
		}
	}
	if !elapsed.MatchString(cli.TookText(1500 * time.Millisecond)) {
		t.Error(cli.TookText(1500 * time.Millisecond))
	}
}
