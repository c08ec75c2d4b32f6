package postgres_test

import (
	"bytes"
	"context"
	"errors"
	"net"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/grapnelhq/grapnel/internal/hook"
	"github.com/grapnelhq/grapnel/internal/store/postgres"
	"github.com/grapnelhq/grapnel/internal/testx"
)

// breaker stands between a store and the database, and breaks a connection at the
// worst moment, once.
type breaker struct {
	listener net.Listener

	mu      sync.Mutex // guards the rest
	request []byte     // break it instead of passing a request with these bytes on; empty: any
	answer  []byte     // break it instead of passing an answer with these bytes on
	shut    bool       // and all others with it, and take no more
	broken  bool
	conns   []net.Conn
}

func newBreaker(t *testing.T) *breaker {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	b := &breaker{listener: l}
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			near, err := l.Accept()
			if err != nil {
				return
			}
			wg.Go(func() { b.serve(near) })
		}
	})
	t.Cleanup(func() {
		l.Close()
		b.closeAll()
		wg.Wait()
	})
	return b
}

func (b *breaker) serve(near net.Conn) {
	defer near.Close()
	far, err := net.Dial("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(cluster.Port)))
	if err != nil {
		return
	}
	defer far.Close()
	b.mu.Lock()
	b.conns = append(b.conns, near, far)
	refuse := b.broken && b.shut
	b.mu.Unlock()
	if refuse {
		return
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		b.carry(far, near, func(said []byte) bool { return b.request != nil && bytes.Contains(said, b.request) })
		far.Close()
	}()
	b.carry(near, far, func(said []byte) bool { return b.answer != nil && bytes.Contains(said, b.answer) })
	near.Close()
	<-ended
}

// carry copies until the end, or until something must not be passed on.
func (b *breaker) carry(to, from net.Conn, last func([]byte) bool) {
	buffer := make([]byte, 64<<10)
	for {
		n, err := from.Read(buffer)
		b.mu.Lock()
		stop := !b.broken && last(buffer[:n])
		b.broken = b.broken || stop
		all := stop && b.shut
		b.mu.Unlock()
		if all {
			b.closeAll()
		}
		if stop {
			return
		}
		if _, failed := to.Write(buffer[:n]); err != nil || failed != nil {
			return
		}
	}
}

func (b *breaker) closeAll() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, c := range b.conns {
		c.Close()
	}
}

// arm makes it break.
func (b *breaker) arm(change func(*breaker)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.broken = false
	change(b)
}

func (b *breaker) hasBroken() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.broken
}

// doubted is an application with an endpoint, and a node behind a breaker.
type doubted struct {
	*configured
	*breaker
	store    *postgres.Store
	node     hook.Node
	endpoint hook.Endpoint
}

func newDoubted(t *testing.T) *doubted {
	t.Helper()
	d := &doubted{configured: newConfigured(t), breaker: newBreaker(t)}
	d.endpoint = d.configured.endpoint()
	o := suiteOptions()
	o.MaxWait, o.ReadTimeout = 2*time.Second, 2*time.Second
	var err error
	d.store, err = postgres.Open(t.Context(), cluster.URLBy(d.listener.Addr().(*net.TCPAddr).Port, d.db.Config().Database), o)
	testx.NoError(t, err)
	t.Cleanup(func() { d.store.Close() })
	d.node, err = d.store.RegisterNode(t.Context(), "doubted", time.Minute, configuredAt)
	testx.NoError(t, err)
	d.publish(t, "warm", allPlaces{new(atomic.Int64)}) // the application is in memory from here on
	return d
}

// allPlaces takes everything and counts what is due.
type allPlaces struct{ due *atomic.Int64 }

func (allPlaces) Reserve(*hook.Endpoint, int) bool      { return true }
func (allPlaces) Unreserve(*hook.Endpoint, int)         {}
func (p allPlaces) Due(*hook.Endpoint, bool, time.Time) { p.due.Add(1) }

func (d *doubted) publish(t *testing.T, eventID string, places allPlaces) (hook.Accepted, error) {
	t.Helper()
	return d.publishAs(t, hook.NewID(configuredAt), eventID, places)
}

func (d *doubted) publishAs(t *testing.T, id hook.ID, eventID string, places allPlaces) (hook.Accepted, error) {
	t.Helper()
	out, err := d.store.Accept(t.Context(), d.node, places, configuredAt, []hook.NewEvent{{Message: hook.Message{
		ID: id, Env: d.env, App: d.app, EventType: "a", EventID: eventID, ContentType: "application/json", Body: []byte("{}"), BodySize: 2, CreatedAt: configuredAt,
	}}})
	if err != nil {
		return hook.Accepted{}, err
	}
	return out[0], nil
}

func (d *doubted) count(t *testing.T, query string, args ...any) (n int) {
	t.Helper()
	testx.NoError(t, d.db.QueryRow(t.Context(), query, args...).Scan(&n))
	return n
}

