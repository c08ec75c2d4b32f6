package acceptance_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	svix "github.com/svix/svix-webhooks/go"
	"github.com/svix/svix-webhooks/go/models"

	"github.com/grapnelhq/grapnel/apitype"
	"github.com/grapnelhq/grapnel/test/rig"
)

func TestResendGoesOutOnceMoreAsAManualAttempt(t *testing.T) {
	t.Parallel()
	c := admin(t)
	app, hook := newApplication(t, c), receiver.Hook()
	kind := newEventType(t, c, models.EventTypeIn{})
	ep := newEndpoint(t, c, app, models.EndpointIn{Url: hook.URL}).Id
	msg := publish(t, c, app, models.MessageIn{EventType: kind})
	equal(t, "id", hook.Next(t).ID(), msg.Id)
	awaitStatus(t, c, app, msg.Id, ep, models.MESSAGESTATUS_SUCCESS)

	answer, err := c.MessageAttempt.Resend(t.Context(), app, msg.Id, ep, nil)
	ok(t, err)
	equal(t, "answer", answer, &models.EmptyResponse{})
	equal(t, "id of the resent", hook.Next(t).ID(), msg.Id)
	eventually(t, func() error {
		list, err := c.MessageAttempt.ListByMsg(t.Context(), app, msg.Id, nil)
		ok(t, err)
		var triggers []models.MessageAttemptTriggerType
		for _, a := range list.Data {
			triggers = append(triggers, a.TriggerType)
		}
		return same(show(triggers), "[1,0]")
	})
}

func TestGoneDisablesTheEndpointAndRecoverDeliversWhatWasMissed(t *testing.T) {
	t.Parallel()
	c := admin(t)
	app, hook := newApplication(t, c), receiver.Hook(410)
	since := time.Now().Add(-time.Minute)
	ep := newEndpoint(t, c, app, models.EndpointIn{Url: hook.URL}).Id
	gone := publish(t, c, app, models.MessageIn{})
	equal(t, "id", hook.Next(t).ID(), gone.Id)
	awaitDisabled(t, c, app, ep, true)

	_, body := call(t, "GET", "/api/v1/app/"+app+"/endpoint/"+ep, rig.Key, "")
	var why struct {
		DisabledReason string
		DisabledAt     time.Time
	}
	ok(t, json.Unmarshal(body, &why))
	equal(t, "reason", why.DisabledReason, "gone_410")
	if why.DisabledAt.Before(since) {
		t.Errorf("disabled since %v", why.DisabledAt)
	}
	missed := publish(t, c, app, models.MessageIn{})
	awaitStatus(t, c, app, gone.Id, ep, models.MESSAGESTATUS_CANCELED)
	awaitVerdict(t, app, gone.Id, ep, "gone_410")
	awaitVerdict(t, app, missed.Id, ep, "endpoint_disabled")
	_, err := c.MessageAttempt.Resend(t.Context(), app, missed.Id, ep, nil)
	refused(t, err, 400, "endpoint_disabled")

	hook.Answer(204)
	enabled, err := c.Endpoint.Patch(t.Context(), app, ep, models.EndpointPatch{Disabled: new(false)})
	ok(t, err)
	equal(t, "disabled", enabled.Disabled, new(false))
	recoverAll(t, c, app, ep, since)
	got := []string{hook.Next(t).ID(), hook.Next(t).ID()}
	slices.Sort(got)
	equal(t, "recovered messages", got, []string{gone.Id, missed.Id})
	for _, msg := range got {
		awaitStatus(t, c, app, msg, ep, models.MESSAGESTATUS_SUCCESS)
	}
	last := publish(t, c, app, models.MessageIn{})
	equal(t, "next delivery", hook.Next(t).ID(), last.Id)
}

// awaitVerdict waits until the delivery is canceled for this reason.
func awaitVerdict(t *testing.T, app, msg, ep, reason string) {
	t.Helper()
	eventually(t, func() error {
		out, err := ours(t).ExplainMessage(t.Context(), app, msg)
		ok(t, err)
		if len(out.Endpoints) != 1 || out.Endpoints[0].EndpointID != ep || out.Endpoints[0].Verdict != apitype.VerdictCanceled {
			return fmt.Errorf("the verdicts are %s", show(out.Endpoints))
		}
		return same(out.Endpoints[0].Reason, reason)
	})
}

