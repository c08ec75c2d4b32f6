package rig

import (
	"fmt"
	"testing"
	"time"
)

// defaultCommitWithin is Ledger.CommitWithin where none is given.
const defaultCommitWithin = time.Second

// Trouble is a time in which what the server of one life was answered may not
// have been recorded, so that it comes again.
type Trouble struct {
	Life     int // 0: all servers
	From, To time.Time
	Reason   string
	// Ended says that the process ended: what it sent comes from another one.
	Ended bool
}

// Killed is the reason of a process that was killed.
const Killed = "killed between answer and commit"

// Trouble notes a fault that explains doubles.
func (l *Ledger) Trouble(t Trouble) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.troubles = append(l.troubles, t)
}

// Killed notes the death of a process. Those sent before may be read after it.
func (l *Ledger) Killed(life int, at time.Time) {
	l.Trouble(Trouble{Life: life, From: at, To: at.Add(l.CommitWithin), Reason: Killed, Ended: true})
}

// Books is the sum of a ledger.
type Books struct {
	Accepted, Refused, Unknown int
	UnknownArrived             int // messages without an answer that were delivered all the same
	Delivered                  int // parcels that arrived
	Lost                       int // parcels that were accepted and did not
	Doubles                    int // arrivals beyond the first
	Reasons                    map[string]int
	Needless                   []string      // doubles without a reason
	Oldest                     time.Duration // longest time from an answer to the kill for which it came twice
}

// Tally counts messages without judging, for the middle of a run.
func (l *Ledger) Tally() (b Books) {
	l.mu.Lock()
	defer l.mu.Unlock()
	b = l.tally()
	b.Unknown += l.parked // they may have been stored
	return b
}

func (l *Ledger) tally() Books {
	b := Books{Reasons: map[string]int{}}
	for _, e := range l.entries {
		switch e.outcome {
		case Accepted:
			b.Accepted++
		case Refused:
			b.Refused++
		case Unknown:
			b.Unknown++
			if e.id != "" {
				b.UnknownArrived++
			}
		}
	}
	return b
}

// Audit compares what the servers were given with what arrived. What must not be
// fails the test.
func (l *Ledger) Audit(t testing.TB) Books {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, f := range l.faults {
		t.Error(f)
	}
	b := l.tally()
	b.Lost = l.auditAccepted(t)
	wrong := make([]string, 0, len(l.faults))
	for p, receipts := range l.got {
		wrong = append(wrong, l.misdirected(p)...)
		b.Delivered++
		for i := range receipts[1:] {
			l.explain(&b, p, receipts[i], receipts[i+1])
		}
	}
	for p := range l.failed {
		wrong = append(wrong, l.misdirected(p)...)
	}
	tellSome(t, wrong)
	return b
}

// tellSome fails the test with the first of many faults and their number.
func tellSome(t testing.TB, faults []string) {
	t.Helper()
	const most = 10
	for _, f := range faults[:min(most, len(faults))] {
		t.Error(f)
	}
	if len(faults) > most {
		t.Errorf("and %d more like these", len(faults)-most)
	}
}

// auditAccepted looks for what was accepted and did not arrive, and counts it.
func (l *Ledger) auditAccepted(t testing.TB) int {
	t.Helper()
	var lost []string
	for _, e := range l.entries {
		if e.outcome != Accepted {
			continue
		}
		for i, target := range l.Targets {
			if target.App == e.App && target.Wants(e.Item) && len(l.got[Parcel{i, e.Mark}]) == 0 {
				lost = append(lost, fmt.Sprintf("%s was accepted as %s but did not arrive at %s", e.Mark, e.id, target.Name))
			}
		}
	}
	tellSome(t, lost)
	return len(lost)
}

// misdirected says why a parcel should not have been sent at all.
func (l *Ledger) misdirected(p Parcel) (faults []string) {
	e, target := l.entries[p.Mark], l.Targets[p.Target]
	if e.outcome == Refused {
		faults = append(faults, fmt.Sprintf("%s was refused but delivered to %s", p.Mark, target.Name))
	}
	if e.Mark != "" && (e.App != target.App || !target.Wants(e.Item)) {
		faults = append(faults, fmt.Sprintf("%s was delivered to %s, which does not want it", p.Mark, target.Name))
	}
	return faults
}

// explain looks why a parcel that had arrived came again.
func (l *Ledger) explain(b *Books, p Parcel, before, again Receipt) {
	b.Doubles++
	for _, t := range l.troubles {
		if !t.explains(before, again, l.CommitWithin) {
			continue
		}
		b.Reasons[t.Reason]++
		if t.Ended {
			b.Oldest = max(b.Oldest, t.From.Sub(before.At))
		}
		return
	}
	b.Needless = append(b.Needless, fmt.Sprintf("%s at %s: from life %d at %s to %s, then from life %d at %s to %s", p.Mark, l.Targets[p.Target].Name,
		before.Life, before.Began.Format(clock), before.At.Format(clock), again.Life, again.Began.Format(clock), again.At.Format(clock)))
}

// explains says whether the trouble is a reason why a parcel came twice: one of the
// answers could not be recorded. It is either of them, for a send that began before
// the trouble can be answered when another server has sent the parcel already.
func (t Trouble) explains(before, again Receipt, commitWithin time.Duration) bool {
	if t.Ended {
		return before.Life == t.Life && again.Life != t.Life && t.covers(before, commitWithin)
	}
	return t.covers(before, commitWithin) || t.covers(again, commitWithin)
}

func (t Trouble) covers(r Receipt, commitWithin time.Duration) bool {
	return (t.Life == 0 || t.Life == r.Life) && r.At.Add(commitWithin).After(t.From) && r.Began.Before(t.To)
}

// suspects are what no database may have when no server runs on it. The stores name
// these columns alike.
var suspects = map[string]string{
	"leased deliveries":                      `SELECT count(*) FROM deliveries WHERE node IS NOT NULL`,
	"deliveries being sent":                  `SELECT count(*) FROM deliveries WHERE state = 1`,
	"deliveries that neither wait nor ended": `SELECT count(*) FROM deliveries WHERE state = 0 AND due IS NULL`,
	"deliveries given up":                    `SELECT count(*) FROM deliveries WHERE state > 2`,
	"deliveries with a gap or a double in their attempts": `SELECT count(*) FROM (SELECT 1 FROM attempts
		GROUP BY message, endpoint HAVING count(*) <> max(number) OR count(DISTINCT number) <> count(*)) AS wrong`,
	"deliveries whose count of attempts is wrong": `SELECT count(*) FROM deliveries AS d
		LEFT JOIN (SELECT message, endpoint, count(*) AS made FROM attempts GROUP BY message, endpoint) AS a
		ON a.message = d.message AND a.endpoint = d.endpoint WHERE d.attempts <> coalesce(a.made, 0)`,
}

// AuditDatabase looks into the database that stopped servers left; count answers a
// query for one number. Everything is delivered if all, else deliveries may wait.
func (b Books) AuditDatabase(t testing.TB, all bool, count func(query string) int) {
	t.Helper()
	for what, query := range suspects {
		if n := count(query); n != 0 {
			t.Errorf("the database has %d %s", n, what)
		}
	}
	if waiting := count(`SELECT count(*) FROM deliveries WHERE state <> 2`); all && waiting != 0 {
		t.Errorf("the database has %d deliveries that are not delivered", waiting)
	}
	if n := count(`SELECT count(*) FROM messages`); n < b.Accepted || n > b.Accepted+b.Unknown {
		t.Errorf("the database has %d messages; %d were accepted and %d had no answer", n, b.Accepted, b.Unknown)
	}
}
