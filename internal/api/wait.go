package api

import (
	"bytes"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/grapnelhq/grapnel/apitype"
	"github.com/grapnelhq/grapnel/internal/hook"
)

const (
	maxWait = time.Minute
	// lookAgain is how often deliveries are looked at without a hint: another node
	// may have made the attempt.
	lookAgain = time.Second
)

// wait reads how long the caller will wait: the query parameter wait, such as 5 or
// 5s, else "wait" of the Prefer header, which is ignored if it cannot be read. A
// parameter without a value is refused: whoever wrote it means to wait.
func (q *queryReader) wait(prefer string) time.Duration {
	text := q.text("wait")
	if !q.values.Has("wait") {
		return preferredWait(prefer)
	}
	d, err := seconds(text)
	switch {
	case err != nil:
		q.unreadable("wait", "a number of seconds, as in `wait=5s`")
	case d <= 0 || d > maxWait:
		q.invalid("wait", "must be more than 0 and at most 60 seconds")
	}
	return d
}

func seconds(text string) (time.Duration, error) {
	if n, err := strconv.ParseUint(text, 10, 16); err == nil {
		return time.Duration(n) * time.Second, nil
	}
	return time.ParseDuration(text)
}

func preferredWait(prefer string) time.Duration {
	for part := range strings.FieldsFuncSeq(prefer, func(r rune) bool { return r == ',' || r == ';' }) {
		name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		if !strings.EqualFold(strings.TrimSpace(name), "wait") {
			continue
		}
		if d, err := seconds(strings.Trim(value, ` "`)); err == nil && d > 0 {
			return min(d, maxWait)
		}
	}
	return 0
}

// publishAndWait accepts the event and answers when every endpoint has been tried
// once, or when the time is up.
func (c *call) publishAndWait(e *hook.NewEvent, withContent bool, wait time.Duration) (reply, error) {
	// Watched before it is accepted, so that no attempt is missed.
	settled, stop := c.Watch(e.ID)
	defer func() { stop() }()
	accepted, err := c.acceptOne(e)
	if err != nil {
		return reply{}, err
	}
	m := &accepted.Message
	if accepted.Duplicate {
		stop()
		settled, stop = c.Watch(m.ID)
	}
	timeUp := time.NewTimer(wait)
	defer timeUp.Stop()
	deliveries, expired, err := c.awaitFirstAttempts(m, settled, timeUp.C)
	if err != nil {
		return reply{}, err
	}
	attempts, err := c.attemptsOf(m)
	if err != nil {
		return reply{}, err
	}
	var rest bytes.Buffer
	if err := encode(&rest, c.waited(deliveries, attempts, expired)); err != nil {
		return reply{}, err
	}
	out := append([]byte{'{'}, appendMessageMembers(nil, m, payloadOf(m, withContent))...)
	out = append(append(out, ','), bytes.TrimSpace(rest.Bytes())[1:]...)
	return reply{status: http.StatusAccepted, json: out}, nil
}

// awaitFirstAttempts waits until each delivery of the message was tried or is over;
// expired says that the time ran out first.
func (c *call) awaitFirstAttempts(m *hook.Message, settled <-chan struct{}, timeUp <-chan time.Time) (list []hook.DeliveryOf, expired bool, err error) {
	again := time.NewTicker(lookAgain)
	defer again.Stop()
	for {
		if list, err = c.deliveriesOf(m); err != nil {
			return nil, false, err
		}
		if allTried(list) || expired {
			return list, !allTried(list), nil
		}
		select {
		case <-settled:
		case <-again.C:
		case <-timeUp:
			expired = true
		case <-c.ctx().Done():
			return nil, false, c.ctx().Err()
		}
	}
}

func allTried(list []hook.DeliveryOf) bool {
	for i := range list {
		if d := &list[i].Delivery; d.Attempts == 0 && !d.State.Final() {
			return false
		}
	}
	return true
}

// deliveriesOf gives all deliveries of a message, by endpoint.
func (c *call) deliveriesOf(m *hook.Message) ([]hook.DeliveryOf, error) {
	f := hook.DeliveryFilter{Env: c.key.Env, App: m.App, Message: m.ID, Page: hook.Page{Limit: maxLimit}}
	var all []hook.DeliveryOf
	for {
		page, err := c.Store.ListDeliveries(c.ctx(), f)
		if err != nil {
			return nil, err
		}
		all = append(all, page.Items...)
		if !page.More {
			slices.Reverse(all)
			return all, nil
		}
		f.Page.From = page.Items[len(page.Items)-1].Delivery.Endpoint
	}
}

// attemptsOf gives all attempts of a message, oldest first.
func (c *call) attemptsOf(m *hook.Message) ([]hook.Attempt, error) {
	f := hook.AttemptFilter{Env: c.key.Env, App: m.App, Message: m.ID, StatusClass: -1, Page: hook.Page{Limit: maxLimit}}
	var all []hook.Attempt
	for {
		page, err := c.Store.ListAttempts(c.ctx(), f)
		if err != nil {
			return nil, err
		}
		all = append(all, page.Items...)
		if !page.More {
			slices.Reverse(all)
			return all, nil
		}
		f.Page.From = page.Items[len(page.Items)-1].ID
	}
}

// waitOut is what apitype.MessageCreateOut adds to the message.
type waitOut struct {
	Deliveries  []apitype.DeliveryOut       `json:"deliveries"`
	Attempts    []apitype.MessageAttemptOut `json:"attempts"`
	WaitExpired bool                        `json:"waitExpired"`
}

func (c *call) waited(deliveries []hook.DeliveryOf, attempts []hook.Attempt, expired bool) waitOut {
	out := waitOut{
		Deliveries:  make([]apitype.DeliveryOut, len(deliveries)),
		Attempts:    make([]apitype.MessageAttemptOut, len(attempts)),
		WaitExpired: expired,
	}
	last := map[hook.ID]*hook.Attempt{}
	for i := range attempts {
		out.Attempts[i] = attemptOut(&attempts[i], attemptView{withContent: !c.hidesPayloads()})
		last[attempts[i].Endpoint] = &attempts[i]
	}
	for i := range deliveries {
		out.Deliveries[i] = deliveryOut(&deliveries[i], last[deliveries[i].Delivery.Endpoint])
	}
	return out
}

func deliveryOut(d *hook.DeliveryOf, last *hook.Attempt) apitype.DeliveryOut {
	out := apitype.DeliveryOut{
		EndpointID: hook.KindEndpoint.Format(d.Delivery.Endpoint),
		State:      apitype.DeliveryState(d.Delivery.State.String()), Reason: d.Delivery.Reason.String(),
		Attempts: d.Delivery.Attempts,
	}
	if d.Endpoint != nil {
		out.EndpointUID, out.URL = textOut(d.Endpoint.UID), d.Endpoint.URL
	}
	if d.Delivery.State == hook.Pending {
		out.DueAt = timeOut(d.Delivery.Due)
	}
	if last != nil {
		status, took := int16(last.Outcome.Status), last.Timings.Total.Milliseconds()
		out.LastStatusCode, out.LastDurationMs = &status, &took
	}
	return out
}
