package sim_test

import (
	"encoding/base64"
	"fmt"
	"time"

	"github.com/grapnelhq/grapnel/apitype"
	"github.com/grapnelhq/grapnel/internal/hook"
	"github.com/grapnelhq/grapnel/webhook"
)

// furnish makes event types, applications and the first targets, while all is well.
func (w *world) furnish() {
	for _, kind := range kinds {
		w.insist(request{method: "POST", path: "/event-type", body: apitype.EventTypeIn{Name: kind}})
	}
	for i := range 2 + w.dice.IntN(2) {
		in := apitype.ApplicationIn{Name: fmt.Sprintf("application %d", i)}
		if w.dice.IntN(4) == 0 {
			in.ThrottleRate = apitype.Some(uint16(5 + w.dice.IntN(20)))
		}
		r := w.insist(request{method: "POST", path: "/app", key: fmt.Sprintf("app-%d", i), body: in})
		out, err := into[apitype.ApplicationOut](r)
		id, ierr := hook.KindApplication.Parse(out.ID)
		if err != nil || ierr != nil {
			w.violate("an application was not made: %s", r.body)
			return
		}
		w.apps = append(w.apps, &app{number: i, text: out.ID, id: id})
	}
	envs, err := w.process.store.ListEnvironments(w.t.Context())
	if err != nil || len(envs) != 1 {
		w.violate("there are the environments %v: %v", envs, err)
		return
	}
	w.env = envs[0].ID
	for range 4 + w.dice.IntN(4) {
		w.addTarget()
	}
	w.calls.Wait()
}

// insist asks until there is an answer, for what has to be there.
func (w *world) insist(q request) reply {
	for pause := 100 * time.Millisecond; ; pause = min(2*pause, 5*time.Second) {
		r := w.call(q)
		if r.outcome == accepted || w.broken() {
			return r
		}
		if r.outcome == refused && r.status != 503 && r.status != 0 {
			w.violate("%s %s is refused: %d %s", q.method, q.path, r.status, r.body)
			return r
		}
		time.Sleep(pause)
	}
}

// addTarget opens a receiver and asks for its endpoint until it is there.
func (w *world) addTarget() {
	w.mu.Lock()
	n := len(w.targets)
	raw := make([]byte, 24)
	raw[0] = byte(n + 1)
	g := &target{
		number: n, app: w.apps[w.dice.IntN(len(w.apps))], addr: fmt.Sprintf("203.0.113.%d:80", n+1),
		secret: "whsec_" + base64.StdEncoding.EncodeToString(raw), busy: true, mood: w.swarm.moods[w.dice.IntN(len(w.swarm.moods))],
	}
	g.check = w.verifier(g.secret)
	rev := w.drawRevision()
	in := apitype.EndpointIn{URL: "http://" + g.addr + "/hook", Secret: apitype.Some(g.secret), ThrottleRate: w.drawRate()}
	in.EventTypes, in.Channels = listOf(rev.kinds), listOf(rev.channels)
	w.tick++
	rev.sent = w.tick
	g.revisions = []revision{rev}
	w.targets = append(w.targets, g)
	w.mu.Unlock()
	if err := w.open(g); err != nil {
		w.violate("opening %s: %v", g, err)
		return
	}
	w.note("new %s of application %d, %s, %v %v", g, g.app.number, g.mood, rev.kinds, rev.channels)
	w.calls.Go(func() {
		r := w.insist(request{method: "POST", path: "/app/" + g.app.text + "/endpoint", key: fmt.Sprintf("target-%d", n), body: in})
		out, err := into[apitype.EndpointOut](r)
		id, ierr := hook.KindEndpoint.Parse(out.ID)
		if err != nil || ierr != nil {
			w.violate("%s was not made: %s", g, r.body)
			return
		}
		w.mu.Lock()
		defer w.mu.Unlock()
		g.text, g.id, g.busy = out.ID, id, false
		g.revisions[0].back = r.back
	})
}

func (w *world) verifier(secret string) *webhook.Verifier {
	key, err := webhook.ParseKey(secret)
	if err != nil {
		w.t.Fatal(err)
	}
	v, err := webhook.NewVerifier([]webhook.Key{key}, webhook.WithTolerance(24*time.Hour))
	if err != nil {
		w.t.Fatal(err)
	}
	return v
}

// drawRevision draws filters: often none.
func (w *world) drawRevision() (r revision) {
	if w.dice.IntN(3) == 0 {
		for _, k := range kinds {
			if w.dice.IntN(2) == 0 {
				r.kinds = append(r.kinds, k)
			}
		}
	}
	if w.dice.IntN(4) == 0 {
		r.channels = []string{channels[w.dice.IntN(len(channels))]}
	}
	return r
}

// drawRate draws a throttle: often none.
func (w *world) drawRate() apitype.Optional[uint16] {
	if w.dice.IntN(4) == 0 {
		return apitype.Some(uint16(1 + w.dice.IntN(10)))
	}
	return apitype.Null[uint16]()
}

func listOf(texts []string) apitype.Optional[[]string] {
	if len(texts) == 0 {
		return apitype.Null[[]string]()
	}
	return apitype.Some(texts)
}
