package cli

import (
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/grapnelhq/grapnel/apitype"
)

// The forms of --ui.
const (
	uiAuto  = "auto"
	uiFull  = "full"
	uiLines = "lines"
	uiJSON  = "json"
	uiQuiet = "quiet"
)

// printer is the view without a screen: what comes goes to stdout, states to stderr.
type printer struct {
	*Streams
	ui       string // uiLines, uiJSON or uiQuiet
	p        paint  // of stdout
	pe       paint  // of stderr
	together bool   // arrival and outcome are printed at once, as others come in between
	banner   func(*apitype.ListenHello)
	ready    func(*apitype.ListenHello) // told at the first hello

	mu      sync.Mutex // guards what follows, and keeps lines whole
	greeted bool
	hidden  int
	waiting map[*arrival]string
}

func (v *printer) state(s linkState) {
	v.mu.Lock()
	defer v.mu.Unlock()
	mark := v.pe.wait("●")
	switch s.word {
	case "connected":
		mark = v.pe.good()
	case "lost":
		mark = v.pe.bad()
	}
	fmt.Fprintf(v.Err, "%s %s\n", mark, s.text)
}

func (v *printer) hello(h *apitype.ListenHello) {
	v.mu.Lock()
	first := !v.greeted
	v.greeted = true
	v.mu.Unlock()
	if !first {
		return
	}
	v.ready(h)
	if v.banner != nil {
		v.banner(h)
	}
}

func (v *printer) arrived(a *arrival) {
	if v.ui != uiLines {
		return
	}
	line := v.arrivalLine(a)
	v.mu.Lock()
	defer v.mu.Unlock()
	if !v.together {
		fmt.Fprintln(v.Out, line)
		return
	}
	if v.waiting == nil {
		v.waiting = make(map[*arrival]string)
	}
	v.waiting[a] = line
}

// arrivalLine tells what came: time, source, type, size, signature, id.
func (v *printer) arrivalLine(a *arrival) string {
	return strings.Join([]string{
		v.clock(a.ReceivedAt), "-->", v.p.strong(printable(a.from)), printable(a.EventType), sizeText(int64(len(a.Body))), a.verdict, a.ID,
	}, "  ")
}

// clock is the time of day at a terminal, the exact time elsewhere.
func (v *printer) clock(t time.Time) string {
	if v.OutTerminal {
		return t.Local().Format("15:04:05")
	}
	return t.UTC().Format(time.RFC3339)
}

func (v *printer) passed(a *arrival, o *outcome) {
	v.mu.Lock()
	defer v.mu.Unlock()
	switch v.ui {
	case uiJSON:
		v.printJSON(eventLine(a, o))
	case uiLines:
		if line, ok := v.waiting[a]; ok {
			delete(v.waiting, a)
			fmt.Fprintln(v.Out, line)
		}
		fmt.Fprintln(v.Out, v.outcomeLine(o))
	}
}

// outcomeLine tells what the target said: time, status, request, duration, and the first
// line of its words if it did not take it.
func (v *printer) outcomeLine(o *outcome) string {
	word := o.word()
	switch {
	case o.ok():
		word = v.p.with(32, word) + " ok"
	case o.err == nil:
		word = v.p.with(31, word) + " fail"
	default:
		word = v.p.with(31, word)
	}
	parts := []string{v.clock(time.Now()), "<--", word, printable(o.target), milliseconds(o.took.Milliseconds())}
	if says := o.says(); says != "" {
		parts = append(parts, printable(says))
	}
	return strings.Join(parts, "  ")
}

// listenLine is one line of --ui json.
type listenLine struct {
	Type       string    `json:"type"` // event, refused
	ID         string    `json:"id"`
	From       string    `json:"from"`
	Source     string    `json:"source,omitempty"`
	App        string    `json:"app,omitempty"`
	EventType  string    `json:"eventType,omitempty"`
	EventID    string    `json:"eventId,omitempty"`
	ReceivedAt time.Time `json:"receivedAt"`
	Signature  string    `json:"signature,omitempty"`
	Bytes      int       `json:"bytes"`
	Method     string    `json:"method,omitempty"`
	Path       string    `json:"path,omitempty"`
	Query      string    `json:"query,omitempty"`
	// Headers and Body are those of the event; a body that is JSON stands as it is.
	Headers [][2]string     `json:"headers,omitempty"`
	JSON    json.RawMessage `json:"json,omitempty"`
	Body    []byte          `json:"body,omitempty"` // base64, of any other
	// What came of it.
	Target  string   `json:"target,omitempty"`
	Status  int      `json:"status,omitempty"`
	TookMs  int64    `json:"tookMs,omitempty"`
	OK      *bool    `json:"ok,omitempty"`
	Error   string   `json:"error,omitempty"`
	Dropped []string `json:"droppedHeaders,omitempty"`
	Reason  string   `json:"reason,omitempty"`
	Detail  string   `json:"detail,omitempty"`
	Hints   []string `json:"findings,omitempty"`
}

func eventLine(a *arrival, o *outcome) listenLine {
	l := listenLine{
		Type: "event", ID: a.ID, From: a.from, Source: a.Source, App: a.App, EventType: a.EventType, EventID: a.EventID,
		ReceivedAt: a.ReceivedAt, Signature: a.verdict, Bytes: len(a.Body), Method: a.Method, Path: a.Path, Query: a.Query, Headers: a.Headers,
	}
	if json.Valid(a.Body) {
		l.JSON = a.Body
	} else {
		l.Body = a.Body
	}
	if o == nil {
		return l
	}
	good := o.ok()
	l.Target, l.Status, l.TookMs, l.OK, l.Dropped = o.target, o.status, o.took.Milliseconds(), &good, o.dropped
	if !good {
		l.Error = o.says()
	}
	return l
}

func (v *printer) printJSON(line any) {
	_ = writeJSON(v.Out, line, true) // a closed pipe ends the process by its signal
}

// shown implements listenView.
func (v *printer) shown(a *arrival) {
	v.mu.Lock()
	defer v.mu.Unlock()
	switch {
	case v.ui == uiJSON:
		v.printJSON(eventLine(a, nil))
	case v.waiting[a] != "":
		fmt.Fprintln(v.Out, v.waiting[a])
		delete(v.waiting, a)
	}
}

func (v *printer) skipped(*arrival) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.hidden++
}

func (v *printer) refused(r *apitype.ListenRefused, from string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	why := r.Detail
	if len(r.Findings) > 0 {
		why = r.Findings[0]
	}
	switch v.ui {
	case uiJSON:
		v.printJSON(listenLine{
			Type: "refused", ID: r.ID, From: from, Source: r.Source, EventType: r.EventType, ReceivedAt: r.ReceivedAt,
			Bytes: r.BodySize, Status: r.Status, Reason: r.Reason, Detail: r.Detail, Hints: r.Findings,
		})
	case uiLines:
		fmt.Fprintln(v.Out, strings.Join([]string{
			v.clock(r.ReceivedAt), "-->", v.p.strong(printable(from)), v.p.with(31, "refused"), r.Reason, fmt.Sprint(r.Status), r.ID, printable(why),
		}, "  "))
	}
}

// summary says at the end what was not shown.
func (v *printer) summary() {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.hidden > 0 {
		fmt.Fprintf(v.Err, "  %s left out by --events\n", count(v.hidden, "event"))
	}
}
