package send

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/grapnelhq/grapnel/internal/hook"
	"github.com/grapnelhq/grapnel/internal/netguard"
)

// outcome is what came of the exchange: an answer is judged by its status, a
// failure by its error and by how far it had come.
func (x *exchange) outcome() hook.Outcome {
	if x.phase == answered {
		class := hook.ClassOfStatus(x.status)
		return hook.Outcome{Class: class, Status: x.status, RetryAfter: x.retryAfter, Detail: statusSentence(class, x.status)}
	}
	class := classify(x.phase, x.err)
	return hook.Outcome{Class: class, Detail: x.sentence(class)}
}

// classify decides by the types in err and by the phase in which it came, never
// by its text.
func classify(p phase, err error) hook.Class {
	var (
		denied *netguard.Denied
		name   *net.DNSError
	)
	switch {
	case errors.As(err, &denied):
		return hook.FailPolicy
	case errors.Is(err, context.Canceled):
		return hook.FailBody
	case p == resolving || errors.As(err, &name):
		return hook.FailDNS
	case p == handshaking || isTLS(err):
		return hook.FailTLS
	case isTimeout(err):
		return hook.FailTimeout
	case p == connecting:
		return hook.FailConnect
	case isBroken(err):
		return hook.FailBody
	}
	return hook.FailProtocol
}

func isTimeout(err error) bool {
	var timeout net.Error
	return errors.Is(err, context.DeadlineExceeded) || errors.Is(err, os.ErrDeadlineExceeded) || errors.As(err, &timeout) && timeout.Timeout()
}

// isBroken reports a connection that ended before an answer was complete.
func isBroken(err error) bool {
	for _, broken := range []error{
		io.EOF, io.ErrUnexpectedEOF, io.ErrClosedPipe, net.ErrClosed,
		syscall.ECONNRESET, syscall.EPIPE, syscall.ECONNABORTED, syscall.ETIMEDOUT, syscall.EHOSTUNREACH, syscall.ENETUNREACH,
	} {
		if errors.Is(err, broken) {
			return true
		}
	}
	return false
}

// isTLS reports errors of TLS that can also come after the handshake: with TLS
// 1.3 a server refuses a missing client certificate only then.
func isTLS(err error) bool {
	var (
		certificate *tls.CertificateVerificationError
		record      tls.RecordHeaderError
	)
	return errors.As(err, &certificate) || errors.As(err, &record) || tlsAlert(err) != ""
}

// tlsAlert is the text of the alert that ended the connection. The texts are a
// closed list in crypto/tls, which gives the type no name.
func tlsAlert(err error) string {
	var op *net.OpError
	for errors.As(err, &op) && op.Err != nil {
		if op.Op == "remote error" || op.Op == "local error" {
			return strings.TrimPrefix(op.Err.Error(), "tls: ")
		}
		err = op.Err
	}
	return ""
}

func statusSentence(class hook.Class, status int) string {
	switch class {
	case hook.Success:
		return ""
	case hook.FailRedirect:
		return fmt.Sprintf("The endpoint answered %s. Redirects are not followed: enter the final URL.", statusText(status))
	case hook.FailGone:
		return "The endpoint answered 410 Gone: it takes no more messages."
	case hook.FailTooMany:
		return "The endpoint answered 429 Too Many Requests."
	case hook.FailStatus4xx, hook.FailStatus5xx:
		return fmt.Sprintf("The endpoint answered %s.", statusText(status))
	case hook.FailProtocol:
		return fmt.Sprintf("The endpoint answered with status %d, which HTTP does not have as a final answer.", status)
	case hook.FailDNS, hook.FailConnect, hook.FailTLS, hook.FailTimeout, hook.FailPolicy, hook.FailBody:
	}
	return ""
}

func statusText(status int) string {
	return strings.TrimSpace(strconv.Itoa(status) + " " + http.StatusText(status))
}

// sentence tells the owner of the endpoint what happened. It holds no URL, no
// secret and nothing that the peer has sent.
func (x *exchange) sentence(class hook.Class) string {
	switch class {
	case hook.FailDNS:
		return nameSentence(x.err, x.timings.DNS)
	case hook.FailConnect:
		return connectSentence(x.err)
	case hook.FailTLS:
		return tlsSentence(x.err, x.timings.TLS)
	case hook.FailTimeout:
		return x.timeoutSentence()
	case hook.FailProtocol:
		return protocolSentence(x.err)
	case hook.FailPolicy:
		return denial(x.err)
	case hook.FailBody:
		return x.brokenSentence()
	case hook.Success, hook.FailRedirect, hook.FailStatus4xx, hook.FailStatus5xx, hook.FailTooMany, hook.FailGone:
	}
	return ""
}