func TestAcceptThatBreaksOffIsResolved(t *testing.T) {
	t.Parallel()
	for name, arm := range map[string]func(*breaker){
		"before the statement arrives": func(b *breaker) { b.request = []byte{} },
		"after the commit":             func(b *breaker) { b.answer = []byte("SELECT 1\x00") },
	} {
		for _, eventID := range []string{"", "own-id"} {
			t.Run(name+eventID, func(t *testing.T) {
				t.Parallel()
				d := newDoubted(t)
				places := allPlaces{new(atomic.Int64)}
				d.arm(arm)
				got, err := d.publish(t, eventID, places)
				testx.NoError(t, err)
				testx.NoError(t, got.Err)
				if !d.hasBroken() {
					t.Fatal("no connection broke")
				}
				if got.Matched != 1 || len(got.Leased)+int(places.due.Load()) != 1 {
					t.Errorf("%d deliveries matched, %d are leased and %d due, want one in all", got.Matched, len(got.Leased), places.due.Load())
				}
				if n := d.count(t, "SELECT count(*) FROM messages WHERE id = $1", got.Message.ID[:]); n != 1 {
					t.Errorf("the message is stored %d times", n)
				}
				leased := d.count(t, "SELECT count(*) FROM deliveries WHERE message = $1 AND node IS NOT NULL", got.Message.ID[:])
				waiting := d.count(t, "SELECT count(*) FROM queue WHERE message = $1 AND node IS NULL", got.Message.ID[:])
				if leased != len(got.Leased) || waiting != int(places.due.Load()) {
					t.Errorf("the database has %d leased and %d waiting deliveries, the node knows of %d and %d", leased, waiting, len(got.Leased), places.due.Load())
				}
			})
		}
	}
}

func TestAcceptThatStaysInDoubtSaysSo(t *testing.T) {
	t.Parallel()
	d := newDoubted(t)
	d.arm(func(b *breaker) { b.answer, b.shut = []byte("SELECT 1\x00"), true })
	_, err := d.publish(t, "", allPlaces{new(atomic.Int64)})
	var known *hook.Error
	if !errors.As(err, &known) || known.Code != hook.CodeUnknown {
		t.Fatalf("the error is %v, want %s", err, hook.CodeUnknown)
	}
	d.mu.Lock()
	d.shut = false
	d.mu.Unlock()
	// It was stored, and leased to a node that does not know: the next beat frees it.
	if n := d.count(t, "SELECT count(*) FROM deliveries WHERE node IS NOT NULL"); n != 2 {
		t.Fatalf("%d deliveries are leased, want the first one and that in doubt", n)
	}
	d.beat(t)
	if n := d.count(t, "SELECT count(*) FROM deliveries WHERE node IS NOT NULL"); n != 1 {
		t.Errorf("%d deliveries are leased after a beat, want the first one", n)
	}
}

// Callers share a transaction. If that is in doubt, it is for all of them, and who is
// told that nothing was accepted can rely on it.
func TestCallersOfOneTransactionAreInDoubtTogether(t *testing.T) {
	t.Parallel()
	d := newDoubted(t)
	d.arm(func(b *breaker) { b.answer, b.shut = []byte("SELECT 1\x00"), true })
	var all sync.WaitGroup
	for range 32 {
		all.Go(func() {
			id := hook.NewID(configuredAt)
			_, err := d.publishAs(t, id, "", allPlaces{new(atomic.Int64)})
			var known *hook.Error
			switch {
			case errors.As(err, &known) && known.Code == hook.CodeUnknown:
			case errors.As(err, &known) && known.Code == hook.CodeUnavailable:
				var n int
				d.mu.Lock() // one connection for all
				defer d.mu.Unlock()
				if err := d.db.QueryRow(t.Context(), "SELECT count(*) FROM messages WHERE id = $1", id[:]).Scan(&n); err != nil || n != 0 {
					t.Errorf("a message that was refused is stored %d times, %v", n, err)
				}
			default:
				t.Errorf("the error is %v, want that the database is away or the outcome unknown", err)
			}
		})
	}
	all.Wait()
	if !d.hasBroken() {
		t.Error("no connection broke")
	}
}

// A claim that broke off may have taken deliveries that nobody knows of. Beats look
// for them, but must not touch what the node has claimed since.
func TestClaimThatBreaksOffTakesNothingFromLaterClaims(t *testing.T) {
	t.Parallel()
	for name, arm := range map[string]func(*breaker){
		"before the commit": func(b *breaker) { b.request = []byte("commit\x00") },
		"after the commit":  func(b *breaker) { b.answer = []byte("COMMIT\x00") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDoubted(t)
			message := d.accept(configuredAt) // by another node, and due
			d.arm(arm)
			if _, err := d.claim(t); err == nil {
				t.Fatal("a claim whose connection broke gave something")
			}
			if !d.hasBroken() {
				t.Fatal("no connection broke")
			}
			var leases int
			// The server holds the rows until it notices that the connection is gone.
			for until := time.Now().Add(20 * time.Second); time.Now().Before(until); {
				lanes, err := d.claim(t)
				testx.NoError(t, err)
				if leases = len(lanes[0].Leases); leases > 0 {
					break
				}
				d.beat(t)
			}
			if leases != 1 {
				t.Fatalf("%d deliveries were claimed, want 1", leases)
			}
			d.beat(t)
			d.beat(t)
			if n := d.count(t, "SELECT count(*) FROM deliveries WHERE message = $1 AND node = $2", message[:], d.node.ID); n != 1 {
				t.Error("a beat gave back what the node had claimed")
			}
		})
	}
}

func (d *doubted) claim(t *testing.T) ([]hook.ClaimedLane, error) {
	t.Helper()
	return d.store.Claim(t.Context(), hook.ClaimRequest{
		Node: d.node, Now: configuredAt.Add(time.Minute), MaxBytes: 1 << 20, Lanes: []hook.ClaimLane{{Endpoint: d.endpoint.ID, Max: 10}},
	})
}

func (d *doubted) beat(t *testing.T) {
	t.Helper()
	p, err := d.store.Beat(context.WithoutCancel(t.Context()), hook.Beat{Node: d.node, Lease: time.Minute, Delivers: true, Now: configuredAt})
	testx.NoError(t, err)
	if p.Lost {
		t.Fatal("the node is lost")
	}
}
