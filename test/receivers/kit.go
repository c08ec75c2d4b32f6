// Package receivers checks how a receiver of webhooks behaves: it sends what a good sender,
// a bad network and an attacker send, looks at the answers and at what the receiver has
// durably done, and names each fault it finds.
package receivers

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"slices"
	"time"

	"github.com/grapnelhq/grapnel/webhook"
)

// Subject is a receiver under check. It takes what the Standard Webhooks specification
// describes. All functions must be set; they are called by one goroutine.
type Subject struct {
	URL    string
	Secret string // whsec_…
	// Effects counts what the receiver has durably done for the message of that id. It
	// returns when all requests that were answered have ended.
	Effects func(id string) int
	// Cut makes the receiver's durable store fail, as if the machine had crashed, until
	// restore is called.
	Cut func() (restore func())
	// Meet is told that copies of one message come at once. A store in which several
	// transactions can read before one of them writes lets that many do so.
	Meet func(copies int)
}

// Fault names something that a receiver does wrong.
type Fault string

// The faults.
const (
	RefusesValid          Fault = "refuses a valid message"
	RefusesBigBody        Fault = "refuses a body of 200 KiB"
	ReadsWithoutBound     Fault = "reads a body of any size"
	AcceptsWrongSignature Fault = "accepts a wrong signature"
	AcceptsUnsigned       Fault = "accepts a message with a header missing"
	AcceptsPartOfOne      Fault = "accepts a part of a signature"
	AcceptsUnknownScheme  Fault = "accepts a signature of an unknown scheme"
	ReadsFirstOnly        Fault = "reads the first signature only"
	VerifiesParsedBody    Fault = "verifies the parsed body instead of the bytes"
	IgnoresOldTime        Fault = "accepts an old message"
	IgnoresFutureTime     Fault = "accepts a message of the future"
	TrustsNamedKey        Fault = "trusts the certificate that a message names"
	AcknowledgesTooEarly  Fault = "acknowledges before the commit"
	ForgetsAfterCrash     Fault = "does not process the retry after a crash"
	ProcessesTwice        Fault = "processes a duplicate"
	RefusesDuplicate      Fault = "refuses a duplicate"
	RacesDuplicates       Fault = "processes simultaneous copies more than once"
)

// Check makes every probe and gives the faults in the order of their finding, each once. The
// error is about the check itself: no faults can be told from it.
func Check(ctx context.Context, s Subject) ([]Fault, error) {
	k, err := newKit(s)
	if err != nil {
		return nil, err
	}
	defer k.client.CloseIdleConnections()
	for _, probe := range []func(context.Context) error{
		k.valid, k.duplicate, k.bigBody, k.endlessBody, k.wrongSignature, k.missingHeaders, k.partOfSignature, k.unknownScheme, k.rotation,
		k.rewrittenBody, k.times, k.namedKey, k.crash, k.simultaneous,
	} {
		if err := probe(ctx); err != nil {
			return nil, err
		}
	}
	return k.faults, nil
}

// kit holds what the probes share.
type kit struct {
	Subject
	signer  *webhook.Signer
	foreign *webhook.Signer // of a secret that the receiver does not know
	client  *http.Client
	faults  []Fault
}

// answerWithin is how long a receiver may take.
const answerWithin = 15 * time.Second

func newKit(s Subject) (*kit, error) {
	own, err := webhook.ParseKey(s.Secret)
	if err != nil {
		return nil, fmt.Errorf("the subject's secret: %w", err)
	}
	signer, err := webhook.NewSigner(own)
	if err != nil {
		return nil, fmt.Errorf("the subject's secret: %w", err)
	}
	foreign, err := webhook.NewSigner(webhook.NewSecret())
	if err != nil {
		return nil, fmt.Errorf("make a foreign secret: %w", err)
	}
	return &kit{Subject: s, signer: signer, foreign: foreign, client: &http.Client{Timeout: answerWithin, Transport: &http.Transport{}}}, nil
}

func (k *kit) found(f Fault) {
	if !slices.Contains(k.faults, f) {
		k.faults = append(k.faults, f)
	}
}

func (k *kit) has(f Fault) bool { return slices.Contains(k.faults, f) }

// message is a request in the making.
type message struct {
	id     string
	header http.Header
	body   []byte
}

// newMessage is a valid message, signed now, with a body that is the same however a JSON
// library writes it.
func (k *kit) newMessage() message {
	id := newID()
	return k.sign(k.signer, id, time.Now(), []byte(`{"data":{"order":20417},"type":"order.paid"}`))
}

// newID is an id that no message had before.
func newID() string {
	var b [12]byte
	_, _ = rand.Read(b[:]) // it never fails
	return "msg_" + hex.EncodeToString(b[:])
}

func (k *kit) sign(signer *webhook.Signer, id string, at time.Time, body []byte) message {
	m := message{id: id, header: http.Header{"Content-Type": {"application/json"}}, body: body}
	_ = signer.SetHeaders(m.header, id, at, body) // its only error is about ids, and ours are good
	return m
}

// send delivers a message and gives the status.
func (k *kit) send(ctx context.Context, m message) (int, error) {
	return k.post(ctx, m.header, bytes.NewReader(m.body))
}

func (k *kit) post(ctx context.Context, header http.Header, body io.Reader) (int, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, k.URL, body)
	if err != nil {
		return 0, fmt.Errorf("make a request: %w", err)
	}
	request.Header = header.Clone()
	response, err := k.client.Do(request)
	if err != nil {
		return 0, fmt.Errorf("send a message: %w", err)
	}
	_, _ = io.Copy(io.Discard, io.LimitReader(response.Body, 64<<10)) // the status decides
	_ = response.Body.Close()
	return response.StatusCode, nil
}

func good(status int) bool { return status/100 == 2 }

// refused sends a message that must be refused without effect, and notes the fault if not.
func (k *kit) refused(ctx context.Context, m message, f Fault) error {
	status, err := k.send(ctx, m)
	if err != nil {
		return err
	}
	if good(status) || k.Effects(m.id) > 0 {
		k.found(f)
	}
	return nil
}

// accepted sends a message that must have its effect once, and notes the fault if not.
func (k *kit) accepted(ctx context.Context, m message, f Fault) error {
	status, err := k.send(ctx, m)
	if err != nil {
		return err
	}
	if !good(status) || k.Effects(m.id) != 1 {
		k.found(f)
	}
	return nil
}
