package server

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/grapnelhq/grapnel/internal/api"
	"github.com/grapnelhq/grapnel/internal/auth"
	"github.com/grapnelhq/grapnel/internal/deliver"
	"github.com/grapnelhq/grapnel/internal/hook"
	"github.com/grapnelhq/grapnel/internal/netguard"
	"github.com/grapnelhq/grapnel/internal/send"
	"github.com/grapnelhq/grapnel/internal/upkeep"
	"github.com/grapnelhq/grapnel/webhook"
)

// wire makes the rooms and hands each what it needs of the others.
func (s *Server) wire(sealIt, open hook.SealFunc) error {
	policy := s.policy()
	s.auth = auth.New(s.store, s.now, s.log)
	if s.cfg.Role.Delivers() || s.cfg.Role.HasAPI() {
		if err := s.wireSender(policy, open); err != nil {
			return err
		}
	}
	if s.cfg.Role.Delivers() {
		s.wireDelivery()
		s.keeper.Follow(s.engine.Join, s.engine.Hear)
		s.hinted.Store(s.engine)
	}
	s.wireIngest(policy, sealIt, open)
	if s.cfg.Role.HasAPI() {
		if err := s.wirePeople(policy); err != nil {
			return err
		}
		s.api = api.New(s.apiDeps(policy, sealIt, open))
		s.apiHandler = s.api.Handler()
		s.wireListening(open)
		return s.wireDashboard()
	}
	return nil
}

func (s *Server) policy() *netguard.Policy {
	self := make([]netip.AddrPort, 0, 2)
	for _, l := range s.listeners() {
		self = append(self, l.addrPort())
	}
	return &netguard.Policy{
		AllowNets: s.cfg.AllowNet, AllowHTTP: s.cfg.AllowHTTP, AllowPorts: s.cfg.AllowPorts, SelfAddrs: self,
	}
}

// wireSender makes the way out: of deliveries, and of requests that are sent again
// through the API.
func (s *Server) wireSender(policy *netguard.Policy, open hook.SealFunc) error {
	names, err := send.ParseSignatureHeaders(string(s.cfg.SignatureHeaders))
	if err != nil {
		return err
	}
	_, idle := connections(openFiles())
	agent := "Grapnel/" + s.version
	if s.cfg.PublicURL != nil {
		agent += " (+" + s.cfg.PublicURL.String() + ")"
	}
	s.sender, err = send.New(send.Options{
		Open:             open,
		Dialer:           &netguard.Dialer{Policy: policy, Connect: s.world.Connect},
		UserAgent:        agent,
		SignatureHeaders: names,
		Traceparent:      s.traceparent(),
		Fresh:            s.keeper.Fresh,
		Timeouts:         send.Timeouts{Total: s.cfg.EndpointTimeout},
		EgressProxy:      s.cfg.EgressProxy,
		MaxIdle:          idle,
		Now:              s.now,
		Log:              s.log,
	})
	if err != nil {
		return fmt.Errorf("making the sender: %w", err)
	}
	return nil
}

func (s *Server) wireDelivery() {
	inFlight, _ := connections(openFiles())
	sweep := time.Duration(0) // the engine's own
	if s.cfg.Postgres() {
		sweep = sharedSweep
	}
	s.engine = deliver.New(deliver.Options{
		Store:          s.store,
		Send:           s.metrics.counting(s.sender.Post),
		Now:            s.now,
		Elapsed:        s.elapsed,
		Rand:           s.world.Rand,
		RetryPolicy:    hook.RetryPolicy{Steps: s.cfg.RetrySchedule, TimeoutFloor: s.timeoutFloor()},
		DisableAfter:   s.cfg.DisableAfter,
		MaxInFlight:    inFlight,
		MemoryBytes:    int64(s.cfg.DeliveryMemory),
		AttemptTimeout: s.cfg.EndpointTimeout + attemptSlack,
		DrainTimeout:   s.cfg.DrainTimeout,
		Sweep:          sweep,
		Fresh:          s.keeper.Fresh,
		Signal:         s.keeper.Signal,
		Logger:         s.log,
		Observer:       s.traced(s.metrics.observer()),
	})
	s.metrics.watchEngine(s)
}

// maxConnections bounds the attempts at the same time, and the idle connections.
const maxConnections = 4096

// connections shares out the files that the process may have open: a quarter to
// attempts, an eighth to idle connections, the rest to the API and the database. An
// attempt that fails for want of a file would stand in its endpoint's record like
// a failure of the endpoint.
func connections(files int) (inFlight, idle int) {
	return max(1, min(files/4, maxConnections)), max(1, min(files/8, maxConnections))
}

// sharedSweep is how often a node looks for what others left due in a store that
// they share: the hints that tell it at once can be lost.
const sharedSweep = 2 * time.Second

// attemptSlack lets the sender, which knows in which phase an attempt is, run
// into its own limit first.
const attemptSlack = time.Second

// timeoutFloor is the shortest wait after a timeout. A schedule whose longest
// step is shorter is for trying things out, and means what it says.
func (s *Server) timeoutFloor() time.Duration {
	floor := time.Duration(0)
	for _, step := range s.cfg.RetrySchedule {
		floor = max(floor, step)
	}
	return min(floor, hook.DefaultTimeoutFloor)
}

