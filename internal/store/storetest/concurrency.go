package storetest

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/grapnelhq/grapnel/internal/hook"
	"github.com/grapnelhq/grapnel/internal/testx"
)

var concurrencyTests = []test{
	{"what was answered can be read at once", readYourWrites},
	{"claims at the same time share the work", claimsShareWork},
	{"an event id at the same time is taken once", eventIDRace},
	{"a key at the same time counts once", keyRace},
	{"a refused caller harms nobody in its group", refusedAmongOthers},
	{"a change that was answered is in force", changesInForce},
	{"the whole road at the same time", wholeRoad},
}

// callers is how many call at the same time.
const callers = 16

// together runs n callers at the same time and waits for all.
func together(n int, call func(i int)) {
	var all sync.WaitGroup
	start := make(chan struct{})
	for i := range n {
		all.Go(func() {
			<-start
			call(i)
		})
	}
	close(start)
	all.Wait()
}

// acceptOne is Accept for callers that are not the test's own goroutine.
func (f *fixture) acceptOne(p *places, e hook.NewEvent) (hook.Accepted, bool) {
	out, err := f.store.Accept(f.ctx, f.node, p, f.now, []hook.NewEvent{e})
	if err != nil || len(out) != 1 {
		f.Errorf("accept: %d results, %v", len(out), err)
		return hook.Accepted{}, false
	}
	return out[0], true
}

// refused is testx.Code for callers that are not the test's own goroutine.
func (f *fixture) refused(err error, want hook.Code) {
	var known *hook.Error
	if !errors.As(err, &known) || known.Code != want {
		f.Errorf("refused with %v, want code %q", err, want)
	}
}

func readYourWrites(f *fixture) {
	f.newEndpoint()
	together(callers, func(i int) {
		for n := range 10 {
			e := f.event(func(e *hook.NewEvent) { e.EventID = fmt.Sprintf("%d-%d", i, n) })
			if a, ok := f.acceptOne(&places{}, e); !ok || a.Err != nil {
				f.Errorf("accept: %v", a.Err)
				return
			}
			m, err := f.store.FindMessage(f.ctx, f.env, f.app, hook.Ref{UID: e.EventID}, false)
			if err != nil || m.ID != e.ID {
				f.Errorf("a message that was accepted is not there: %v", err)
			}
		}
	})
	list := testx.Must(f.store.ListMessages(f.ctx, hook.MessageFilter{Env: f.env, App: f.app, Page: hook.Page{Limit: 250}}))(f)
	testx.Equal(f, len(list.Items), callers*10)
}

func claimsShareWork(f *fixture) {
	endpoints := []hook.ID{f.newEndpoint().ID, f.newEndpoint().ID, f.newEndpoint().ID}
	const messages = 100
	for range messages {
		f.send()
	}
	type pair struct{ message, endpoint hook.ID }
	var mu sync.Mutex
	times := map[pair]int{}
	var taken atomic.Int64
	together(callers, func(i int) {
		for taken.Load() < messages*3 {
			out, err := f.store.Claim(f.ctx, hook.ClaimRequest{
				Node: f.node, Now: f.now, MaxBytes: 1 << 20,
				Lanes: []hook.ClaimLane{first(endpoints[i%3], 3), first(endpoints[(i+1)%3], 3), first(endpoints[(i+2)%3], 3)},
			})
			if err != nil {
				f.Errorf("claim: %v", err)
				return
			}
			got := 0
			for _, c := range out {
				for _, l := range c.Leases {
					mu.Lock()
					times[pair{l.Message.ID, l.Endpoint.ID}]++
					mu.Unlock()
					got++
				}
			}
			taken.Add(int64(got))
			if got == 0 {
				return
			}
		}
	})
	testx.Equal(f, len(times), messages*3, "deliveries claimed")
	for _, n := range times {
		testx.Equal(f, n, 1, "times a delivery was claimed")
	}
}

