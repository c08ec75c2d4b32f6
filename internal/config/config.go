// Package config turns flags, environment, a YAML file and defaults into one
// checked Config.
//
// Every setting has one name in three spellings: the flag --allow-net, the
// environment variable GRAPNEL_ALLOW_NET and the YAML key allow_net. The table
// in settings.go is the only place that names them. A flag wins over the
// environment, the environment over the file, the file over the default.
package config

import (
	"net/netip"
	"net/url"
	"strings"
	"time"
)

// Role says which duties a node has.
type Role string

// The roles.
const (
	RoleAll     Role = "all"     // takes events in and delivers them
	RoleAPI     Role = "api"     // takes events in; everything is stored as due, for others to deliver
	RoleDeliver Role = "deliver" // delivers; serves health and metrics only
	RoleIngest  Role = "ingest"  // receives webhooks at the URLs of sources; serves health and metrics besides
)

// HasAPI reports whether a node with the role serves the API.
func (r Role) HasAPI() bool { return r == RoleAll || r == RoleAPI }

// Receives reports whether a node with the role serves the ingest URLs.
func (r Role) Receives() bool { return r == RoleAll || r == RoleIngest }

// Delivers reports whether a node with the role has an engine.
func (r Role) Delivers() bool { return r == RoleAll || r == RoleDeliver }

// LogFormat is how log lines are written.
type LogFormat string

// The log formats.
const (
	LogText LogFormat = "text"
	LogJSON LogFormat = "json"
)

// SignatureHeaders says under which names deliveries carry their signature.
type SignatureHeaders string

// The names: webhook-id and so on, svix-id and so on, or both families.
const (
	HeadersWebhook SignatureHeaders = "webhook"
	HeadersSvix    SignatureHeaders = "svix"
	HeadersBoth    SignatureHeaders = "both"
)

// Config is what one server runs with. Load makes it; every field is checked.
type Config struct {
	Listen           string   // host:port
	MetricsListen    string   // host:port; empty: metrics are on the main listener
	PublicURL        *url.URL // nil: not told
	TrustedProxies   []netip.Prefix
	TLSCert, TLSKey  string // paths; both or none
	DB               string // "sqlite:PATH" or a URL of PostgreSQL, which may hold a password
	UIDir            string // folder with the files of the dashboard; empty: those of the binary
	DBDirect         string // URL of PostgreSQL around a connection pooler; empty: DB
	DBConnections    int    // most connections to PostgreSQL
	Role             Role
	APIKey           Secret // empty: none
	MasterKey        Secret // base64 of 32 bytes; empty: a file beside the database
	AllowNet         []netip.Prefix
	AllowHTTP        bool
	AllowPorts       []uint16
	EgressProxy      *url.URL // nil: none
	RetrySchedule    []time.Duration
	DisableAfter     time.Duration // 0: never
	SignatureHeaders SignatureHeaders
	SendTraceparent  bool // deliveries carry a traceparent
	EndpointTimeout  time.Duration
	EndpointLimit    int // endpoints per application; 0: no limit
	MaxBody          Size
	DeliveryMemory   Size
	DrainTimeout     time.Duration
	DrainDelay       time.Duration
	Heartbeat        time.Duration // from one beat to the next
	NodeLease        time.Duration // how long a node counts as alive after one

	Retention           time.Duration // 0: for ever
	RetentionPayload    time.Duration // 0: as long as the message
	RetentionAttempts   time.Duration // 0: as long as the message
	RetentionRequests   time.Duration // of received requests that became no message; 0: for ever
	AllowShortRetention bool

	OIDC OIDC

	LogFormat LogFormat
	LogLevel  Level

	// Warnings are things the operator should know that do not stop the start.
	Warnings []string

	origins map[string]Origin
}

// Postgres reports whether everything is kept in PostgreSQL.
func (c *Config) Postgres() bool { return !strings.HasPrefix(c.DB, sqliteScheme) }

// SQLitePath is the path of the database file; empty with PostgreSQL.
func (c *Config) SQLitePath() string {
	if c.Postgres() {
		return ""
	}
	return c.DB[len(sqliteScheme):]
}

// ShownDB is DB without passwords.
func (c *Config) ShownDB() string { return showDB(c.DB) }

// Explicit reports whether the setting was given by flag, environment or file.
func (c *Config) Explicit(name string) bool {
	_, given := c.origins[name]
	return given
}

// Origin is where a value comes from.
type Origin string

// Sources are the places where settings are looked for.
type Sources struct {
	// Flags holds the flags that were given, by flag name ("listen", "api-key-file").
	Flags map[string]string
	// Env is the environment in the form of os.Environ.
	Env []string
	// File is the path of a YAML file; empty: none.
	File string
	// Defaults takes the place of defaults of the table, by setting name.
	Defaults map[string]string
	// IgnoreDatabaseURL leaves DATABASE_URL, which other programs use too, unread.
	IgnoreDatabaseURL bool
}

// Load gathers the settings and checks them. The error is *Error and lists
// everything that is wrong.
func Load(src Sources) (*Config, error) {
	l := newLoader(src)
	l.readFile(src.File)
	l.readEnv()
	l.readFlags(src.Flags)
	c := l.build()
	if len(l.problems) == 0 {
		c.settle()
		l.problems = append(l.problems, c.check()...)
	}
	if len(l.problems) > 0 {
		return nil, &Error{Problems: l.problems}
	}
	return c, nil
}