// recoverAll starts a recovery and waits until its task has finished.
func recoverAll(t *testing.T, c *svix.Svix, app, ep string, since time.Time) {
	t.Helper()
	task, err := c.Endpoint.Recover(t.Context(), app, ep, models.RecoverIn{Since: since}, nil)
	ok(t, err)
	equal(t, "task", task.Task, models.BACKGROUNDTASKTYPE_ENDPOINT_RECOVER)
	eventually(t, func() error {
		found, err := c.BackgroundTask.Get(t.Context(), task.Id)
		ok(t, err)
		return same(found.Status, models.BACKGROUNDTASKSTATUS_FINISHED)
	})
	list, err := c.BackgroundTask.List(t.Context(), &svix.BackgroundTaskListOptions{
		Task: new(models.BACKGROUNDTASKTYPE_ENDPOINT_RECOVER), Status: new(models.BACKGROUNDTASKSTATUS_FINISHED),
	})
	ok(t, err)
	if !slices.ContainsFunc(list.Data, func(b models.BackgroundTaskOut) bool { return b.Id == task.Id }) {
		t.Errorf("task %s is not among the finished ones", task.Id)
	}
}

func TestRecoverSendsOnlyWhatFailed(t *testing.T) {
	t.Parallel()
	c := admin(t)
	since := time.Now().Add(-time.Minute)
	app, hook := newApplication(t, c), receiver.Hook(204, 400)
	ep := newEndpoint(t, c, app, models.EndpointIn{Url: hook.URL}).Id
	good := publish(t, c, app, models.MessageIn{})
	equal(t, "id", hook.Next(t).ID(), good.Id)
	bad := publish(t, c, app, models.MessageIn{})
	awaitStatus(t, c, app, bad.Id, ep, models.MESSAGESTATUS_FAIL)
	for range 4 {
		equal(t, "id of a failed attempt", hook.Next(t).ID(), bad.Id)
	}

	hook.Answer(204)
	recoverAll(t, c, app, ep, since)
	equal(t, "recovered message", hook.Next(t).ID(), bad.Id)
	awaitStatus(t, c, app, bad.Id, ep, models.MESSAGESTATUS_SUCCESS)
	last := publish(t, c, app, models.MessageIn{})
	equal(t, "next delivery", hook.Next(t).ID(), last.Id)

	_, err := c.Endpoint.Recover(t.Context(), app, ep, models.RecoverIn{Since: time.Now().Add(-60 * 24 * time.Hour)}, nil)
	refused(t, err, 422, "body.since")
}

func TestDisabledEndpointMissesNothingThatRecoverCannotBring(t *testing.T) {
	t.Parallel()
	c := admin(t)
	since := time.Now().Add(-time.Minute)
	app, hook := newApplication(t, c), receiver.Hook()
	ep := newEndpoint(t, c, app, models.EndpointIn{Url: hook.URL, Disabled: new(true)}).Id
	missed := publish(t, c, app, models.MessageIn{})
	awaitVerdict(t, app, missed.Id, ep, "endpoint_disabled")
	_, err := c.Endpoint.Patch(t.Context(), app, ep, models.EndpointPatch{Disabled: new(false)})
	ok(t, err)
	recoverAll(t, c, app, ep, since)
	equal(t, "recovered message", hook.Next(t).ID(), missed.Id)
}

func TestManualAttemptThatFailsIsNotRetried(t *testing.T) {
	t.Parallel()
	c := admin(t)
	app, hook := newApplication(t, c), receiver.Hook(204, 500)
	ep := newEndpoint(t, c, app, models.EndpointIn{Url: hook.URL}).Id
	msg := publish(t, c, app, models.MessageIn{})
	hook.Next(t)
	awaitStatus(t, c, app, msg.Id, ep, models.MESSAGESTATUS_SUCCESS)
	_, err := c.MessageAttempt.Resend(t.Context(), app, msg.Id, ep, nil)
	ok(t, err)
	equal(t, "status of the resend", hook.Next(t).Status, 500)
	eventually(t, func() error {
		list, err := c.MessageAttempt.ListByMsg(t.Context(), app, msg.Id, nil)
		ok(t, err)
		return same(len(list.Data), 2)
	})
	stands := awaitStatus(t, c, app, msg.Id, ep, models.MESSAGESTATUS_SUCCESS)
	equal(t, "next attempt", stands.NextAttempt, nil)
}
