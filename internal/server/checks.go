package server

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/grapnelhq/grapnel/apitype"
	"github.com/grapnelhq/grapnel/internal/config"
	"github.com/grapnelhq/grapnel/internal/hook"
)

// looking is one look of the doctor. It reads and judges; nothing leaves the machine.
type looking struct {
	*Server
	ctx     context.Context //nolint:containedctx // of the one request that it lasts for
	request *http.Request
	queue   hook.QueueStats
	nodes   []hook.NodeInfo
}

// What the doctor takes for too much or too little.
const (
	clockWarn = 500 * time.Millisecond
	clockFail = 10 * time.Second
	diskWarn  = 2 << 30   // bytes
	diskFail  = 256 << 20 // bytes
	queueWarn = time.Minute
	queueFail = 10 * time.Minute
)

// found is what a check found: ok unless it says otherwise.
type found struct {
	state      apitype.CheckState
	text, hint string
}

// all makes every check, in the order in which they are shown.
func (l *looking) all() []apitype.SystemCheck {
	checks := []struct {
		name, title string
		look        func(*looking) found
	}{
		{"database", "Database can be written", (*looking).database},
		{"disk", "Room on the disk of the database", (*looking).disk},
		{"clock", "Clock against the database", (*looking).clockAgainst},
		{"lease", "Lease of this node", (*looking).lease},
		{"delivering", "Nodes that deliver", (*looking).delivering},
		{"queue", "Age of the queue", (*looking).queueAge},
		{"public_url", "Public address", (*looking).publicAddress},
		{"tls", "Encryption on the way here", (*looking).encryption},
		{"master_key", "Master key", (*looking).masterKeyFile},
		{"retention", "Retention against the retry schedule", (*looking).retentionAgainst},
	}
	out := make([]apitype.SystemCheck, 0, len(checks))
	for _, c := range checks {
		f := c.look(l)
		if f.state == "" {
			f.state = apitype.CheckOK
		}
		out = append(out, apitype.SystemCheck{Name: c.name, Title: c.title, State: f.state, Text: f.text, Hint: f.hint})
	}
	return out
}

func (l *looking) database() found {
	ctx, cancel := context.WithTimeout(l.ctx, readyTimeout)
	defer cancel()
	if err := l.store.Ping(ctx); err != nil {
		return found{apitype.CheckFail, "The database cannot be written.", "The log has the cause. Events are refused with 503 until it can."}
	}
	return found{text: "It takes writes: " + l.cfg.ShownDB() + "."}
}

func (l *looking) disk() found {
	path := l.cfg.SQLitePath()
	if path == "" {
		return found{text: "The database is on another machine, which must look after its own disk."}
	}
	_, free, ok := diskSpace(filepath.Dir(path))
	if !ok {
		return found{text: "This system does not tell how much room a disk has."}
	}
	f := found{text: fmt.Sprintf("%.1f GiB are free.", free/(1<<30))}
	switch {
	case free < diskFail:
		f.state, f.hint = apitype.CheckFail, "Make room now, or shorten --retention: a full disk refuses every event."
	case free < diskWarn:
		f.state, f.hint = apitype.CheckWarn, "Make room, or shorten --retention."
	}
	return f
}

func (l *looking) clockAgainst() found {
	if !l.cfg.Postgres() {
		return found{text: "The database is in this process, so there is one clock."}
	}
	off := l.now().Sub(l.wall()).Abs()
	f := found{text: fmt.Sprintf("The clock of this machine is %s away from the database's, by which all nodes go.", off.Round(time.Millisecond))}
	switch {
	case off > clockFail:
		f.state, f.hint = apitype.CheckFail, "Set the clock by NTP: signatures carry this machine's time and receivers refuse wrong ones."
	case off > clockWarn:
		f.state, f.hint = apitype.CheckWarn, "Set the clock by NTP."
	}
	return f
}

