//go:build crash

package crash_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/grapnelhq/grapnel/apitype"
	"github.com/grapnelhq/grapnel/client"
	"github.com/grapnelhq/grapnel/provider"
	"github.com/grapnelhq/grapnel/test/rig"
)

const (
	sendersPerSource = 4
	// sentTwiceEvery is how often a provider sends an event again although it was
	// answered 2xx, and forgedEvery how often somebody else sends one.
	sentTwiceEvery = 4
	forgedEvery    = 20
	// tries is how often a provider sends an event that was not answered 2xx.
	tries = 3
)

// origin is one source and the provider that sends to it.
type origin struct {
	provider string
	secret   string
	id       string // of the source
	path     string // of its ingest URL
	endpoint string // id
	key      string // that verifies what the endpoint gets
}

func origins() []*origin {
	return []*origin{{provider: "github", secret: "crash-secret-of-github"}, {provider: "stripe", secret: "whsec_crashSecretOfStripe0123456789"}}
}

// verifier is that of the provider under a secret.
func (o *origin) verifier(secret string) (*provider.Verifier, error) {
	return provider.New(o.provider, provider.Settings{}, provider.Secret{Value: secret})
}

// event makes a body with this id, and the headers that come with it.
func (o *origin) event(id string) (http.Header, []byte) {
	h := http.Header{"Content-Type": {"application/json"}}
	pad := strings.Repeat("ü", len(id)*7)
	if o.provider == "github" {
		h.Set("X-Github-Event", "push")
		h.Set("X-Github-Delivery", id)
		return h, fmt.Appendf(nil, `{ "after":"%s", "pad":"%s" }`, id, pad)
	}
	return h, fmt.Appendf(nil, "{\"id\":\"%s\",\n\"type\":\"invoice.paid\",\"pad\":\"%s\"}", id, pad)
}

func TestKillAtAnyMomentLosesNoReceivedRequest(t *testing.T) {
	rounds := fromEnvironment(t, "ROUNDS", 5)
	seed := fromEnvironment(t, "SEED", uint64(time.Now().UnixNano()))
	t.Logf("%d rounds; SEED=%d repeats the moments", rounds, seed)
	random := rand.New(rand.NewPCG(seed, 1))

	w := newWorld(t, nil)
	inbound := newIntake(t, origins())
	s := w.start(t)
	inbound.furnish(t, s)
	inbound.begin(t)
	for range rounds {
		inbound.kill(s)
		s = w.Launch(t, w.Options)
		life := time.NewTimer(lifetime(random))
		ctx, cancel := context.WithCancel(t.Context())
		ready := make(chan struct{})
		go func() {
			defer close(ready)
			if s.AwaitReady(ctx) == nil {
				inbound.gate.open(s.Door())
			}
		}()
		select {
		case <-life.C:
		case <-s.Exited():
			t.Fatalf("the server ended by itself:\n%s", s.Log)
		}
		cancel()
		<-ready
	}
	inbound.kill(s)
	s = w.start(t)
	inbound.gate.open(s.Door())
	inbound.finish()
	inbound.audit(t, s)
	rig.Check(t, s.Stop(t.Context()))
	inbound.auditDatabase(t, w)
}

// furnish makes the sources, each with one endpoint.
func (n *intake) furnish(t *testing.T, s *rig.Server) {
	t.Helper()
	c, err := client.New(s.URL, rig.Key)
	rig.Check(t, err)
	for i, o := range n.origins {
		source, err := c.CreateSource(t.Context(), apitype.SourceIn{
			Name: o.provider, Type: o.provider, Secrets: apitype.Some([]apitype.SourceSecretIn{{Value: o.secret}}),
		})
		rig.Check(t, err)
		at, err := url.Parse(*source.IngestURL)
		rig.Check(t, err)
		o.id, o.path = source.ID, at.Path
		ep, err := c.CreateEndpoint(t.Context(), o.id, apitype.EndpointIn{URL: fmt.Sprintf("%s/%d", n.receiver.URL, i)})
		rig.Check(t, err)
		secret, err := c.EndpointSecret(t.Context(), o.id, ep.ID)
		rig.Check(t, err)
		o.endpoint, o.key = ep.ID, secret.Key
	}
	n.gate.open(s.Door())
}

// send posts an event of this provider once, signed with a secret. It gives the status,
// 0 if there was no answer, and the request's id.
func (n *intake) send(ctx context.Context, o *origin, server, secret, id string) (status int, request string, err error) {
	v, err := o.verifier(secret)
	if err != nil {
		return 0, "", err
	}
	header, body := o.event(id)
	signed := provider.Request{Method: http.MethodPost, URL: server + o.path, Header: header, Body: body}
	if err := v.Sign(&signed, id, time.Now()); err != nil {
		return 0, "", err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, signed.URL, bytes.NewReader(signed.Body))
	if err != nil {
		return 0, "", err
	}
	req.Header = signed.Header
	resp, err := n.http.Do(req)
	if err != nil { // a dead server is what this is about
		return 0, "", nil
	}
	defer resp.Body.Close()
	_, err = io.Copy(io.Discard, resp.Body)
	if err != nil {
		return 0, "", nil
	}
	return resp.StatusCode, resp.Header.Get("Grapnel-Request-Id"), nil
}

