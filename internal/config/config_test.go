package config_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/grapnelhq/grapnel/internal/config"
)

func write(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func load(t *testing.T, src config.Sources) *config.Config {
	t.Helper()
	c, err := config.Load(src)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// problem loads what must fail with exactly one problem.
func problem(t *testing.T, src config.Sources) config.Problem {
	t.Helper()
	_, err := config.Load(src)
	var all *config.Error
	if !errors.As(err, &all) || len(all.Problems) != 1 {
		t.Fatalf("Load: %v, want one problem", err)
	}
	return all.Problems[0]
}

func TestDefaultsAreValidAndAsDocumented(t *testing.T) {
	t.Parallel()
	c := load(t, config.Sources{})
	want := map[string]string{
		"listen": "127.0.0.1:8080", "db": "sqlite:grapnel.db", "role": "all", "allow-ports": "443,8443",
		"retry-schedule": "5s,5m,30m,2h,5h,10h,10h", "disable-after": "5d", "retention": "90d", "retention-payload": "forever",
		"max-body": "1MiB", "endpoint-timeout": "15s", "drain-timeout": "25s", "delivery-memory": "64MiB",
		"drain-delay": "0s", "heartbeat": "500ms", "node-lease": "10s", "db-connections": "8",
		"metrics-listen": "off", "signature-headers": "webhook", "allow-http": "false", "log-level": "info", "log-format": "text",
	}
	for _, l := range c.Lines() {
		if w, ok := want[l.Name]; ok && l.Value != w {
			t.Errorf("%s is %q by default, want %q", l.Name, l.Value, w)
		}
		if l.Origin != "" {
			t.Errorf("%s has the origin %q, want the default", l.Name, l.Origin)
		}
	}
}

// values has a value for every setting that differs from its default, in the
// form in which it is shown.
var values = map[string]string{
	"listen": ":9999", "db": "postgres://h/hooks", "db-direct": "postgres://direct/hooks", "db-connections": "20", "role": "api", "ui-dir": "web/dist", "public-url": "https://example.com/hooks",
	"tls-cert": "c.pem", "tls-key": "k.pem", "trusted-proxies": "10.0.0.0/8,fd00::/8", "metrics-listen": "127.0.0.1:9090",
	"max-body": "2MiB", "drain-timeout": "7s", "drain-delay": "3s", "heartbeat": "1s", "node-lease": "20s", "api-key": "0123456789abcdef", "master-key": "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=",
	"allow-net": "127.0.0.0/8", "allow-http": "true", "allow-ports": "1,65535", "egress-proxy": "http://proxy:3128",
	"retry-schedule": "1s,2h", "disable-after": "1d", "signature-headers": "both", "endpoint-timeout": "20s",
	"endpoint-limit": "5", "delivery-memory": "1GiB", "retention": "30d", "retention-payload": "2d", "retention-attempts": "10d", "retention-requests": "3d",
	"oidc-issuer": "https://id.example.com", "oidc-client-id": "grapnel", "oidc-client-secret": "topsecret-of-client", "oidc-name": "Example", "oidc-domains": "example.com,example.org",
	"oidc-role-claim": "roles", "oidc-roles": "hooks=admin,ops=owner",
	"allow-short-retention": "true", "send-traceparent": "true", "log-format": "json", "log-level": "debug",
}

func TestEverySettingCanBeGivenInThreeSpellings(t *testing.T) {
	t.Parallel()
	flags, files := map[string]string{}, map[string]string{}
	var env, yaml []string
	for _, s := range config.Settings() {
		value, ok := values[s.Name]
		if !ok {
			t.Fatalf("no test value for %s", s.Name)
		}
		if value == s.Default {
			t.Errorf("the test value of %s is its default", s.Name)
		}
		flag := value
		if s.Secret {
			flag = write(t, "secret", value+"\n")
			files[s.Name] = flag
		}
		flags[s.Flag()] = flag
		env = append(env, s.Env()+"="+value)
		yaml = append(yaml, s.Key()+": "+value)
	}
	file := write(t, "grapnel.yaml", strings.Join(yaml, "\n"))
	for name, src := range map[string]config.Sources{"flags": {Flags: flags}, "environment": {Env: env}, "file": {File: file}} {
		for _, l := range load(t, src).Lines() {
			want := values[l.Name]
			if _, secret := files[l.Name]; secret {
				want = "***"
			}
			if l.Value != want || l.Origin == "" {
				t.Errorf("%s: %s is %q (from %q), want %q", name, l.Name, l.Value, l.Origin, want)
			}
		}
	}
}

func TestFlagWinsOverEnvironmentOverFileOverDefault(t *testing.T) {
	t.Parallel()
	src := config.Sources{Defaults: map[string]string{"listen": ":1"}}
	steps := []struct {
		add  func()
		want string
	}{
		{func() {}, ":1"},
		{func() { src.File = write(t, "g.yaml", "listen: ':2'") }, ":2"},
		{func() { src.Env = []string{"GRAPNEL_LISTEN=:3"} }, ":3"},
		{func() { src.Flags = map[string]string{"listen": ":4"} }, ":4"},
	}
	for _, step := range steps {
		step.add()
		if c := load(t, src); c.Listen != step.want {
			t.Errorf("listen is %q, want %q", c.Listen, step.want)
		}
	}
	if c := load(t, config.Sources{Env: []string{"GRAPNEL_LISTEN="}}); c.Listen != "127.0.0.1:8080" || c.Explicit("listen") {
		t.Errorf("an empty variable counts as set: %q", c.Listen)
	}
}

func TestDatabaseURLCountsLastAndNotForDev(t *testing.T) {
	t.Parallel()
	env := []string{"DATABASE_URL=sqlite:/a.db"}
	for want, src := range map[string]config.Sources{
		"sqlite:/a.db":      {Env: env},
		"sqlite:grapnel.db": {Env: env, IgnoreDatabaseURL: true},
		"sqlite:/b.db":      {Env: append(env, "GRAPNEL_DB=sqlite:/b.db")},
		"sqlite:/c.db":      {Env: env, File: write(t, "g.yaml", "db: sqlite:/c.db")},
	} {
		if c := load(t, src); c.DB != want {
			t.Errorf("db is %q, want %q", c.DB, want)
		}
	}
	if c := load(t, config.Sources{Env: env}); c.SQLitePath() != "/a.db" {
		t.Errorf("path %q", c.SQLitePath())
	}
}

const masterKey = "GRAPNEL_MASTER_KEY=MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="

func TestPostgresIsTakenFromEachPlaceAndNeedsAMasterKey(t *testing.T) {
	t.Parallel()
	const url = "postgresql://hooks:topsecret@db.example.com:5432/hooks?sslmode=require"
	for name, src := range map[string]config.Sources{
		"flag":         {Flags: map[string]string{"db": url}, Env: []string{masterKey}},
		"variable":     {Env: []string{"GRAPNEL_DB=" + url, masterKey}},
		"DATABASE_URL": {Env: []string{"DATABASE_URL=" + url, masterKey}},
		"file":         {File: write(t, "g.yaml", "db: "+url), Env: []string{masterKey}},
	} {
		c := load(t, src)
		if c.DB != url || !c.Postgres() || c.SQLitePath() != "" {
			t.Errorf("%s: db is %q", name, c.DB)
		}
		src.Env = src.Env[:len(src.Env)-1]
		p := problem(t, src)
		if !strings.Contains(p.What, "master key") || !strings.Contains(p.Fix, "openssl rand -base64 32") || strings.Contains(fmt.Sprint(p), "topsecret") {
			t.Errorf("%s without a master key: %+v", name, p)
		}
	}
	load(t, config.Sources{Env: []string{"GRAPNEL_DB=postgres:///hooks?host=/var/run/postgresql", masterKey}})
}

func TestDrainDelayIsLongerWithPostgresUnlessItIsChosen(t *testing.T) {
	t.Parallel()
	const db = "postgres://h/hooks"
	for want, flags := range map[time.Duration]map[string]string{
		0: {"db": "sqlite:a.db"}, 2 * time.Second: {"db": db}, time.Second: {"db": db, "drain-delay": "1s"},
	} {
		if c := load(t, config.Sources{Flags: flags, Env: []string{masterKey}}); c.DrainDelay != want {
			t.Errorf("%v: the delay is %s, want %s", flags, c.DrainDelay, want)
		}
	}
}

func TestRolesSayWhatANodeDoes(t *testing.T) {
	t.Parallel()
	for role, want := range map[config.Role][2]bool{
		config.RoleAll: {true, true}, config.RoleAPI: {true, false}, config.RoleDeliver: {false, true}, config.RoleIngest: {},
	} {
		if got := [2]bool{role.HasAPI(), role.Delivers()}; got != want {
			t.Errorf("%s has an API, delivers: %v, want %v", role, got, want)
		}
	}
}

func TestRefusalsNamePlaceFaultAndRemedy(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, value, what, fix string }{
		{"listen", "8080", "not an address", "HOST:PORT"},
		{"listen", "example.com:80", "not an address", "IP address"},
		{"listen", ":99999", "not an address", "HOST:PORT"},
		{"db", "mysql://u:p@h/db", "neither sqlite:PATH nor postgres://", "sqlite:"},
		{"db", "sqlite:", "neither sqlite:PATH nor postgres://", "sqlite:"},
		{"db", "sqlite://h/x", "neither sqlite:PATH nor postgres://", "sqlite:"},
		{"db", "postgres:///hooks", "URL of a PostgreSQL database", "postgres://USER"},
		{"db", "postgresql://u:p%zz@h/hooks", "URL of a PostgreSQL database", "percent form"},
		{"db-direct", "sqlite:/a.db", "URL of a PostgreSQL database", "postgres://USER"},
		{"db-direct", "postgres://h/hooks", "is for PostgreSQL", "Remove it"},
		{"db-connections", "9", "is for PostgreSQL", "Remove it"},
		{"db-connections", "1", "whole number from 2 to 1000", "range"},
		{"heartbeat", "1ms", "is not from 10ms to 1h", "range"},
		{"node-lease", "2d", "is not from 100ms to 1d", "range"},
		{"node-lease", "1999ms", "less than 4 times --heartbeat 500ms", "Raise the first"},
		{"drain-delay", "-1s", "is not a duration", "500ms"},
		{"role", "everything", "is not one of all, api, deliver, ingest", "all, api, deliver, ingest"},
		{"role", "delver", "is not one of", "Did you mean deliver?"},
		{"public-url", "example.com", "public address", "https://"},
		{"public-url", "https://u:p@example.com", "public address", "without query and password"},
		{"public-url", "https://example.com/?a=1", "public address", "https://"},
		{"trusted-proxies", "10.0.0.1/8", "bits set behind its mask", "Did you mean 10.0.0.0/8?"},
		{"allow-net", "intranet", "is not a network", "10.0.0.0/8"},
		{"allow-net", "fe80::1%eth0", "is not a network", "10.0.0.0/8"},
		{"allow-ports", "https", "is not a port", "1 to 65535"},
		{"allow-ports", "443,0", "0 is not a port", "1 to 65535"},
		{"allow-ports", "", "names no port", "443"},
		{"egress-proxy", "ftp://h", "proxy's address", "http://"},
		{"egress-proxy", "http://h/path", "proxy's address", "http://"},
		{"retry-schedule", "5s,soon", "soon is not a duration", "500ms"},
		{"retry-schedule", "5s,0s", "0s is not from", "range"},
		{"retry-schedule", strings.Repeat("1s,", 50) + "1s", "list of 1 to 50", "none"},
		{"disable-after", "-1h", "is not a duration", "500ms"},
		{"endpoint-timeout", "10m", "is not from 100ms to 5m", "range"},
		{"endpoint-limit", "-1", "whole number", "range"},
		{"max-body", "1 apple", "is not a size", "1MiB"},
		{"max-body", "10B", "is not from 1KiB to 1GiB", "range"},
		{"delivery-memory", "9999999999GiB", "is not a size", "1MiB"},
		{"allow-http", "yes", "neither true nor false", "true or false"},
		{"signature-headers", "svx", "is not one of", "Did you mean svix?"},
		{"log-level", "warning", "is not one of", "Did you mean warn?"},
		{"log-format", "logfmt", "is not one of", "text, json"},
		{"retention", "5s5", "is not a duration", "90d"},
	} {
		p := problem(t, config.Sources{Flags: map[string]string{tt.name: tt.value}})
		if !strings.HasPrefix(p.Where, "--"+tt.name) || !strings.Contains(p.What, tt.what) || !strings.Contains(p.Fix, tt.fix) {
			t.Errorf("--%s %q: %+v, want %q and %q", tt.name, tt.value, p, tt.what, tt.fix)
		}
	}
}

func TestSettingsThatDoNotGoTogetherAreRefused(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		flags map[string]string
		where string
	}{
		{map[string]string{"tls-cert": "c.pem"}, "--tls-cert and --tls-key"},
		{map[string]string{"max-body": "10MiB", "delivery-memory": "5MiB"}, "--delivery-memory 5MiB"},
		{map[string]string{"retention": "2d"}, "--retention 2d"},
		{map[string]string{"retention-payload": "1d", "retry-schedule": "1m"}, "--retention-payload 1d"},
	} {
		if p := problem(t, config.Sources{Flags: tt.flags}); p.Where != tt.where || p.Fix == "" {
			t.Errorf("%v: %+v, want %q", tt.flags, p, tt.where)
		}
	}
	for _, flags := range []map[string]string{
		{"retention": "1d", "retry-schedule": "none"},
		{"retention": "20s", "retention-payload": "20s", "allow-short-retention": "true"},
		{"retention": "forever", "retention-attempts": "1h"},
	} {
		load(t, config.Sources{Flags: flags})
	}
}

