package api

import (
	"context"
	"log/slog"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"github.com/grapnelhq/grapnel/apitype"
	"github.com/grapnelhq/grapnel/internal/hook"
)

// Store is what the API asks of the store; each part is declared beside the
// handlers that use it.
type Store interface {
	keyStore
	applicationStore
	eventTypeStore
	endpointStore
	messageStore
	attemptStore
	taskStore
	sourceStore
	requestStore
	recentStore
	healthStore
	overviewStore
	issueStore
	recoverStore
	countedStore
	environmentStore
	peopleStore
	auditStore
	portalStore
	settingsStore
	// Ping reports whether the store can be read and written.
	Ping(ctx context.Context) error
}

// Deps is what the API needs from the rest of the server. Every field without a
// default in its comment must be set.
type Deps struct {
	Store Store
	// Now gives the current time.
	Now func() time.Time

	// Accept stores events, as the engine does it: places are reserved first and
	// what was leased is sent at once. Results are in the order of the events; an
	// error means that nothing was stored.
	Accept func(ctx context.Context, events []hook.NewEvent) ([]hook.Accepted, error)
	// Wake tells the engine that a lane has new work. Called after the commit.
	Wake func(lane hook.Lane)
	// EndpointChanged tells the engine, after the commit and before the answer,
	// that an endpoint has a new revision. closed is ReasonEndpointDisabled or
	// ReasonEndpointDeleted if it takes no more deliveries, else ReasonNone. The
	// revision of a deleted endpoint is 0.
	EndpointChanged func(endpoint hook.ID, revision int64, closed hook.Reason)
	// Watch reports attempts of a message: settled gets a value soon after one or
	// more were settled by this node. stop must be called once.
	Watch func(message hook.ID) (settled <-chan struct{}, stop func())
	// Hold says why the due deliveries of an endpoint wait, as this node knows it.
	Hold func(endpoint hook.ID) hook.HoldState

	// Authenticate finds the key of a token. An unknown, expired or revoked one is
	// a *hook.Error with CodeAuthentication.
	Authenticate func(ctx context.Context, token string) (hook.Key, error)
	// NewToken makes the text of a new token, of an application (app) or of an
	// environment, and the hash to find it by.
	NewToken func(app bool) (token string, hash [32]byte)
	// Forget drops what Authenticate remembers, after keys were changed.
	Forget func()

	// People is the desk at which members sign in.
	People People
	// OperatorKey is the hash of the key in the server's settings; zero: there is none.
	// Who knows it could read the database, so it may manage members as an owner may.
	OperatorKey [32]byte
	// Address gives the address of the caller. Default: that of the connection.
	Address func(r *http.Request) netip.Addr

	// Seal and Open encrypt and decrypt secrets at rest.
	Seal, Open hook.SealFunc
	// CheckURL checks the form, port and literal address of an endpoint's URL by
	// the network policy. It gives the URL without userinfo, and the userinfo as
	// "user:password", decoded; empty if there was none. The text of the error
	// names the rule and how to allow it, and is shown to the caller.
	CheckURL func(raw string) (clean, userinfo string, err error)
	// NewSecret makes the text of a signing secret.
	NewSecret func() string
	// CheckSecret says what is wrong with the text of a signing secret; the text of
	// the error is shown to the caller and must not repeat the secret.
	CheckSecret func(text string) error
	// PublicSecret gives what a receiver verifies with: the secret itself, or the
	// public half of an asymmetric one.
	PublicSecret func(text string) (string, error)

	// SourceTypes gives the types of source that the gateway verifies, cron excluded.
	// What it gives may be changed.
	SourceTypes func() []apitype.SourceTypeOut
	// CheckSource says what is wrong with the type, the verification settings or the
	// secrets of a source. secrets are the texts of those in s.
	CheckSource func(s *hook.Source, secrets []string) error
	// NextFire gives the first time after now that a cron source makes an event. The
	// text of the error says what is wrong with the schedule.
	NextFire func(cron hook.CronSettings, now time.Time) (time.Time, error)
	// NewSourceToken makes what an ingest URL ends in, and the hash to find it by.
	NewSourceToken func() (token string, hash [32]byte)
	// ForgetSource drops what the gateway remembers, after sources were changed.
	ForgetSource func()
	// VerifyRequest verifies a stored request with today's secrets and changes its
	// verdict. With process, a refused one that now verifies becomes a message, once.
	VerifyRequest func(ctx context.Context, env, source, request hook.ID, process bool) (hook.Request, error)
	// ReplayRequest makes new messages of a stored request: that of the source, and one
	// for each route. A body that is not nil takes the place of its own.
	ReplayRequest func(ctx context.Context, env, source, request hook.ID, body []byte) ([]hook.Message, error)
	// SendTo sends a stored request once to a URL that CheckURL let pass. Nothing of it
	// is kept.
	SendTo func(ctx context.Context, url string, r hook.Request) (hook.Attempt, error)

	// Live streams what is new to a caller.
	Live LiveFunc
	// System tells what the server knows about itself, as the caller of r reaches it.
	System func(ctx context.Context, r *http.Request) (apitype.SystemOut, error)

	// PublicURL gives the address by which the caller reached the server, with the
	// path prefix and without a trailing slash.
	PublicURL func(r *http.Request) string
	// MaxBody is the longest request body, in bytes. Default 1 MiB.
	MaxBody int64
	// RetrySteps are the waits before each retry of a delivery, to be shown.
	RetrySteps []time.Duration
	// EndpointLimit is the most endpoints of one application; 0: no limit.
	EndpointLimit int
	// Version is the version of the server, for the OpenAPI document.
	Version string
	// Logger gets internal errors. Default: slog.Default().
	Logger *slog.Logger
	// Published is told what came of events: "accepted", "duplicate", "refused" or
	// "failed", and how many. Default: nobody is told.
	Published func(result string, events int)
}

// API answers the routes. New makes one; it starts nothing.
type API struct {
	Deps
	routes  router
	apps    *appCache
	types   *typeCache
	bodies  *bodyBudget
	openAPI func() []byte // made when it is first asked for
	docs    docsPage
	ids     requestIDs
}

// New builds the API over its dependencies.
func New(d Deps) *API {
	if d.MaxBody <= 0 {
		d.MaxBody = 1 << 20
	}
	if d.Logger == nil {
		d.Logger = slog.Default()
	}
	if d.Address == nil {
		d.Address = peer
	}
	if d.Published == nil {
		d.Published = func(string, int) {}
	}
	a := &API{Deps: d, apps: newAppCache(), types: newTypeCache(), bodies: newBodyBudget(d.MaxBody), ids: newRequestIDs(), docs: newDocsPage()}
	table := allRoutes()
	for i := range table {
		a.routes.add(&table[i])
	}
	a.openAPI = sync.OnceValue(func() []byte { return openAPIDocument(table, d.Version) })
	return a
}

// Handler gives the handler for everything under /api and /ingest/api. It must see paths as the
// client sent them: a ServeMux in front of it would redirect a doubled slash.
func (a *API) Handler() http.Handler { return http.HandlerFunc(a.serve) }

// peer is the address of the connection.
func peer(r *http.Request) netip.Addr {
	at, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	return at.Addr().Unmap()
}
