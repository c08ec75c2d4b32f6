package ingest

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"time"
	_ "time/tzdata" // the image has no time zones of its own

	"github.com/robfig/cron/v3"

	"github.com/grapnelhq/grapnel/internal/hook"
)

const (
	cronLook      = time.Second     // how often due sources are looked for
	cronTrouble   = 5 * time.Second // and after a failure
	cronBatch     = 100
	cronType      = "cron" // of an event, if the owner names none
	shortestEvery = time.Minute
	maxSchedule   = 200 // characters
)

var zeroTime time.Time

func index(i int) string { return "[" + strconv.Itoa(i) + "]" }

var (
	errSchedule = errors.New("must have five fields such as 0 9 * * 1, or be @hourly, @daily, @weekly, @monthly, @yearly or @every with at least a minute")
	errZone     = errors.New("must be an IANA name of a time zone, such as Europe/Berlin")
	errNever    = errors.New("never comes")
)

// parseSchedule reads a schedule in a time zone.
func parseSchedule(text, zone string) (cron.Schedule, error) {
	// The parser takes a time zone in front of the fields; ours has a place of its own.
	if len(text) > maxSchedule || strings.Contains(text, "=") {
		return nil, errSchedule
	}
	if ofMachine(zone) {
		return nil, errZone
	}
	where, err := time.LoadLocation(zone) // empty: UTC
	if err != nil {
		return nil, errZone
	}
	schedule, err := cron.ParseStandard(text)
	if err != nil {
		return nil, errSchedule
	}
	switch s := schedule.(type) {
	case *cron.SpecSchedule:
		s.Location = where
	case cron.ConstantDelaySchedule:
		if s.Delay < shortestEvery {
			return nil, errSchedule
		}
	}
	return schedule, nil
}

// ofMachine holds for names that some machines know besides those of IANA: another
// node reads another zone, or none. The zones below right/ count leap seconds.
func ofMachine(zone string) bool {
	return zone == "Local" || zone == "localtime" || zone == "posixrules" || strings.HasPrefix(zone, "posix/") || strings.HasPrefix(zone, "right/")
}

func (g *Gateway) checkCron(k *checker, s *hook.Source, secrets []string) {
	c := s.Settings.Cron
	if c == nil {
		k.bad("is needed: the schedule", "cron")
		return
	}
	if len(secrets) > 0 {
		k.bad("must be empty: a source of type cron receives nothing", "secrets")
	}
	if receives(&s.Settings) {
		k.bad("has no effect on a source of type cron, which receives nothing; it takes cron and routes", "type")
	}
	if int64(len(c.Payload)) > g.MaxBody {
		k.bad("must not be longer than the server's limit of bodies", "cron", "payload")
	}
	if c.EventType != "" && cleanType(c.EventType) != c.EventType {
		k.bad("must be 1 to 256 bytes without blanks and control characters", "cron", "eventType")
	}
	if len(c.ContentType) > maxHeaderText || strings.ContainsFunc(c.ContentType, notInHeader) {
		k.bad("must be a value that a header can have", "cron", "contentType")
	}
	next, err := NextFire(*c, g.Now())
	if err != nil {
		at := "schedule"
		if errors.Is(err, errZone) {
			at = "timeZone"
		}
		k.bad(err.Error(), "cron", at)
		return
	}
	if !s.Disabled && s.NextFire.IsZero() {
		s.NextFire = next
	}
}

// NextFire gives the first time after now that a cron source makes an event. The
// text of the error says what is wrong with the schedule or the time zone.
func NextFire(c hook.CronSettings, now time.Time) (time.Time, error) {
	schedule, err := parseSchedule(c.Schedule, c.TimeZone)
	if err != nil {
		return zeroTime, err
	}
	next := schedule.Next(now.UTC())
	if next.IsZero() {
		return zeroTime, errNever
	}
	return next.UTC(), nil
}

// receives reports whether settings are there that only requests have to do with.
func receives(s *hook.SourceSettings) bool {
	return len(s.Verification) > 0 || s.Dedupe != (hook.Dedupe{}) || !s.EventType.IsZero() || len(s.Responses) > 0 || s.Rate != 0 || s.MaxBody != 0 ||
		s.EmptyBody || s.RequireJSON || len(s.Methods) > 0 || len(s.AllowNets) > 0 || s.ClientCA != "" || len(s.ForwardHeaders) > 0
}