func denial(err error) string {
	var denied *netguard.Denied
	if !errors.As(err, &denied) {
		return sentenceURL
	}
	text := "The network policy forbids the target (" + string(denied.Rule) + "): " + denied.Detail + "."
	if denied.Hint != "" {
		text += " To change this: " + denied.Hint + "."
	}
	return text
}

func nameSentence(err error, took time.Duration) string {
	var name *net.DNSError
	switch {
	case errors.As(err, &name) && name.IsNotFound:
		return "The host name of the endpoint does not exist."
	case isTimeout(err):
		return "The host name of the endpoint could not be resolved: no answer from DNS in " + span(took) + "."
	}
	return "The host name of the endpoint could not be resolved: DNS answered with a failure."
}

func connectSentence(err error) string {
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		return "The endpoint refused the connection."
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH):
		return "There is no way to the endpoint's address."
	case errors.Is(err, syscall.EMFILE), errors.Is(err, syscall.ENFILE):
		return "This server has no file descriptor left for a connection."
	case errors.Is(err, errProxy):
		return "The egress proxy refused to connect to the endpoint."
	}
	return "No connection to the endpoint could be made."
}

func tlsSentence(err error, took time.Duration) string {
	var (
		invalid x509.CertificateInvalidError
		name    x509.HostnameError
		unknown x509.UnknownAuthorityError
		record  tls.RecordHeaderError
	)
	switch {
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return "The certificate of the endpoint has expired or is not valid yet."
	case errors.As(err, &name):
		return "The certificate of the endpoint is for another name."
	case errors.As(err, &unknown):
		return "The certificate of the endpoint is not signed by an authority that this server trusts."
	case errors.As(err, &invalid):
		return "The certificate of the endpoint is not valid for a server."
	case errors.As(err, &record):
		return "The endpoint does not speak TLS on this port."
	case tlsAlert(err) != "":
		return "The endpoint ended the TLS handshake: " + tlsAlert(err) + "."
	case isTimeout(err):
		return "The TLS handshake did not end in " + span(took) + "."
	case isBroken(err):
		return "The endpoint closed the connection in the TLS handshake."
	}
	return "The TLS handshake failed: the endpoint and this server have no version or method in common (TLS 1.2 or newer is needed)."
}

func (x *exchange) timeoutSentence() string {
	switch x.phase {
	case connecting, resolving, handshaking:
		return "No connection in " + span(x.timings.Total) + "."
	case sending:
		return "The request could not be sent in " + span(x.timings.Total) + "." + x.route() + "then the endpoint took no more."
	case heading:
		return "No complete answer in " + span(x.timings.Total) + "." + x.route() + "then an answer that did not get to its end."
	case waiting, answered:
	}
	return "No answer in " + span(x.timings.Total) + "." + x.route() + "then nothing."
}

// route tells how the connection came about.
func (x *exchange) route() string {
	switch {
	case x.reused:
		return " On a connection that was open already, "
	case x.to.secure:
		return " Connected in " + span(x.timings.Connect) + ", TLS in " + span(x.timings.TLS) + ", "
	}
	return " Connected in " + span(x.timings.Connect) + ", "
}

func protocolSentence(err error) string {
	switch {
	case errors.Is(err, errNotHTTP):
		return "What came back is not HTTP."
	case errors.Is(err, errLongHead):
		return "The header of the answer is larger than 64 KiB."
	case errors.Is(err, errInformational):
		return "The endpoint sent interim answers (1xx) without end."
	case errors.Is(err, errRepeated):
		return "The endpoint dropped the request each time that it was sent."
	}
	return "What came back is not an answer that HTTP allows."
}

func (x *exchange) brokenSentence() string {
	switch {
	case errors.Is(x.err, context.Canceled):
		return "The attempt was cut off because this server stopped."
	case x.phase == sending:
		return "The connection broke while the request was being sent."
	case x.phase == heading:
		return "The connection broke in the middle of the answer."
	}
	return "The endpoint closed the connection without an answer."
}

// span writes a duration for people.
func span(d time.Duration) string {
	switch {
	case d >= 10*time.Second:
		return strconv.FormatFloat(d.Round(time.Second).Seconds(), 'f', -1, 64) + " s"
	case d >= time.Second:
		return strconv.FormatFloat(d.Round(100*time.Millisecond).Seconds(), 'f', -1, 64) + " s"
	case d >= time.Millisecond:
		return strconv.FormatInt(d.Round(time.Millisecond).Milliseconds(), 10) + " ms"
	}
	return "under 1 ms"
}