func TestShortestAllowedRetentionIsScheduleAndADay(t *testing.T) {
	t.Parallel()
	const schedule = "5s,5m,30m,2h,5h,10h,10h" // 27h35m5s
	load(t, config.Sources{Flags: map[string]string{"retry-schedule": schedule, "retention": "51h35m5s"}})
	p := problem(t, config.Sources{Flags: map[string]string{"retry-schedule": schedule, "retention": "51h35m4s"}})
	if !strings.Contains(p.Fix, "2d3h35m5s") {
		t.Errorf("the refusal does not say how much is needed: %q", p.Fix)
	}
}

func TestPlainHTTPOpensPort80UnlessPortsAreChosen(t *testing.T) {
	t.Parallel()
	for want, flags := range map[string]map[string]string{
		"[80 443 8443]": {"allow-http": "true"},
		"[443 8443]":    {},
		"[8443]":        {"allow-http": "true", "allow-ports": "8443"},
	} {
		if c := load(t, config.Sources{Flags: flags}); fmt.Sprint(c.AllowPorts) != want {
			t.Errorf("%v: ports %v, want %s", flags, c.AllowPorts, want)
		}
	}
}

func TestFileRefusesWhatItDoesNotKnow(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ text, where, what, fix string }{
		{"listn: ':1'", ":1 listn", "is not a setting", "Did you mean listen?"},
		{"listen: ':1'\nallow-net: 10.0.0.0/8", ":2 allow-net", "is not a setting", "Did you mean allow_net?"},
		{"xyzzy: 1", ":1 xyzzy", "is not a setting", "Remove it."},
		{"listen: ':1'\nlisten: ':2'", "", "", ""},
		{"api_key: 0123456789abcdef\napi_key_file: /x", ":2 api_key_file", "is given twice", "Remove"},
		{"listen:", ":1 listen", "has no value", "Write"},
		{"listen: {a: 1}", ":1 listen", "is a mapping", "Write"},
		{"allow_net: [[a]]", ":1 allow_net", "more than texts", "Write"},
		{"- a", ":1", "is not a mapping", "key: value"},
		{"a: [", "", "is not YAML", "key: value"},
		{"log_level: loud", ":1 log_level", "is not one of", "debug"},
	} {
		p := problem(t, config.Sources{File: write(t, "g.yaml", tt.text)})
		if !strings.Contains(p.Where, tt.where) || !strings.Contains(p.What, tt.what) || !strings.Contains(p.Fix, tt.fix) {
			t.Errorf("%q: %+v, want %+v", tt.text, p, tt)
		}
	}
	if p := problem(t, config.Sources{File: "/does/not/exist.yaml"}); !strings.Contains(p.What, "cannot be read") {
		t.Errorf("missing file: %+v", p)
	}
}