func (l *looking) lease() found {
	if !l.keeper.Fresh() {
		return found{apitype.CheckFail, "This node has not renewed its lease in time, so it sends nothing.", "The database is slow or out of reach; the log has the cause."}
	}
	return found{text: "It is fresh."}
}

func (l *looking) delivering() found {
	alive := 0
	for _, n := range l.nodes {
		if n.Alive && n.Delivers {
			alive++
		}
	}
	if alive == 0 {
		return found{apitype.CheckFail, "No node delivers.", "Start one with the role all or deliver."}
	}
	if alive == 1 {
		return found{text: "1 node delivers."}
	}
	return found{text: fmt.Sprintf("%d nodes deliver.", alive)}
}

func (l *looking) queueAge() found {
	if l.queue.OldestDue.IsZero() || !l.queue.OldestDue.Before(l.now()) {
		return found{text: "Nothing that is due waits."}
	}
	age := l.now().Sub(l.queue.OldestDue)
	f := found{text: "The oldest delivery that is due has been waiting for " + age.Round(time.Second).String() + "."}
	const hint = "An endpoint that is paced, throttled or whose circuit is open explains it; else add nodes or raise --delivery-memory."
	switch {
	case age > queueFail:
		f.state, f.hint = apitype.CheckFail, hint
	case age > queueWarn:
		f.state, f.hint = apitype.CheckWarn, hint
	}
	return f
}

func (l *looking) publicAddress() found {
	if l.cfg.PublicURL == nil {
		return found{apitype.CheckWarn, "It is not set, so that links are made of the host that a request names: now " + l.publicURL(l.request) + ".", "Set --public-url to the address under which others reach this server, with path prefix."}
	}
	return found{text: l.cfg.PublicURL.String()}
}

func (l *looking) encryption() found {
	switch {
	case l.cfg.TLSCert != "":
		return found{text: "This server has a certificate of its own."}
	case l.cfg.PublicURL != nil && l.cfg.PublicURL.Scheme == "https":
		return found{text: "The public address is https, so a proxy has the certificate."}
	case l.main.addrPort().Addr().IsLoopback():
		return found{text: "Only this machine can reach the server."}
	}
	return found{apitype.CheckWarn, "Keys and payloads travel in the clear.", "Give --tls-cert and --tls-key, or put a proxy with https in front and say so in --public-url."}
}

func (l *looking) masterKeyFile() found {
	if l.cfg.MasterKey.Reveal() != "" {
		return found{text: "It is given by the settings."}
	}
	path := filepath.Join(filepath.Dir(l.cfg.SQLitePath()), masterKeyFile)
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return found{apitype.CheckFail, "The file with it cannot be read.", "Restore " + masterKeyFile + " beside the database from a backup: secrets cannot be read without it after a restart."}
	case info.Mode().Perm()&0o077 != 0:
		return found{apitype.CheckFail, fmt.Sprintf("The file with it can be read by others (mode %04o).", info.Mode().Perm()), "Run chmod 600 on " + masterKeyFile + " beside the database."}
	}
	return found{text: "It is in " + masterKeyFile + " beside the database, and only its owner can read it. A backup needs both."}
}

func (l *looking) retentionAgainst() found {
	var schedule time.Duration
	for _, step := range l.cfg.RetrySchedule {
		schedule += step
	}
	keep := l.cfg.Retention
	if keep == 0 {
		return found{text: "Messages are kept for ever, so the disk must grow with them.", state: apitype.CheckWarn, hint: "Set --retention."}
	}
	if keep < schedule || l.cfg.RetentionPayload > 0 && l.cfg.RetentionPayload < schedule {
		return found{apitype.CheckWarn, "Messages or their payloads go before their retries are over: what is not delivered by then is canceled.", "Make --retention longer, or --retry-schedule shorter."}
	}
	return found{text: "Messages are kept for " + config.FormatDuration(keep) + ", retries take " + config.FormatDuration(schedule) + " at most."}
}