func (s *Server) apiDeps(policy *netguard.Policy, sealIt, open hook.SealFunc) api.Deps {
	d := api.Deps{
		Store: s.store, Now: s.now,
		Accept: s.observed(hook.KindApplication, s.acceptDue), Wake: func(hook.Lane) {},
		EndpointChanged: func(hook.ID, int64, hook.Reason) {},
		Watch:           func(hook.ID) (<-chan struct{}, func()) { return nil, func() {} },
		Hold:            s.keeper.Hold,
		Authenticate:    s.auth.Authenticate, NewToken: auth.NewToken, Forget: s.forgetKeys,
		People: s.people, OperatorKey: operatorKey(s.cfg), Address: s.clientOf,
		Seal: sealIt, Open: open,
		CheckURL:     checkURL(policy),
		NewSecret:    func() string { return webhook.NewSecret().Reveal() },
		CheckSecret:  checkSecret,
		PublicSecret: publicSecret,
		PublicURL:    s.publicURL,
		MaxBody:      int64(s.cfg.MaxBody), EndpointLimit: s.cfg.EndpointLimit, RetrySteps: s.cfg.RetrySchedule,
		Version: s.version, Logger: s.log, Published: s.metrics.published,
		Live: s.follow, System: s.system,
	}
	s.addSources(&d)
	if s.engine != nil {
		d.Accept = s.observed(hook.KindApplication, s.engine.Accept)
		d.Wake, d.EndpointChanged = s.engine.Wake, s.engine.EndpointChanged
		d.Watch, d.Hold = s.engine.Watch, s.engine.Hold
	}
	return d
}

// startLoops starts what runs beside the answering of requests.
func (s *Server) startLoops() {
	wake := func(hook.Lane) {}
	if s.engine != nil {
		s.delivery.start("delivery engine", s.engine.Run)
		wake = s.engine.Wake
	}
	if s.hub != nil {
		s.chores.start("listeners", s.hub.Run)
		s.chores.start("live streams", s.live.Run)
	}
	leads := s.keeper.Leads
	retention := &upkeep.Retention{Store: s.store, Leads: leads, Now: s.now, Log: s.log, Keep: s.retention(), Removed: s.metrics.removed}
	tasks := &upkeep.Tasks{Store: s.store, Leads: leads, Now: s.now, Log: s.log, Wake: wake}
	rollups := &upkeep.Rollups{Store: s.store, Leads: leads, Now: s.now, Log: s.log}
	rescue := &upkeep.Rescue{Store: s.store, Every: s.cfg.Heartbeat, Leads: leads, Now: s.now, Log: s.log, Wake: wake}
	s.chores.start("request log", s.gateway.Run)
	s.chores.start("cron sources", s.gateway.RunCron)
	s.chores.start("heartbeat", s.keeper.Run)
	s.chores.start("rescue", rescue.Run)
	s.chores.start("rollups", rollups.Run)
	s.chores.start("retention", retention.Run)
	s.chores.start("background tasks", tasks.Run)
	s.chores.start("key uses", s.auth.Run)
	if s.people != nil {
		s.chores.start("session uses", s.people.Run)
	}
}

func (s *Server) retention() hook.Retention {
	return hook.Retention{
		Messages: s.cfg.Retention, Payloads: s.cfg.RetentionPayload, Attempts: s.cfg.RetentionAttempts, Requests: s.cfg.RetentionRequests,
	}
}

// checkURL decides about an endpoint's URL and takes the userinfo out of it.
func checkURL(policy *netguard.Policy) func(string) (clean, userinfo string, err error) {
	return func(raw string) (string, string, error) {
		target, err := policy.CheckURL(raw)
		var denied *netguard.Denied
		if errors.As(err, &denied) && denied.Hint != "" {
			return "", "", fmt.Errorf("%s; %s", denied.Error(), denied.Hint)
		}
		if err != nil {
			return "", "", err
		}
		userinfo := ""
		if target.User != nil {
			password, _ := target.User.Password()
			userinfo = target.User.Username() + ":" + password
		}
		return target.URL.String(), userinfo, nil
	}
}

// checkSecret says whether deliveries can be signed with the secret. Its error is shown
// to callers, who know nothing of packages.
func checkSecret(text string) error {
	key, err := webhook.ParseLooseKey(text)
	if err == nil {
		_, err = webhook.NewSigner(key)
	}
	if err != nil {
		return errors.New(strings.TrimPrefix(err.Error(), webhook.ErrKey.Error()+": "))
	}
	return nil
}

// publicSecret gives what a receiver verifies with.
func publicSecret(text string) (string, error) {
	key, err := webhook.ParseLooseKey(text)
	if err != nil {
		return "", err
	}
	if public, ok := key.Public(); ok {
		return public.Reveal(), nil
	}
	return text, nil
}

// acceptDue stores events on a node that does not deliver: everything is due.
func (s *Server) acceptDue(ctx context.Context, events []hook.NewEvent) ([]hook.Accepted, error) {
	return s.store.Accept(ctx, hook.Node{}, noPlaces{}, s.now(), events)
}

// noPlaces is the Placer of a node that does not deliver.
type noPlaces struct{}

func (noPlaces) Reserve(*hook.Endpoint, int) bool    { return false }
func (noPlaces) Unreserve(*hook.Endpoint, int)       {}
func (noPlaces) Due(*hook.Endpoint, bool, time.Time) {}