func eventIDRace(f *fixture) {
	e := f.newEndpoint()
	var won, lost atomic.Int64
	together(callers, func(int) {
		a, ok := f.acceptOne(&places{}, f.event(func(e *hook.NewEvent) { e.EventID = "x" }))
		switch {
		case !ok:
		case a.Err == nil:
			won.Add(1)
		default:
			lost.Add(1)
			f.refused(a.Err, hook.CodeConflict)
		}
	})
	testx.Equal(f, []int64{won.Load(), lost.Load()}, []int64{1, callers - 1})
	testx.Equal(f, len(f.claim(first(e.ID, 100))[0].Leases), 1, "deliveries")
}

func keyRace(f *fixture) {
	e := f.newEndpoint()
	f.eachKeyKind(func(auto bool, name string) {
		var mu sync.Mutex
		ids := map[hook.ID]bool{}
		fresh := 0
		together(callers, func(int) {
			a, ok := f.acceptOne(&places{}, f.keyed(name, "r", auto))
			if !ok || a.Err != nil {
				f.Errorf("%s: %v", name, a.Err)
				return
			}
			mu.Lock()
			defer mu.Unlock()
			ids[a.Message.ID] = true
			if !a.Duplicate {
				fresh++
			}
		})
		testx.Equal(f, []int{len(ids), fresh}, []int{1, 1}, "messages of "+name)
	})
	testx.Equal(f, len(f.claim(first(e.ID, 100))[0].Leases), 2, "deliveries")
}

func refusedAmongOthers(f *fixture) {
	f.newEndpoint()
	f.newApp(withUID("taken"))
	together(callers, func(i int) {
		for range 5 {
			switch i % 4 {
			case 0:
				a := f.appValue(withUID("taken"))
				_, _, err := f.store.CreateApplication(f.ctx, &a, f.idempotencyKey("k", "r", true))
				f.refused(err, hook.CodeConflict)
			case 1:
				_, err := f.store.UpdateApplication(f.ctx, f.env, hook.Ref{ID: f.app}, func(*hook.Application) error {
					return hook.Invalid("no")
				})
				f.refused(err, hook.CodeInvalid)
			default:
				e := f.event()
				if a, ok := f.acceptOne(&places{}, e); !ok || a.Err != nil {
					f.Errorf("accept: %v", a.Err)
				} else if _, err := f.store.FindMessage(f.ctx, f.env, f.app, hook.Ref{ID: e.ID}, false); err != nil {
					f.Errorf("a message that was accepted is not there: %v", err)
				}
			}
		}
	})
	list := testx.Must(f.store.ListMessages(f.ctx, hook.MessageFilter{Env: f.env, App: f.app, Page: hook.Page{Limit: 250}}))(f)
	testx.Equal(f, len(list.Items), callers/2*5)
}

// changesInForce changes filters of an endpoint each while others publish: what
// is accepted after the answer must go by the new filters.
func changesInForce(f *fixture) {
	together(4, func(i int) {
		e := f.endpointValue(func(e *hook.Endpoint) { e.EventTypes = []string{"never"} })
		if _, _, err := f.store.CreateEndpoint(f.ctx, &e, 0, nil); err != nil {
			f.Errorf("create: %v", err)
			return
		}
		for n := range 20 {
			want := fmt.Sprintf("type-%d-%d", i, n)
			if _, _, err := f.store.UpdateEndpoint(f.ctx, f.env, f.app, hook.Ref{ID: e.ID}, nil, func(e *hook.Endpoint) error {
				e.EventTypes = []string{want}
				return nil
			}); err != nil {
				f.Errorf("update: %v", err)
				return
			}
			for name, matched := range map[string]int{want: 1, fmt.Sprintf("type-%d-%d", i, n-1): 0} {
				a, _ := f.acceptOne(&places{}, f.event(func(e *hook.NewEvent) { e.EventType = name }))
				if a.Matched != matched {
					f.Errorf("%s reaches %d endpoints after the change to %s, want %d", name, a.Matched, want, matched)
				}
			}
		}
	})
}

func wholeRoad(f *fixture) { road(f, f) }

