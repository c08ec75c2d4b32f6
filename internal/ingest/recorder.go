package ingest

import (
	"context"
	"encoding/json"
	"strings"
	"sync/atomic"
	"time"

	"github.com/grapnelhq/grapnel/internal/hook"
	"github.com/grapnelhq/grapnel/provider"
)

// The budget of the request log for what became no message. It can be exhausted
// without any harm to requests that are accepted.
const (
	recordRate  = 10 // a second, for each source
	recordBurst = 100
	keptCount   = 1000     // for each source
	keptBytes   = 64 << 20 // of bodies, for each source
	maxWaiting  = 2048     // records that wait to be stored
	maxVisits   = 64       // visits that wait to be made

	waitingBytes = 32 << 20 // of bodies that wait
	recordBatch  = 64
	flushTimeout = 5 * time.Second
)

// Bound is what is kept of requests that became no message.
var Bound = hook.RequestBound{Count: keptCount, Bytes: keptBytes}

// record is a request on its way into the log.
type record struct {
	request  hook.Request
	findings func() []byte // nil: there is nothing to diagnose
	visit    string        // an address to visit first; empty: none
}

// recorder holds records until Run stores them.
type recorder struct {
	budget  limiter[hook.ID]
	bytes   atomic.Int64
	waiting chan record // handlers and the visitor send, Run receives
	visits  chan record // handlers send, the visitor receives
}

func (r *recorder) init() {
	r.waiting, r.visits = make(chan record, maxWaiting), make(chan record, maxVisits)
}

// note hands a record over without waiting, or drops it.
func (g *Gateway) note(rec record) {
	if _, ok := g.records.budget.take(rec.request.Source, recordRate, recordBurst, g.Elapsed()); !ok {
		g.Dropped(1)
		return
	}
	size := int64(len(rec.request.Body))
	if g.records.bytes.Add(size) > waitingBytes {
		g.records.bytes.Add(-size)
		g.Dropped(1)
		return
	}
	to := g.records.waiting
	if rec.visit != "" {
		to = g.records.visits
	}
	select {
	case to <- rec:
	default:
		g.records.bytes.Add(-size)
		g.Dropped(1)
	}
}

// Run stores what is to be recorded until ctx ends, and then what is left.
func (g *Gateway) Run(ctx context.Context) error {
	visited := make(chan struct{})
	go func() {
		defer close(visited)
		g.runVisits(ctx)
	}()
	failing := false
	for {
		select {
		case rec := <-g.records.waiting:
			failing = g.store(ctx, g.batch(rec), failing)
		case <-ctx.Done():
			<-visited
			g.flush(failing)
			return nil
		}
	}
}

// runVisits makes visits, one after the other, and has them recorded.
func (g *Gateway) runVisits(ctx context.Context) {
	for {
		select {
		case rec := <-g.records.visits:
			if rec.request.Note = "The server was stopped before it could visit the address."; ctx.Err() == nil {
				rec.request.Note = g.visit(ctx, rec.visit)
			}
			select {
			case g.records.waiting <- rec:
			default:
				g.records.bytes.Add(-int64(len(rec.request.Body)))
				g.Dropped(1)
			}
		case <-ctx.Done():
			if len(g.records.visits) == 0 {
				return
			}
		}
	}
}

// flush stores what waits. A store that fails is not waited for any longer.
func (g *Gateway) flush(failing bool) {
	for {
		select {
		case rec := <-g.records.waiting:
			if batch := g.batch(rec); failing {
				g.Dropped(len(batch))
			} else {
				failing = g.store(context.Background(), batch, failing)
			}
		default:
			return
		}
	}
}

// batch adds what waits as well to the first record.
func (g *Gateway) batch(first record) []record {
	batch := append(make([]record, 0, recordBatch), first)
	for len(batch) < recordBatch {
		select {
		case rec := <-g.records.waiting:
			batch = append(batch, rec)
		default:
			return batch
		}
	}
	return batch
}

// store stores a batch and reports whether the store fails. The log tells only when
// that begins.
func (g *Gateway) store(ctx context.Context, batch []record, failing bool) bool {
	rows := make([]hook.Request, len(batch))
	size := int64(0)
	for i := range batch {
		rows[i] = batch[i].request
		if diagnose := batch[i].findings; diagnose != nil {
			rows[i].Findings = diagnose()
		}
		size += int64(len(rows[i].Body))
	}
	// What has been taken is stored although the loop is to end meanwhile.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), flushTimeout)
	defer cancel()
	err := g.Store.RecordRequests(ctx, Bound, rows)
	g.records.bytes.Add(-size)
	if err == nil {
		return false
	}
	g.Dropped(len(rows))
	if !failing {
		g.Logger.WarnContext(ctx, "refused and repeated requests are not recorded", "error", err)
	}
	return true
}

// findings diagnoses the refused request; it is called once it is to be recorded.
func (c *call) findings() []byte {
	return diagnose(c.src, provider.Request{Method: c.envelope.Method, URL: c.url, Header: headerOf(c.envelope), Body: c.body}, c.now, c.told)
}

// finding is provider.Finding as it is stored.
type finding struct {
	Code string `json:"code"`
	Text string `json:"text"`
}

// maxDiagnosed is the longest body that is diagnosed, in bytes: a diagnosis hashes
// it many times.
const maxDiagnosed = 256 << 10

// diagnose says why the request was refused, as JSON; nil: nothing was found out.
// told says that the operator has named the server's address.
func diagnose(s *source, r provider.Request, now time.Time, told bool) []byte {
	if len(r.Body) > maxDiagnosed {
		return nil
	}
	var list []finding
	for _, f := range s.verifier.Diagnose(r, now) {
		list = append(list, finding{f.Code, f.Text})
	}
	if !told && signsURL(&s.provider) {
		list = append(list, finding{"url_guessed", "The provider signs the address, and the server took its own from the request: " + withoutQuery(r.URL) + ". If the sender was given another one, set --public-url."})
	}
	if len(list) == 0 {
		return nil
	}
	text, err := json.Marshal(list)
	if err != nil {
		return nil
	}
	return text
}

// signsURL goes by the one line about what is signed.
func signsURL(p *provider.Provider) bool {
	scheme := strings.ToLower(p.Scheme)
	return strings.Contains(scheme, "url") || strings.Contains(scheme, "address")
}

func withoutQuery(url string) string {
	url, _, _ = strings.Cut(url, "?")
	return url
}
