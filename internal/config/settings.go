package config

import (
	"slices"
	"strings"
	"time"
)

// Setting is one row of the table of settings.
type Setting struct {
	Name    string // such as "allow-net"
	Default string // in the form in which it is given; empty: none
	Value   string // what help shows for the value, such as "CIDR,…"; empty: a switch
	Usage   string
	Group   string
	Secret  bool // its text comes from environment, YAML or a file, never from a flag

	set  func(*Config, string) error
	show func(*Config) string
}

// Flag is the name of the flag, without dashes.
func (s Setting) Flag() string {
	if s.Secret {
		return s.Name + "-file"
	}
	return s.Name
}

// Env is the name of the environment variable.
func (s Setting) Env() string {
	return envPrefix + strings.ToUpper(strings.ReplaceAll(s.Name, "-", "_"))
}

// Key is the YAML key.
func (s Setting) Key() string { return strings.ReplaceAll(s.Name, "-", "_") }

const (
	envPrefix    = "GRAPNEL_"
	sqliteScheme = "sqlite:"
)

// Settings lists every setting, in the order of help and documents.
func Settings() []Setting { return settings }

var settings = slices.Concat(serverSettings, signInSettings, logSettings)

var serverSettings = []Setting{
	{Group: "Server", Name: "listen", Default: "127.0.0.1:8080", Value: "HOST:PORT", Usage: "where the API listens",
		set: func(c *Config, v string) error { return setAddress(&c.Listen, v) }, show: func(c *Config) string { return c.Listen }},
	{Group: "Server", Name: "db", Default: "sqlite:grapnel.db", Value: "ADDRESS", Usage: "where everything is kept: sqlite:PATH, or postgres://… for several nodes",
		set: func(c *Config, v string) error { return setDB(&c.DB, v) }, show: (*Config).ShownDB},
	{Group: "Server", Name: "db-direct", Value: "URL", Usage: "PostgreSQL without a connection pooler such as PgBouncer between, for its notifications (default: --db)",
		set: func(c *Config, v string) error { return setPostgres(&c.DBDirect, v) }, show: func(c *Config) string { return showDB(c.DBDirect) }},
	{Group: "Server", Name: "db-connections", Default: showInt(defaultConnections), Value: "N", Usage: "most connections of this node to PostgreSQL",
		set: func(c *Config, v string) error { return setInt(&c.DBConnections, v, 2, 1000) }, show: func(c *Config) string { return showInt(c.DBConnections) }},
	{Group: "Server", Name: "role", Default: "all", Value: "all|api|deliver|ingest", Usage: "duties of this node",
		set: func(c *Config, v string) error {
			return setWord(&c.Role, v, RoleAll, RoleAPI, RoleDeliver, RoleIngest)
		}, show: func(c *Config) string { return string(c.Role) }},
	{Group: "Server", Name: "public-url", Value: "URL", Usage: "address under which others reach this server, with path prefix",
		set: func(c *Config, v string) error { return setPublicURL(&c.PublicURL, v) }, show: func(c *Config) string { return showURL(c.PublicURL) }},
	{Group: "Server", Name: "tls-cert", Value: "FILE", Usage: "certificate chain in PEM; read again when it changes",
		set: func(c *Config, v string) error { c.TLSCert = v; return nil }, show: func(c *Config) string { return c.TLSCert }},
	{Group: "Server", Name: "tls-key", Value: "FILE", Usage: "private key of the certificate in PEM",
		set: func(c *Config, v string) error { c.TLSKey = v; return nil }, show: func(c *Config) string { return c.TLSKey }},
	{Group: "Server", Name: "trusted-proxies", Value: "CIDR,…", Usage: "proxies whose forwarded headers are believed",
		set: func(c *Config, v string) error { return setNets(&c.TrustedProxies, v) }, show: func(c *Config) string { return join(c.TrustedProxies) }},
	{Group: "Server", Name: "metrics-listen", Default: "off", Value: "HOST:PORT|off", Usage: "own listener for metrics and profiles, open to whoever reaches it",
		set: setMetricsListen, show: func(c *Config) string { return orOff(c.MetricsListen) }},
	{Group: "Server", Name: "ui-dir", Value: "FOLDER", Usage: "serve the dashboard from the files in this folder instead of those in the binary, for work on it",
		set: func(c *Config, v string) error { c.UIDir = v; return nil }, show: func(c *Config) string { return c.UIDir }},
	{Group: "Server", Name: "max-body", Default: "1MiB", Value: "SIZE", Usage: "largest request body",
		set: func(c *Config, v string) error { return setSize(&c.MaxBody, v, KiB, GiB) }, show: func(c *Config) string { return c.MaxBody.String() }},
	{Group: "Server", Name: "drain-timeout", Default: "25s", Value: "DURATION", Usage: "how long running requests and sends may take to end at a stop",
		set: func(c *Config, v string) error { return setDuration(&c.DrainTimeout, v, 0, time.Hour) }, show: func(c *Config) string { return FormatDuration(c.DrainTimeout) }},
	{Group: "Server", Name: "drain-delay", Default: "0s", Value: "DURATION", Usage: "how long requests are still answered at a stop after /readyz says no; 2s with PostgreSQL unless given",
		set: func(c *Config, v string) error { return setDuration(&c.DrainDelay, v, 0, 10*time.Minute) }, show: func(c *Config) string { return FormatDuration(c.DrainDelay) }},
	{Group: "Server", Name: "heartbeat", Default: "500ms", Value: "DURATION", Usage: "how often this node renews its lease and hears of the others",
		set: func(c *Config, v string) error {
			return setDuration(&c.Heartbeat, v, 10*time.Millisecond, time.Hour)
		}, show: func(c *Config) string { return FormatDuration(c.Heartbeat) }},
	{Group: "Server", Name: "node-lease", Default: "10s", Value: "DURATION", Usage: "how long after its last heartbeat others take over this node's deliveries",
		set: func(c *Config, v string) error {
			return setDuration(&c.NodeLease, v, 100*time.Millisecond, day)
		}, show: func(c *Config) string { return FormatDuration(c.NodeLease) }},

	{Group: "Keys", Name: "api-key", Value: "FILE", Secret: true, Usage: "an API key with all rights, 16 to 128 printable characters; taken into the database at the start",
		set: func(c *Config, v string) error { return setAPIKey(&c.APIKey, v) }, show: func(c *Config) string { return c.APIKey.String() }},
	{Group: "Keys", Name: "master-key", Value: "FILE", Secret: true, Usage: "key that encrypts secrets at rest, 32 bytes in base64 (default: made once beside the SQLite file; PostgreSQL needs one)",
		set: func(c *Config, v string) error { return setMasterKey(&c.MasterKey, v) }, show: func(c *Config) string { return c.MasterKey.String() }},

	{Group: "Deliveries", Name: "allow-net", Value: "CIDR,…", Usage: "private networks that deliveries may reach",
		set: func(c *Config, v string) error { return setNets(&c.AllowNet, v) }, show: func(c *Config) string { return join(c.AllowNet) }},
	{Group: "Deliveries", Name: "allow-http", Default: "false", Usage: "let endpoints use plain http",
		set: func(c *Config, v string) error { return setBool(&c.AllowHTTP, v) }, show: func(c *Config) string { return showBool(c.AllowHTTP) }},
	{Group: "Deliveries", Name: "allow-ports", Default: "443,8443", Value: "PORT,…", Usage: "ports that deliveries may use (by default also 80 with --allow-http)",
		set: func(c *Config, v string) error { return setPorts(&c.AllowPorts, v) }, show: func(c *Config) string { return join(c.AllowPorts) }},
	{Group: "Deliveries", Name: "egress-proxy", Value: "URL", Usage: "proxy through which deliveries leave",
		set: func(c *Config, v string) error { return setProxy(&c.EgressProxy, v) }, show: func(c *Config) string { return showURL(c.EgressProxy) }},
	{Group: "Deliveries", Name: "retry-schedule", Default: "5s,5m,30m,2h,5h,10h,10h", Value: "DURATION,…|none", Usage: "waits before each retry",
		set: func(c *Config, v string) error { return setSchedule(&c.RetrySchedule, v) }, show: func(c *Config) string { return showSchedule(c.RetrySchedule) }},
	{Group: "Deliveries", Name: "disable-after", Default: "120h", Value: "DURATION|off", Usage: "disable an endpoint after this long of nothing but failure",
		set: func(c *Config, v string) error { return setLongOrOff(&c.DisableAfter, v) }, show: func(c *Config) string { return showLong(c.DisableAfter, "off") }},
	{Group: "Deliveries", Name: "signature-headers", Default: "webhook", Value: "webhook|svix|both", Usage: "names of the signature headers",
		set: func(c *Config, v string) error {
			return setWord(&c.SignatureHeaders, v, HeadersWebhook, HeadersSvix, HeadersBoth)
		}, show: func(c *Config) string { return string(c.SignatureHeaders) }},
	{Group: "Deliveries", Name: "send-traceparent", Default: "false", Usage: "send a traceparent that names the event's trace and the attempt",
		set: func(c *Config, v string) error { return setBool(&c.SendTraceparent, v) }, show: func(c *Config) string { return showBool(c.SendTraceparent) }},
	{Group: "Deliveries", Name: "endpoint-timeout", Default: "15s", Value: "DURATION", Usage: "longest time for one attempt",
		set: func(c *Config, v string) error {
			return setDuration(&c.EndpointTimeout, v, 100*time.Millisecond, 5*time.Minute)
		}, show: func(c *Config) string { return FormatDuration(c.EndpointTimeout) }},
	{Group: "Deliveries", Name: "endpoint-limit", Default: "0", Value: "N", Usage: "most endpoints of one application; 0 for no limit",
		set: func(c *Config, v string) error { return setInt(&c.EndpointLimit, v, 0, 1_000_000) }, show: func(c *Config) string { return showInt(c.EndpointLimit) }},
	{Group: "Deliveries", Name: "delivery-memory", Default: "64MiB", Value: "SIZE", Usage: "most memory for bodies in flight",
		set: func(c *Config, v string) error { return setSize(&c.DeliveryMemory, v, MiB, 1024*GiB) }, show: func(c *Config) string { return c.DeliveryMemory.String() }},

	{Group: "Retention", Name: "retention", Default: "90d", Value: "DURATION|forever", Usage: "how long messages are kept, with all that belongs to them",
		set: func(c *Config, v string) error { return setKeep(&c.Retention, v) }, show: func(c *Config) string { return showLong(c.Retention, "forever") }},
	{Group: "Retention", Name: "retention-payload", Default: "forever", Value: "DURATION|forever", Usage: "how long payloads are kept; forever: as long as the message",
		set: func(c *Config, v string) error { return setKeep(&c.RetentionPayload, v) }, show: func(c *Config) string { return showLong(c.RetentionPayload, "forever") }},
	{Group: "Retention", Name: "retention-attempts", Default: "forever", Value: "DURATION|forever", Usage: "how long attempts are kept; forever: as long as the message",
		set: func(c *Config, v string) error { return setKeep(&c.RetentionAttempts, v) }, show: func(c *Config) string { return showLong(c.RetentionAttempts, "forever") }},
	{Group: "Retention", Name: "retention-requests", Default: "7d", Value: "DURATION|forever", Usage: "how long received requests that became no message are kept: refused ones, repeated ones, handshakes",
		set: func(c *Config, v string) error { return setKeep(&c.RetentionRequests, v) }, show: func(c *Config) string { return showLong(c.RetentionRequests, "forever") }},
	{Group: "Retention", Name: "allow-short-retention", Default: "false", Usage: "accept a retention that is shorter than the retries need; what is not delivered by then is canceled",
		set: func(c *Config, v string) error { return setBool(&c.AllowShortRetention, v) }, show: func(c *Config) string { return showBool(c.AllowShortRetention) }},
}

var logSettings = []Setting{
	{Group: "Logs", Name: "log-format", Default: "text", Value: "text|json", Usage: "form of log lines",
		set: func(c *Config, v string) error { return setWord(&c.LogFormat, v, LogText, LogJSON) }, show: func(c *Config) string { return string(c.LogFormat) }},
	{Group: "Logs", Name: "log-level", Default: "info", Value: "debug|info|warn|error", Usage: "least important lines to write; info has one line for each message and attempt",
		set: func(c *Config, v string) error { return setWord(&c.LogLevel, v, levels...) }, show: func(c *Config) string { return string(c.LogLevel) }},
}
