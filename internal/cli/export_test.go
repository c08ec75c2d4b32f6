package cli

import (
	"bytes"
	"context"
	"path/filepath"

	"github.com/grapnelhq/grapnel/internal/config"
)

// What the tests call.
var (
	SetAll      = setAll
	ProgramName = programName
	ThisProgram = thisProgram
	Relative    = relative
	Digits      = digits
	SizeText    = sizeText
	TookText    = tookText
)

// ShowProgress gives what one sees of a progress that is told these texts.
func ShowProgress(terminal bool, told ...string) string {
	var out bytes.Buffer
	p := (&Streams{Err: &out, ErrTerminal: terminal}).progress()
	p.interval = 0
	for _, text := range told {
		p.tell(func() string { return text })
	}
	p.done()
	return out.String()
}

// Receiver shows the built-in receiver.
type Receiver struct{ *receiver }

// NewReceiver starts a receiver.
func NewReceiver(ctx context.Context) (Receiver, error) {
	r, err := newReceiver(ctx, "127.0.0.1:0")
	if err == nil {
		go func() { _ = r.run() }()
	}
	return Receiver{r}, err
}

// URL is its address.
func (r Receiver) URL() string { return r.url() }

// Close ends it.
func (r Receiver) Close() error { return r.close() }

// StartDevBeside starts dev's server with this address as the usual one, stops
// it, and gives the address it had and what it noted.
func StartDevBeside(ctx context.Context, dir, usual string) (url string, notes []string, err error) {
	defaults := map[string]string{"listen": usual, "db": "sqlite:" + filepath.Join(dir, "g.db"), "log-level": "error"}
	cfg, err := config.Load(config.Sources{Defaults: defaults})
	if err != nil {
		return "", nil, err
	}
	var out bytes.Buffer
	d := &devRun{app: &app{Streams: Streams{Out: &out, Err: &out}}, cfg: cfg, folder: dir}
	if err := d.prepare(); err != nil {
		return "", nil, err
	}
	srv, err := d.start(ctx)
	if err != nil {
		return "", nil, err
	}
	return srv.URL(), d.notes, srv.Stop(ctx)
}