func TestFileTakesListsCommentsAndNothing(t *testing.T) {
	t.Parallel()
	c := load(t, config.Sources{File: write(t, "g.yaml", "# a comment\nretry_schedule: [1s, 2m]\nallow_net:\n  - 10.0.0.0/8\n  - 192.168.1.7\nallow_http: true\nmax_body: 2048\n")})
	if !reflect.DeepEqual(c.RetrySchedule, []time.Duration{time.Second, 2 * time.Minute}) || len(c.AllowNet) != 2 ||
		c.AllowNet[1].String() != "192.168.1.7/32" || !c.AllowHTTP || c.MaxBody != 2048 {
		t.Errorf("read %s", c)
	}
	load(t, config.Sources{File: write(t, "empty.yaml", "")})
}

func TestSecretsComeFromTextOrFileButNotBoth(t *testing.T) {
	t.Parallel()
	const key = "0123456789abcdef"
	file := write(t, "key", key+"\n")
	for name, src := range map[string]config.Sources{
		"flag":     {Flags: map[string]string{"api-key-file": file}},
		"variable": {Env: []string{"GRAPNEL_API_KEY=" + key}},
		"file":     {Env: []string{"GRAPNEL_API_KEY_FILE=" + file}},
		"YAML":     {File: write(t, "g.yaml", "api_key_file: "+file)},
	} {
		if c := load(t, src); c.APIKey.Reveal() != key {
			t.Errorf("%s: key %q", name, c.APIKey.Reveal())
		}
	}
	problem(t, config.Sources{Env: []string{"GRAPNEL_API_KEY=" + key, "GRAPNEL_API_KEY_FILE=" + file}})
	for _, text := range []string{"", "short", strings.Repeat("x", 16), strings.Repeat("ab", 65), "has spaces in its text", "changeme-changeme-changeme", "naïve-text-0123456789"} {
		p := problem(t, config.Sources{Flags: map[string]string{"api-key-file": write(t, "bad", text)}})
		if text != "" && strings.Contains(fmt.Sprint(p), text) {
			t.Errorf("the refusal shows the key: %+v", p)
		}
	}
	for _, text := range []string{"abc", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", strings.Repeat("ab", 32)} {
		p := problem(t, config.Sources{Env: []string{"GRAPNEL_MASTER_KEY=" + text}})
		if strings.Contains(fmt.Sprint(p), text) {
			t.Errorf("the refusal shows the key: %+v", p)
		}
	}
	problem(t, config.Sources{Flags: map[string]string{"api-key-file": t.TempDir()}})
	problem(t, config.Sources{Flags: map[string]string{"api-key-file": "/does/not/exist"}})
}

