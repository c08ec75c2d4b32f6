package server

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"syscall"
	"time"
)

// Limits of a connection.
const (
	headerTimeout = 5 * time.Second
	// bodyTimeout is from the first byte of a request to the end of its body. It
	// is longer than a publish may wait, for it ends that as well.
	bodyTimeout   = time.Minute
	answerTimeout = 3 * time.Minute
	idleTimeout   = 2 * time.Minute
	// maxHeader is refused with the error object; net/http cuts off at twice that.
	maxHeader      = 64 << 10
	maxHeaderLines = 200
)

// listener is one address with its HTTP server.
type listener struct {
	net.Listener
	flag string
	http *http.Server // nil before serve
	tls  *certificate // nil: plain HTTP
}

// listen binds all addresses. What connects now waits until serve.
func (s *Server) listen(ctx context.Context) error {
	var err error
	if s.cfg.TLSCert != "" {
		cert, err := loadCertificate(s.cfg.TLSCert, s.cfg.TLSKey, s.log)
		if err != nil {
			return err
		}
		s.chores.start("certificate", cert.run)
		s.main = &listener{tls: cert}
	} else {
		s.main = &listener{}
	}
	s.main.flag = "--listen"
	if s.main.Listener, err = s.bind(ctx, s.main.flag, s.cfg.Listen); err != nil {
		return err
	}
	if s.cfg.MetricsListen == "" {
		return nil
	}
	s.private = &listener{flag: "--metrics-listen"}
	s.private.Listener, err = s.bind(ctx, s.private.flag, s.cfg.MetricsListen)
	return err
}

func (s *Server) bind(ctx context.Context, flag, address string) (net.Listener, error) {
	l, err := s.world.Listen(ctx, "tcp", address)
	if err != nil {
		cause := err
		var op *net.OpError
		if errors.As(err, &op) {
			cause = op.Err
		}
		return nil, &ListenError{Flag: flag, Address: address, Taken: errors.Is(err, syscall.EADDRINUSE), Err: cause}
	}
	return l, nil
}

// url is the address for a caller on this machine.
func (l *listener) url() string {
	scheme := "http"
	if l.tls != nil {
		scheme = "https"
	}
	a := l.addrPort()
	if a.Addr().IsUnspecified() {
		a = netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), a.Port())
	}
	return scheme + "://" + a.String()
}

func (l *listener) addrPort() netip.AddrPort {
	a, err := netip.ParseAddrPort(l.Addr().String())
	if err != nil {
		return netip.AddrPort{}
	}
	return netip.AddrPortFrom(a.Addr().Unmap(), a.Port())
}

// serve makes the HTTP server.
func (l *listener) serve(h http.Handler, log *slog.Logger) {
	l.http = &http.Server{
		Handler:           h,
		ReadHeaderTimeout: headerTimeout,
		ReadTimeout:       bodyTimeout,
		WriteTimeout:      answerTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    2 * maxHeader,
		// Broken handshakes and the like are the clients' affair.
		ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
	if l.tls != nil {
		l.http.TLSConfig = &tls.Config{
			MinVersion: tls.VersionTLS12, GetCertificate: l.tls.get,
			// A source can insist on a certificate and decides about it; all others need none.
			ClientAuth: tls.RequestClientCert,
		}
	}
}

// run answers until the listener is closed.
func (l *listener) run(context.Context) error {
	var err error
	if l.tls != nil {
		err = l.http.ServeTLS(l.Listener, "", "")
	} else {
		err = l.http.Serve(l.Listener)
	}
	if errors.Is(err, http.ErrServerClosed) || errors.Is(err, net.ErrClosed) {
		return nil
	}
	return fmt.Errorf("serving %s: %w", l.Addr(), err)
}

func (s *Server) listeners() []*listener {
	var all []*listener
	for _, l := range []*listener{s.main, s.private} {
		if l != nil && l.Listener != nil {
			all = append(all, l)
		}
	}
	return all
}

// closeListeners takes no new connections; the chores group then knows that the
// end of the accept loops is wanted.
func (s *Server) closeListeners() {
	s.chores.expectEnd()
	for _, l := range s.listeners() {
		_ = l.Close() // closing twice is harmless
	}
}

// shutdown lets running requests end; at the deadline it cuts them off.
func (s *Server) shutdown(deadline context.Context) error {
	for _, l := range s.listeners() {
		if l.http == nil {
			continue
		}
		// A listener that is closed already is no reason; requests that run are.
		if err := l.http.Shutdown(deadline); err != nil && !errors.Is(err, net.ErrClosed) {
			s.log.WarnContext(deadline, "requests were still running at the drain deadline and are cut off", "listener", l.flag)
			if err := l.http.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
				return fmt.Errorf("closing %s: %w", l.flag, err)
			}
		}
	}
	return nil
}
