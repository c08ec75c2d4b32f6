package send_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"syscall"
	"testing"

	"github.com/grapnelhq/grapnel/internal/hook"
	"github.com/grapnelhq/grapnel/internal/netguard"
	"github.com/grapnelhq/grapnel/internal/send"
)

// TestEveryFailureHasItsClass is the complete table: each kind of error in each
// phase in which it can come.
func TestEveryFailureHasItsClass(t *testing.T) {
	t.Parallel()
	const (
		b, c, d = hook.FailBody, hook.FailConnect, hook.FailDNS
		o, p, r = hook.FailTimeout, hook.FailPolicy, hook.FailProtocol
		s       = hook.FailTLS
	)
	wrap := func(err error) error {
		return fmt.Errorf("posting: %w", &net.OpError{Op: "read", Net: "tcp", Err: err})
	}
	for name, row := range map[string]struct {
		err error
		// connecting, resolving, handshaking, sending, waiting, heading
		want [6]hook.Class
	}{
		"denied":              {&netguard.Denied{Rule: netguard.RulePort}, [6]hook.Class{p, p, p, p, p, p}},
		"canceled":            {context.Canceled, [6]hook.Class{b, b, b, b, b, b}},
		"name":                {&net.DNSError{IsNotFound: true}, [6]hook.Class{d, d, d, d, d, d}},
		"name in time":        {&net.DNSError{IsTimeout: true}, [6]hook.Class{d, d, d, d, d, d}},
		"deadline of context": {context.DeadlineExceeded, [6]hook.Class{o, d, s, o, o, o}},
		"deadline of reading": {os.ErrDeadlineExceeded, [6]hook.Class{o, d, s, o, o, o}},
		"system's timeout":    {os.NewSyscallError("connect", syscall.ETIMEDOUT), [6]hook.Class{o, d, s, o, o, o}},
		"refused":             {os.NewSyscallError("connect", syscall.ECONNREFUSED), [6]hook.Class{c, d, s, r, r, r}},
		"no route":            {os.NewSyscallError("connect", syscall.EHOSTUNREACH), [6]hook.Class{c, d, s, b, b, b}},
		"no descriptors":      {os.NewSyscallError("socket", syscall.EMFILE), [6]hook.Class{c, d, s, r, r, r}},
		"reset":               {os.NewSyscallError("read", syscall.ECONNRESET), [6]hook.Class{c, d, s, b, b, b}},
		"broken pipe":         {os.NewSyscallError("write", syscall.EPIPE), [6]hook.Class{c, d, s, b, b, b}},
		"end":                 {io.EOF, [6]hook.Class{c, d, s, b, b, b}},
		"early end":           {io.ErrUnexpectedEOF, [6]hook.Class{c, d, s, b, b, b}},
		"closed":              {net.ErrClosed, [6]hook.Class{c, d, s, b, b, b}},
		"certificate":         {&tls.CertificateVerificationError{Err: x509.UnknownAuthorityError{}}, [6]hook.Class{s, d, s, s, s, s}},
		"not TLS":             {tls.RecordHeaderError{Msg: "first record does not look like a TLS handshake"}, [6]hook.Class{s, d, s, s, s, s}},
		"alert":               {&net.OpError{Op: "remote error", Err: errors.New("tls: certificate required")}, [6]hook.Class{s, d, s, s, s, s}},
		"anything else":       {errors.New("malformed"), [6]hook.Class{c, d, s, r, r, r}},
	} {
		for phase, want := range row.want {
			for _, err := range []error{row.err, wrap(row.err)} {
				if got := send.Classify(send.Phase(phase), err); got != want {
					t.Errorf("%s in phase %d: %v, want %v", name, phase, got, want)
				}
			}
		}
	}
}

func TestEveryStatusHasASentence(t *testing.T) {
	t.Parallel()
	for status := range 1000 {
		class := hook.ClassOfStatus(status)
		if text := send.StatusSentence(class, status); (text == "") != (class == hook.Success) {
			t.Errorf("status %d of class %v: %q", status, class, text)
		}
	}
}