func TestSecretsAndPasswordsAreNeverPrinted(t *testing.T) {
	t.Parallel()
	c := load(t, config.Sources{Env: []string{
		"GRAPNEL_API_KEY=topsecret-0123456789", "GRAPNEL_EGRESS_PROXY=http://user:topsecret@proxy:1", masterKey,
		"GRAPNEL_DB=postgres://user:topsecret@h/db?sslpassword=topsecret", "GRAPNEL_DB_DIRECT=postgres://h/db?user=u&password=topsecret",
	}})
	encoded, err := json.Marshal(c.APIKey)
	if err != nil {
		t.Fatal(err)
	}
	key := c.APIKey
	for _, text := range []string{
		c.String(), string(encoded), fmt.Sprint(key), fmt.Sprintf("%q %x %#v %d", key, key, key, key), key.LogValue().String(), fmt.Sprintf("%v %+v %#v %s", *c, *c, *c, c),
	} {
		if strings.Contains(text, "topsecret") || strings.Contains(text, "746f70") {
			t.Errorf("a secret is printed: %s", text)
		}
	}
	for name, value := range map[string]string{
		"egress-proxy": "ftp://user:topsecret@proxy:1", "db": "postgres://user:topsecret%zz@h/db", "db-direct": "postgres://h/db?password=topsecret#x",
	} {
		if p := problem(t, config.Sources{Flags: map[string]string{name: value}}); strings.Contains(fmt.Sprint(p), "topsecret") {
			t.Errorf("a password is printed: %+v", p)
		}
	}
}

