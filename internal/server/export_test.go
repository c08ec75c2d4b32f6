package server

import (
	"context"
	"crypto/x509"
	"log/slog"
	"testing"
)

// Chore adds a loop to a started server.
func (s *Server) Chore(name string, loop func(context.Context) error) { s.chores.start(name, loop) }

// Certificate shows the inside of a certificate.
type Certificate struct{ *certificate }

// LoadCertificate is loadCertificate.
func LoadCertificate(cert, key string, log *slog.Logger) (Certificate, error) {
	c, err := loadCertificate(cert, key, log)
	return Certificate{c}, err
}

// Refresh is refresh.
func (c Certificate) Refresh(ctx context.Context) { c.refresh(ctx) }

// Serial gives the serial number of the certificate in use.
func (c Certificate) Serial(t *testing.T) int64 {
	t.Helper()
	pair, err := c.get(nil)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(pair.Certificate[0])
	if err != nil {
		t.Fatal(err)
	}
	return leaf.SerialNumber.Int64()
}

// The log's parts.
var (
	NewLineWriter = newLineWriter
	NewLogger     = newLogger
)

// Connections shares out the files that the process may have open.
var Connections = connections

// CloseStore takes the database away from a started server.
func (s *Server) CloseStore() error { return s.store.Close() }

// SetReady makes a started server say that it is ready, or stopping.
func (s *Server) SetReady(ready bool) { s.ready.Store(ready) }
