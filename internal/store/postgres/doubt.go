package postgres

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/grapnelhq/grapnel/internal/hook"
	"github.com/jackc/pgx/v5/pgconn"
)

// When a connection breaks while a transaction is being committed, nobody knows what
// came of it. The callers must not be told that nothing was accepted: perhaps it was.
// So it is found out, by the ids that the messages have had from the beginning:
//
//	in doubt ──> are they stored? ──yes─> accepted; the leases are given back, for
//	    ^             │ no                nobody has worked on them
//	    │             v
//	    │        store the same again ──> accepted, or refused as always
//	    └─────────────┘ broke again, or refused because the first one was still
//	                    under way in the database and has stored them by now
//
// If the database stays away for too long the callers are told that nobody knows.

// keptAcceptance is what an acceptance in doubt will need if it was committed.
type keptAcceptance struct {
	results []hook.Accepted // by item, without leases
	due     [][]dueNote     // by call, with what was leased
	leases  []*hook.Lease
}

// Codes with which a server ends connections, perhaps just after a commit.
const (
	codeAdminShutdown = "57P01"
	codeCrashShutdown = "57P02"
)

// inDoubt reports whether nobody knows if the transaction was committed. Of a commit
// whose answer is lost the driver says that the connection was closed, and that it is
// safe to try again.
func (p *acceptance) inDoubt(err error) bool {
	if err == nil || !p.sent || !p.asked && pgconn.SafeToRetry(err) {
		return false
	}
	switch pgCode(err) {
	case "":
		var known *hook.Error
		return !errors.As(err, &known)
	case codeAdminShutdown, codeCrashShutdown:
		return true
	}
	return false
}

// keep remembers results and leases of an acceptance in doubt, before the places are
// given back and the callers' results are used for another try.
func (p *acceptance) keep() {
	k := &keptAcceptance{results: make([]hook.Accepted, len(p.items)), due: make([][]dueNote, len(p.calls))}
	for n, w := range p.calls {
		k.due[n] = slices.Clone(w.of.due)
	}
	for n, i := range p.items {
		k.results[n] = *i.out
		k.results[n].Leased = nil
		call := slices.IndexFunc(p.calls, func(w *waiting[*accepting]) bool { return w.of == i.call })
		for _, l := range i.out.Leased {
			own := *l
			own.Message = &hook.Message{ID: l.Message.ID}
			k.leases = append(k.leases, &own)
			k.due[call] = append(k.due[call], dueNote{l.Message.ID, l.Endpoint, l.Due})
		}
	}
	p.kept = k
}

// doubtPause is the time between two tries to find out what is stored.
const doubtPause = 50 * time.Millisecond

// resolve finds out what came of a transaction that broke off, and does it again if
// nothing did.
func (s *Store) resolve(calls []*waiting[*accepting], first *acceptance, cause error) error {
	ctx, cancel := context.WithTimeout(s.ctx, s.opts.MaxWait)
	defer cancel()
	broken := []*acceptance{first} // all with the same messages
	for {
		stored, err := s.isStored(ctx, first)
		if err == nil && len(stored) > 0 {
			s.adopt(ctx, broken, stored)
			return nil
		}
		if err == nil {
			again, err := s.acceptOnce(calls)
			switch {
			case again.inDoubt(err):
				broken = append(broken, again)
			case err == nil && len(again.messages.id) > 0:
				return nil
			case err != nil && !s.mayMend(err):
				return err
			case err == nil: // all keys are taken: by others, or by the first one just now
				if stored, err := s.isStored(ctx, first); err == nil && len(stored) == 0 {
					return nil
				}
			}
		}
		select {
		case <-time.After(doubtPause):
		case <-ctx.Done():
			for _, p := range broken {
				s.orphans.add(p.kept.leases)
			}
			return hook.Unknown(cause)
		}
	}
}

// mayMend reports whether another try can end otherwise: the database is away, or
// what is to be stored is there by now.
func (s *Store) mayMend(err error) bool {
	return metAnother(err) || pgCode(err) == codeUnique || isUnavailable(s.explain(err))
}

// isStored gives which messages of an acceptance are there: all or none, but for
// those whose event another one had brought before.
func (s *Store) isStored(ctx context.Context, p *acceptance) (map[hook.ID]bool, error) {
	found := map[hook.ID]bool{}
	if len(p.messages.id) == 0 {
		return found, nil
	}
	var within idRange
	for _, i := range p.items {
		within.add(i.event.ID)
	}
	err := s.read(ctx, func(ctx context.Context, c *conn) error {
		return c.query(ctx, `SELECT m.id FROM unnest($1::bigint[], $2::bytea[]) AS g(app, id)
		  CROSS JOIN LATERAL (SELECT id FROM messages WHERE app = g.app AND id = g.id AND id >= $3 AND id <= $4 OFFSET 0) m`,
			[]any{p.messages.app, p.messages.id, within.low, within.high}, func(r *row) error {
				found[r.id(0)] = true
				return nil
			})
	})
	return found, err
}

// adopt gives the callers the results of an acceptance that was committed after all.
// What it leased nobody has worked on: it is due.
func (s *Store) adopt(ctx context.Context, broken []*acceptance, stored map[hook.ID]bool) {
	first := broken[0]
	for n, i := range first.items {
		*i.out = first.kept.results[n]
	}
	for n, w := range first.calls {
		w.of.due = first.kept.due[n]
	}
	if first.loseSome(func(id hook.ID) bool { return !stored[id] }) > 0 {
		first.excuse(s.read(ctx, first.findReceived))
	}
	for _, p := range broken {
		if _, err := s.release(ctx, p.kept.leases, first.calls[0].of.now); err != nil {
			s.orphans.add(p.kept.leases)
		}
	}
	first.tell()
}