// road publishes, claims, settles, resends, lists and tidies up at the same
// time, on one node or several. Afterwards each message is delivered, and attempts
// are without gaps.
func road(f *fixture, nodes ...*fixture) {
	endpoints := []hook.ID{f.newEndpoint().ID, f.newEndpoint().ID}
	const each = 20
	var mu sync.Mutex
	var messages []hook.ID
	work := func(on *fixture, leases []*hook.Lease, o hook.Outcome) {
		for _, l := range leases {
			s := f.settlement(l, o)
			s.Then.Due = earlier(s.Then.Due, f.now) // try again at once
			if out, err := on.store.Settle(f.ctx, []hook.Settlement{s}); err != nil || out[0].Lost {
				f.Errorf("settle: %v, %+v", err, out)
			}
		}
	}
	claim := func(on *fixture, o hook.Outcome) int {
		n := 0
		for _, e := range endpoints {
			out, err := on.store.Claim(f.ctx, hook.ClaimRequest{Node: on.node, Now: f.now, MaxBytes: 1 << 20, Lanes: []hook.ClaimLane{first(e, 5), retry(e, 5)}})
			if err != nil {
				f.Errorf("claim: %v", err)
			}
			for _, c := range out {
				work(on, c.Leases, o)
				n += len(c.Leases)
			}
		}
		return n
	}
	together(8, func(i int) {
		on := nodes[i/4%len(nodes)]
		for n := range each {
			switch i % 4 {
			case 0, 1:
				room := func(e *hook.Endpoint, _ int) bool { return e.ID == endpoints[i%2] && n%2 == 0 }
				a, _ := on.acceptOne(&places{room: room}, f.event())
				mu.Lock()
				messages = append(messages, a.Message.ID)
				mu.Unlock()
				work(on, a.Leased, []hook.Outcome{answerOK, answerFail}[n/2%2])
			case 2:
				claim(on, []hook.Outcome{answerOK, answerFail}[n%2])
			case 3:
				mu.Lock()
				var id hook.ID
				if len(messages) > 0 {
					id = messages[n%len(messages)]
				}
				mu.Unlock()
				if !id.IsZero() {
					if _, err := on.store.Resend(f.ctx, f.env, f.app, hook.Ref{ID: id}, hook.Ref{ID: endpoints[n%2]}, f.now, nil); err != nil {
						f.Errorf("resend: %v", err)
					}
				}
				if _, err := f.store.ListMessages(f.ctx, hook.MessageFilter{Env: f.env, App: f.app, Page: hook.Page{Limit: 10}}); err != nil {
					f.Errorf("list: %v", err)
				}
				if _, err := f.store.Expire(f.ctx, hook.Retention{Messages: day}, f.now); err != nil {
					f.Errorf("expire: %v", err)
				}
			}
		}
	})
	for rounds := 0; claim(f, answerOK) > 0; rounds++ {
		testx.True(f, rounds < 1000, "the work ends")
	}
	testx.Equal(f, len(messages), each*4)
	testx.Equal(f, f.lanes(), map[lane]time.Time{}, "lanes with work")
	for _, id := range messages {
		numbers := map[hook.ID][]int{}
		for _, a := range f.attempts(id) {
			numbers[a.Endpoint] = append(numbers[a.Endpoint], a.Number)
		}
		for _, e := range endpoints {
			d := f.delivery(id, e)
			testx.True(f, d.State == hook.Delivered || d.State == hook.Failed, "it has ended as "+d.State.String())
			gapless(f, numbers[e], d.Attempts)
		}
	}
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

// gapless holds that numbers are 1 to n, each once.
func gapless(f *fixture, numbers []int, n int) {
	f.Helper()
	testx.Equal(f, len(numbers), n, "attempts")
	seen := map[int]bool{}
	for _, number := range numbers {
		testx.True(f, number >= 1 && number <= n && !seen[number], fmt.Sprintf("numbers %v are 1 to %d, each once", numbers, n))
		seen[number] = true
	}
}
