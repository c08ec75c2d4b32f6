package config

import (
	"fmt"
	"log/slog"
	"slices"
	"time"
)

// Level is the least important log line that is written.
type Level string

// The levels.
const (
	LevelDebug Level = "debug"
	LevelInfo  Level = "info"
	LevelWarn  Level = "warn"
	LevelError Level = "error"
)

var levels = []Level{LevelDebug, LevelInfo, LevelWarn, LevelError}

// Slog gives the level in the terms of log/slog.
func (l Level) Slog() slog.Level {
	switch l {
	case LevelDebug:
		return slog.LevelDebug
	case LevelInfo:
		return slog.LevelInfo
	case LevelWarn:
		return slog.LevelWarn
	case LevelError:
		return slog.LevelError
	}
	return slog.LevelInfo
}

// retentionMargin is how much longer than the retry schedule messages must be
// kept: a 429 can ask for a day, and somebody must have time to look.
const retentionMargin = day

// postgresDrainDelay is the default of --drain-delay where other nodes take the
// requests over: about how long a load balancer takes to see that this one is not ready.
const postgresDrainDelay = 2 * time.Second

// defaultConnections is the default of --db-connections.
const defaultConnections = 8

// beatsInLease is how many heartbeats a lease must outlast, so that one that is
// late or lost costs nothing.
const beatsInLease = 4

// settle derives what depends on several settings.
func (c *Config) settle() {
	if c.Postgres() && !c.Explicit("drain-delay") {
		c.DrainDelay = postgresDrainDelay
	}
	if c.AllowHTTP && !c.Explicit("allow-ports") && !slices.Contains(c.AllowPorts, 80) {
		c.AllowPorts = append([]uint16{80}, c.AllowPorts...)
	}
}

// check finds settings that are right each by itself but not together.
func (c *Config) check() []Problem {
	var found []Problem
	if (c.TLSCert == "") != (c.TLSKey == "") {
		found = append(found, Problem{"--tls-cert and --tls-key", "belong together, but only one is given", "Give both, or none for plain HTTP."})
	}
	if c.DeliveryMemory < c.MaxBody {
		found = append(found, Problem{"--delivery-memory " + c.DeliveryMemory.String(), "is less than one body of --max-body " + c.MaxBody.String() + " needs", "Raise the first or lower the second."})
	}
	if c.NodeLease < beatsInLease*c.Heartbeat {
		found = append(found, Problem{"--node-lease " + FormatDuration(c.NodeLease), "is less than 4 times --heartbeat " + FormatDuration(c.Heartbeat) + ", so one late heartbeat could end the node", "Raise the first or lower the second."})
	}
	found = append(found, c.checkDB()...)
	found = append(found, c.checkSignIn()...)
	if !c.AllowShortRetention {
		found = append(found, c.checkRetention()...)
	}
	return found
}

// checkDB finds what a kind of database needs, and what has no effect with it.
func (c *Config) checkDB() []Problem {
	if c.Postgres() {
		if c.MasterKey == "" {
			return []Problem{{"--db " + c.ShownDB(), "needs a master key, the same for every node, but none is given", "Make one with `openssl rand -base64 32`, keep it safe, and give it by GRAPNEL_MASTER_KEY or --master-key-file."}}
		}
		return nil
	}
	var found []Problem
	forPostgres := func(name string) {
		found = append(found, Problem{"--" + name, "is for PostgreSQL, but --db is " + c.DB, "Remove it, or name a PostgreSQL database with --db postgres://…"})
	}
	if c.DBDirect != "" {
		forPostgres("db-direct")
	}
	if c.DBConnections != defaultConnections {
		forPostgres("db-connections")
	}
	return found
}

func (c *Config) checkRetention() []Problem {
	var found []Problem
	need := c.ScheduleLength() + retentionMargin
	for _, keep := range []struct {
		name string
		d    time.Duration
	}{{"retention", c.Retention}, {"retention-payload", c.RetentionPayload}} {
		if keep.d == 0 || keep.d >= need {
			continue
		}
		found = append(found, Problem{
			Where: "--" + keep.name + " " + FormatDuration(keep.d),
			What:  fmt.Sprintf("is shorter than the retry schedule (%s) plus a day, so deliveries would end undelivered", FormatDuration(c.ScheduleLength())),
			Fix:   fmt.Sprintf("Use at least %s, shorten --retry-schedule, or accept the loss with --allow-short-retention.", FormatDuration(need)),
		})
	}
	return found
}

// ScheduleLength is how long a delivery is retried, without jitter.
func (c *Config) ScheduleLength() time.Duration {
	var sum time.Duration
	for _, step := range c.RetrySchedule {
		sum += step
	}
	return sum
}