// provide sends one event after the other, as the provider does: again until it is
// answered 2xx, and now and then once more after that.
func (n *intake) provide(ctx context.Context, index, sender int) {
	o := n.origins[index]
	for serial := 0; ; serial++ {
		id := fmt.Sprintf("%s-%d-%d", o.provider, sender, serial)
		secret, left := o.secret, tries
		if serial%forgedEvery == forgedEvery-1 {
			id, secret, left = id+"-forged", o.secret+"x", 1
		}
		again := serial%sentTwiceEvery == 0
		for ; left > 0; left-- {
			door, more := n.gate.pass()
			if !more {
				return
			}
			status, request, err := n.send(ctx, o, door.URL, secret, id)
			if err != nil {
				n.fault("sending %s: %v", id, err)
				return
			}
			n.answered(index, id, status, request)
			if status == 0 {
				n.gate.shut(door)
			}
			if status/100 == 2 {
				if !again {
					break
				}
				again = false
			}
		}
	}
}

// audit compares what the providers were told with what the server has and what arrived.
func (n *intake) audit(t *testing.T, s *rig.Server) {
	t.Helper()
	c, err := client.New(s.URL, rig.Key)
	rig.Check(t, err)
	for i := range n.origins {
		n.auditOrigin(t, c, i)
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, f := range n.faults {
		t.Error(f)
	}
	b := n.books
	t.Logf("events: %d acknowledged, %d never answered (%d of them stored), %d forged and refused", b.accepted, b.unknown, b.unknownStored, b.forged)
	t.Logf("requests: %d sent, %d of them without an answer, %d sent again after 2xx; deliveries: %d arrived, %d twice because of a kill", b.sent, b.silent, b.sentAgain, b.delivered, b.doubles)
	if b.accepted == 0 || b.silent == 0 || b.forged == 0 || b.sentAgain == 0 {
		t.Error("a load without accepted, unanswered, forged and repeated requests proves nothing")
	}
}

// auditOrigin looks at the list of requests, the messages and the deliveries of a source.
func (n *intake) auditOrigin(t *testing.T, c *client.Client, index int) {
	t.Helper()
	o := n.origins[index]
	accepted := map[string]apitype.RequestFacts{} // by event
	messages := map[string]bool{}
	list := func(ctx context.Context, p client.ListOptions) (apitype.List[apitype.RequestFacts], error) {
		return c.ListRequests(ctx, o.id, client.RequestFilter{}, p)
	}
	rows := map[string]int{} // of believed requests, by event
	refused := 0
	for r, err := range client.All(t.Context(), client.ListOptions{Limit: 250}, list) {
		rig.Check(t, err)
		switch r.State {
		case apitype.RequestAccepted:
			if before, twice := accepted[r.Key]; twice {
				t.Errorf("event %s was accepted twice, as %s and %s", r.Key, before.ID, r.ID)
			}
			accepted[r.Key] = r
			rows[r.Key]++
		case apitype.RequestDuplicate:
			rows[r.Key]++
		case apitype.RequestRefused:
			if r.Reason != "signature_mismatch" || r.MessageID != nil {
				t.Errorf("request %s was refused: %s %s", r.ID, r.Reason, r.Detail)
			}
			refused++
		case apitype.RequestDiffers, apitype.RequestHandshake:
			t.Errorf("request %s for event %s is %s", r.ID, r.Key, r.State)
		}
	}
	inList := func(ctx context.Context, p client.ListOptions) (apitype.List[apitype.MessageOut], error) {
		return c.ListMessages(ctx, o.id, client.MessageFilter{}, p)
	}
	for m, err := range client.All(t.Context(), client.ListOptions{Limit: 250}, inList) {
		rig.Check(t, err)
		messages[m.ID] = true
	}
	if len(messages) != len(accepted) {
		t.Errorf("%s has %d messages and %d accepted requests", o.provider, len(messages), len(accepted))
	}
	n.compare(index, accepted, messages, rows, refused)
	n.compareBodies(t, c, o, accepted)
}

// compareBodies looks at some of the stored bodies.
func (n *intake) compareBodies(t *testing.T, c *client.Client, o *origin, accepted map[string]apitype.RequestFacts) {
	t.Helper()
	looked := 0
	for id, r := range accepted { // in no order
		body, err := c.RequestBody(t.Context(), o.id, r.ID)
		rig.Check(t, err)
		if _, want := o.event(id); !bytes.Equal(body, want) {
			t.Errorf("the body of %s is %q, want %q", r.ID, body, want)
		}
		if looked++; looked == 100 {
			return
		}
	}
}

// auditDatabase looks into the file that the stopped server left.
func (n *intake) auditDatabase(t *testing.T, w *world) {
	t.Helper()
	b := n.books
	w.auditDatabase(t, rig.Books{Accepted: b.accepted, Unknown: b.unknown}, true)
}
