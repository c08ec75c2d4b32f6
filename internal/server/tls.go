package server

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync/atomic"
	"time"
)

// lookForCertificate is how often the files are looked at.
const lookForCertificate = 5 * time.Second

// certificate is the server's own, read again when its files change. Watching
// by looking works with every way in which such files are replaced: written,
// renamed, or a link that is moved, as Kubernetes does it.
type certificate struct {
	cert, key string
	log       *slog.Logger
	current   atomic.Pointer[tls.Certificate]
	seen      [2]fileState // of the files that current was read from; used by run alone
	refused   [2]fileState // of the last files that were complained about; likewise
}

type fileState struct {
	size    int64
	changed time.Time
}

// CertificateError says that the certificate cannot be used.
type CertificateError struct{ Err error }

// Error gives the cause.
func (e *CertificateError) Error() string {
	return "the TLS certificate cannot be used: " + e.Err.Error()
}

// Unwrap gives the cause.
func (e *CertificateError) Unwrap() error { return e.Err }

// Hint says what the operator can do.
func (e *CertificateError) Hint() string {
	return "--tls-cert names the certificate chain and --tls-key its private key, both in PEM and readable by the server."
}

func loadCertificate(cert, key string, log *slog.Logger) (*certificate, error) {
	c := &certificate{cert: cert, key: key, log: log}
	if err := c.load(); err != nil {
		return nil, &CertificateError{Err: err}
	}
	return c, nil
}

func (c *certificate) load() error {
	seen, err := c.look()
	if err != nil {
		return err
	}
	pair, err := tls.LoadX509KeyPair(c.cert, c.key)
	if err != nil {
		return fmt.Errorf("loading the pair: %w", err)
	}
	c.current.Store(&pair)
	c.seen = seen
	return nil
}

func (c *certificate) look() ([2]fileState, error) {
	var seen [2]fileState
	for i, path := range []string{c.cert, c.key} {
		info, err := os.Stat(path)
		if err != nil {
			return seen, err
		}
		seen[i] = fileState{info.Size(), info.ModTime()}
	}
	return seen, nil
}

// get fits tls.Config.GetCertificate.
func (c *certificate) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	if pair := c.current.Load(); pair != nil {
		return pair, nil
	}
	return nil, errors.New("no certificate")
}

// run looks at the files until ctx ends.
func (c *certificate) run(ctx context.Context) error {
	tick := time.NewTicker(lookForCertificate)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			c.refresh(ctx)
		case <-ctx.Done():
			return nil
		}
	}
}

// refresh reads the files again if they have changed. A pair that does not fit
// together, as while it is being replaced, leaves the old one in use.
func (c *certificate) refresh(ctx context.Context) {
	seen, err := c.look()
	if err == nil && seen == c.seen {
		return
	}
	if err == nil {
		err = c.load()
	}
	switch {
	case err == nil:
		c.log.InfoContext(ctx, "TLS certificate read again", "path", c.cert)
	case seen != c.refused:
		c.refused = seen
		c.log.WarnContext(ctx, "the changed TLS certificate cannot be used, the old one stays", "error", err)
	}
}
