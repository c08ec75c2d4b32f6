package move

import (
	"fmt"
	"slices"

	"github.com/grapnelhq/grapnel/internal/hook"
)

// check refuses a record that no store has written: one with a value outside of
// a closed set, without an id that it needs, or with a hash of another length.
func check(rec hook.Record) error {
	switch r := rec.(type) {
	case *hook.EnvironmentRecord:
		return firstOf(named(r.ID), oneOf(r.Kind, hook.EnvironmentKinds))
	case *hook.KeyRecord:
		return firstOf(named(r.ID, r.Env), sized(r.Hash, 32))
	case *hook.ApplicationRecord:
		return named(r.ID, r.Env)
	case *hook.EventTypeRecord:
		return named(r.ID, r.Env)
	case *hook.EndpointRecord:
		return firstOf(named(r.ID, r.App), oneOf(r.DisabledReason, hook.DisableReasons))
	case *hook.RevisionRecord:
		return named(r.Endpoint)
	case *hook.MessageRecord:
		return named(r.ID, r.App)
	case *hook.DeliveryRecord:
		if r.State == hook.Sending {
			return fmt.Errorf("a delivery is leased")
		}
		return firstOf(named(r.Message, r.Endpoint), oneOf(r.State, hook.States), oneOf(r.Reason, hook.Reasons))
	case *hook.AttemptRecord:
		return firstOf(named(r.ID, r.Message, r.Endpoint), oneOf(r.Class, hook.Classes), oneOf(r.Trigger, triggers))
	case *hook.IdempotencyRecord:
		return firstOf(named(r.Env, r.Object), sized(r.Hash, 16), sized(r.Fingerprint, 16))
	case *hook.TaskRecord:
		return firstOf(named(r.ID, r.Env, r.App, r.Endpoint), oneOf(r.Kind, taskKinds), oneOf(r.Status, taskStatuses))
	case *hook.RollupRecord:
		return named(r.Endpoint)
	case *hook.SourceRecord:
		return checkSource(r)
	case *hook.RequestRecord:
		return checkRequest(r)
	case *hook.TrafficRecord:
		return named(r.Env)
	case *hook.MemberRecord:
		return firstOf(named(r.ID), oneOf(r.Role, hook.Roles))
	case *hook.PasskeyRecord:
		return named(r.ID, r.Member)
	case *hook.AuditRecord:
		return firstOf(named(r.ID), oneOf(r.Actor, hook.ActorKinds))
	case *hook.IssueRecord:
		return firstOf(named(r.ID, r.Env, r.Endpoint), oneOf(r.Class, hook.Classes), oneOf(r.State, hook.IssueStates))
	}
	return fmt.Errorf("there is no check of kind %s", rec.RecordKind())
}

func checkSource(r *hook.SourceRecord) error {
	if err := named(r.ID, r.Env); err != nil {
		return err
	}
	for _, t := range r.Tokens {
		if err := sized(t.Hash, 32); err != nil {
			return err
		}
	}
	return nil
}

func checkRequest(r *hook.RequestRecord) error {
	if r.State == hook.RequestAccepted && (r.Message.IsZero() || r.Envelope != nil || r.Body != nil) {
		return fmt.Errorf("an accepted request is apart from its message")
	}
	return firstOf(named(r.ID, r.Source), sized(r.Fingerprint, 16), oneOf(r.State, hook.RequestStates))
}

var (
	triggers     = []hook.Trigger{hook.TriggerScheduled, hook.TriggerManual}
	taskKinds    = []hook.TaskKind{hook.TaskRecover, hook.TaskReplay}
	taskStatuses = []hook.TaskStatus{hook.TaskRunning, hook.TaskFinished, hook.TaskFailed}
)

func named(ids ...hook.ID) error {
	if slices.ContainsFunc(ids, hook.ID.IsZero) {
		return fmt.Errorf("it lacks an id")
	}
	return nil
}

func sized(b []byte, want int) error {
	if len(b) != want {
		return fmt.Errorf("a hash has %d bytes, not %d", len(b), want)
	}
	return nil
}

func oneOf[T comparable](value T, closed []T) error {
	if !slices.Contains(closed, value) {
		return fmt.Errorf("%v is not a value that it can have", value)
	}
	return nil
}

func firstOf(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