// latestFiring gives the last time of the schedule from due to now: of firings that
// were missed only the latest is made up for.
func latestFiring(schedule cron.Schedule, due, now time.Time) time.Time {
	if every, ok := schedule.(cron.ConstantDelaySchedule); ok {
		return due.Add(now.Sub(due).Truncate(every.Delay))
	}
	// Looking from shortly before now keeps the steps few however long it has been.
	for back := time.Hour; ; back *= 24 {
		from := now.Add(-back)
		if !from.After(due) {
			return lastOf(schedule, due, now)
		}
		if first := schedule.Next(from); !first.IsZero() && !first.After(now) {
			return lastOf(schedule, first, now)
		}
	}
}

// lastOf steps from one time of the schedule to the last one that has come.
func lastOf(schedule cron.Schedule, at, now time.Time) time.Time {
	for {
		next := schedule.Next(at)
		if next.IsZero() || next.After(now) {
			return at
		}
		at = next
	}
}

// RunCron makes the events of cron sources until ctx ends, on the node that leads.
func (g *Gateway) RunCron(ctx context.Context) error {
	failing := false
	for {
		rest := cronLook
		if g.Leads() {
			err := g.fireDue(ctx)
			if err != nil && !failing && ctx.Err() == nil {
				g.Logger.WarnContext(ctx, "events of cron sources could not be made, will try again", "error", err)
			}
			if failing = err != nil; failing {
				rest = cronTrouble
			}
		}
		timer := time.NewTimer(rest)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return nil
		}
	}
}

// fireDue makes the events of one batch of due sources.
func (g *Gateway) fireDue(ctx context.Context) error {
	now := g.Now().UTC()
	due, err := g.Store.DueSources(ctx, now, cronBatch)
	if err != nil {
		return err
	}
	var faults []error
	for i := range due {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err := g.fire(ctx, &due[i], now); err != nil {
			faults = append(faults, err)
		}
	}
	return errors.Join(faults...)
}

// fire makes one event, then notes when the next one is. If it comes to nothing
// between the two, the next try makes the same event, which is there already.
func (g *Gateway) fire(ctx context.Context, s *hook.Source, now time.Time) error {
	next := zeroTime
	if c := s.Settings.Cron; c != nil && !s.Disabled && s.Type == TypeCron {
		schedule, err := parseSchedule(c.Schedule, c.TimeZone)
		if err != nil {
			g.Logger.WarnContext(ctx, "a cron source has a schedule that cannot be read", "source", hook.KindSource.Format(s.ID))
		} else {
			at := latestFiring(schedule, s.NextFire, now)
			if err := g.makeEvent(ctx, s, at, now); err != nil {
				return err
			}
			next = schedule.Next(at)
		}
	}
	_, _, err := g.Store.UpdateSource(ctx, s.Env, hook.Ref{ID: s.ID}, nil, func(today *hook.Source) error {
		if today.NextFire.Equal(s.NextFire) { // else somebody has changed the schedule
			today.NextFire = next.UTC()
			if next.IsZero() {
				today.NextFire = zeroTime
			}
		}
		return nil
	})
	if isCode(err, hook.CodeNotFound) {
		return nil
	}
	return err
}

// makeEvent stores the event of one firing; its key is the time that was planned.
func (g *Gateway) makeEvent(ctx context.Context, s *hook.Source, at, now time.Time) error {
	c := s.Settings.Cron
	o := &occurrence{
		message: hook.NewID(now), key: "cron:" + at.UTC().Format(time.RFC3339), eventType: c.EventType, contentType: c.ContentType, now: now.Truncate(time.Microsecond),
	}
	if o.eventType == "" {
		o.eventType = cronType
	}
	if o.contentType == "" {
		o.contentType = defaultContentType
	}
	src := &source{Source: *s}
	events := eventsOf(src, &arrival{body: []byte(c.Payload)}, o)
	accepted, err := g.Accept(ctx, events)
	if err != nil {
		return err
	}
	// A conflict is this very event: an earlier try was broken off after it.
	if err := accepted[0].Err; err != nil && !isCode(err, hook.CodeNotFound) && !isCode(err, hook.CodeConflict) {
		return err
	}
	g.logRoutes(ctx, src, events, accepted)
	return nil
}