func TestMisspeltVariableIsMentionedAndForeignOnesAreNot(t *testing.T) {
	t.Parallel()
	c := load(t, config.Sources{Env: []string{
		"GRAPNEL_ALOW_NET=10.0.0.0/8", "GRAPNEL_SERVER=http://x", "GRAPNEL_PORT_8080_TCP=tcp://10.0.0.1:8080", "GRAPNEL_SERVICE_HOST=10.0.0.1", "HOME=/",
	}})
	if len(c.Warnings) != 1 || !strings.Contains(c.Warnings[0], "GRAPNEL_ALLOW_NET") {
		t.Errorf("warnings %q, want one about GRAPNEL_ALOW_NET", c.Warnings)
	}
}

func TestAllProblemsAreToldAtOnce(t *testing.T) {
	t.Parallel()
	_, err := config.Load(config.Sources{Flags: map[string]string{"listen": "x", "role": "y"}, Env: []string{"GRAPNEL_MAX_BODY=z"}})
	for _, want := range []string{"--listen x", "--role y", "GRAPNEL_MAX_BODY z"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v does not name %s", err, want)
		}
	}
}

func TestPrintedConfigurationIsAFileThatLoadsTheSame(t *testing.T) {
	t.Parallel()
	c := load(t, config.Sources{Flags: map[string]string{"retry-schedule": "1s,90s", "allow-net": "10.0.0.0/8", "max-body": "1500"}})
	var lines []string
	for line := range strings.Lines(c.String()) {
		if !strings.Contains(line, `: ""`) { // nothing given
			lines = append(lines, line)
		}
	}
	again := load(t, config.Sources{File: write(t, "g.yaml", strings.Join(lines, ""))})
	for i, l := range c.Lines() {
		if now := again.Lines()[i]; now.Value != l.Value {
			t.Errorf("%s was %q, is %q", l.Name, l.Value, now.Value)
		}
	}
}

func TestReadmeNamesEverySettingWithItsDefault(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(filepath.Join("..", "..", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range config.Settings() {
		flag := "--" + s.Flag()
		if s.Default != "" && s.Default != "false" && s.Default != "0" {
			flag += " " + s.Default
		}
		if !strings.Contains(string(text), flag) || !strings.Contains(string(text), s.Env()) {
			t.Errorf("README.md lacks %q or %s", flag, s.Env())
		}
	}
}

func TestReadmeHasEverySettingWithItsDefault(t *testing.T) {
	t.Parallel()
	readme, err := os.ReadFile(filepath.Join("..", "..", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range config.Settings() {
		flag := "--" + s.Flag()
		if s.Default != "" && s.Default != "false" {
			flag += " " + s.Default
		}
		for _, text := range []string{flag, "`" + s.Env() + "`"} {
			if !strings.Contains(string(readme), text) {
				t.Errorf("README.md lacks %s", text)
			}
		}
	}
}
