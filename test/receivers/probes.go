package receivers

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/grapnelhq/grapnel/webhook"
)

func (k *kit) valid(ctx context.Context) error { return k.accepted(ctx, k.newMessage(), RefusesValid) }

// duplicate sends a message again as a sender does that missed the answer: the same id and
// body, signed anew.
func (k *kit) duplicate(ctx context.Context) error {
	m := k.newMessage()
	if _, err := k.send(ctx, m); err != nil {
		return err
	}
	status, err := k.send(ctx, k.sign(k.signer, m.id, time.Now(), m.body))
	if err != nil {
		return err
	}
	if !good(status) {
		k.found(RefusesDuplicate)
	}
	if k.Effects(m.id) > 1 {
		k.found(ProcessesTwice)
	}
	return nil
}

func (k *kit) bigBody(ctx context.Context) error {
	body := []byte(`{"data":"` + strings.Repeat("x", 200<<10) + `","type":"order.paid"}`)
	return k.accepted(ctx, k.sign(k.signer, newID(), time.Now(), body), RefusesBigBody)
}

// endless is how much of a body is offered to a receiver that should not take it.
const endless = 64 << 20

// endlessBody offers far more than any receiver should read before it knows the sender.
func (k *kit) endlessBody(ctx context.Context) error {
	m := k.newMessage()
	var taken counter
	body := io.TeeReader(io.LimitReader(zeros{}, endless), &taken)
	if _, err := k.post(ctx, m.header, body); err != nil && ctx.Err() != nil {
		return err
	} // a connection that the receiver has closed is a good answer too
	if taken.n.Load() == endless {
		k.found(ReadsWithoutBound)
	}
	return nil
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// counter counts what passes. The transport writes it on a goroutine of its own.
type counter struct{ n atomic.Int64 }

func (c *counter) Write(p []byte) (int, error) {
	c.n.Add(int64(len(p)))
	return len(p), nil
}

// wrongSignature signs with another secret, and takes a good signature to another body, id
// and time.
func (k *kit) wrongSignature(ctx context.Context) error {
	foreign := k.newMessage()
	foreign = k.sign(k.foreign, foreign.id, time.Now(), foreign.body)
	body := k.newMessage()
	body.body = bytes.Replace(body.body, []byte("20417"), []byte("20418"), 1)
	id := k.newMessage()
	id.id = newID()
	id.header.Set(webhook.HeaderID, id.id)
	at := k.newMessage()
	at.header.Set(webhook.HeaderTimestamp, k.sign(k.signer, at.id, time.Now().Add(-time.Minute), nil).header.Get(webhook.HeaderTimestamp))
	for _, m := range []message{foreign, body, id, at} {
		if err := k.refused(ctx, m, AcceptsWrongSignature); err != nil {
			return err
		}
	}
	return nil
}

func (k *kit) missingHeaders(ctx context.Context) error {
	for _, names := range [][]string{
		{webhook.HeaderSignature}, {webhook.HeaderTimestamp}, {webhook.HeaderID}, {webhook.HeaderID, webhook.HeaderTimestamp, webhook.HeaderSignature},
	} {
		m := k.newMessage()
		for _, name := range names {
			m.header.Del(name)
		}
		if err := k.refused(ctx, m, AcceptsUnsigned); err != nil {
			return err
		}
	}
	return nil
}

// partOfSignature sends what begins as the right signature does, or as nothing.
func (k *kit) partOfSignature(ctx context.Context) error {
	for _, change := range []func(digest string) string{
		func(string) string { return "v1," },
		func(d string) string { return "v1," + d[:1] },
		func(d string) string { return "v1," + d[:12] },
		func(d string) string { return "v1," + d[:len(d)-4] },
		func(d string) string { return "v1," + d[:12] + strings.Repeat("A", len(d)-13) + "=" },
	} {
		m := k.newMessage()
		m.header.Set(webhook.HeaderSignature, change(digestOf(m)))
		if err := k.refused(ctx, m, AcceptsPartOfOne); err != nil {
			return err
		}
	}
	return nil
}

// digestOf is the signature without its version.
func digestOf(m message) string {
	return strings.TrimPrefix(m.header.Get(webhook.HeaderSignature), "v1,")
}

// unknownScheme puts the right digest under a version that it is not of.
func (k *kit) unknownScheme(ctx context.Context) error {
	for _, version := range []string{"v9,", "v1a,", "v0,", "none,", "v1=", ""} {
		m := k.newMessage()
		m.header.Set(webhook.HeaderSignature, version+digestOf(m))
		if err := k.refused(ctx, m, AcceptsUnknownScheme); err != nil {
			return err
		}
	}
	return nil
}

// rotation signs with two secrets of which the receiver knows the second, as in the days of
// a rotation.
func (k *kit) rotation(ctx context.Context) error {
	m := k.newMessage()
	other := k.sign(k.foreign, m.id, time.Now(), m.body)
	m.header.Set(webhook.HeaderSignature, "v1,"+digestOf(other)+" v1,"+digestOf(m))
	return k.accepted(ctx, m, ReadsFirstOnly)
}

// rewrittenBody sends a good message whose JSON no library would write like that, and
// one that was written anew on its way.
func (k *kit) rewrittenBody(ctx context.Context) error {
	odd := []byte("{ \"type\" : \"order.paid\",\n \"data\": {\"total\": 84.90, \"note\": \"caf\\u00e9 <b>\\/<\\/b>\", \"big\": 12345678901234567890} }\n")
	if err := k.accepted(ctx, k.sign(k.signer, newID(), time.Now(), odd), VerifiesParsedBody); err != nil {
		return err
	}
	m := k.newMessage()
	m.body = []byte("{\"type\": \"order.paid\", \"data\": {\"order\": 20417}}")
	return k.refused(ctx, m, VerifiesParsedBody)
}

// times signs well, but ten minutes ago and in ten minutes.
func (k *kit) times(ctx context.Context) error {
	const apart = 10 * time.Minute // twice the usual tolerance
	m := k.newMessage()
	if err := k.refused(ctx, k.sign(k.signer, m.id, time.Now().Add(-apart), m.body), IgnoresOldTime); err != nil {
		return err
	}
	m = k.newMessage()
	return k.refused(ctx, k.sign(k.signer, m.id, time.Now().Add(apart), m.body), IgnoresFutureTime)
}

// crash lets the store fail at the commit. Whoever then says 2xx has lost the message; and
// the sender's retry must be processed.
func (k *kit) crash(ctx context.Context) error {
	m := k.newMessage()
	restore := k.Cut()
	status, err := k.send(ctx, m)
	done := k.Effects(m.id)
	restore()
	if err != nil && ctx.Err() != nil {
		return err
	} // a connection that breaks off is what a crash looks like
	if err == nil && good(status) && done == 0 {
		k.found(AcknowledgesTooEarly)
	}
	return k.accepted(ctx, k.sign(k.signer, m.id, time.Now(), m.body), ForgetsAfterCrash)
}

// copies is how many of one message come at once.
const copies = 8

// simultaneous sends copies of one message at once. For a receiver that has no defence
// against duplicates at all this tells nothing new.
func (k *kit) simultaneous(ctx context.Context) error {
	m := k.newMessage()
	k.Meet(copies)
	defer k.Meet(1)
	statuses, errs := make([]int, copies), make([]error, copies)
	var all sync.WaitGroup
	for i := range copies {
		all.Go(func() { statuses[i], errs[i] = k.send(ctx, m) })
	}
	all.Wait()
	if err := errors.Join(errs...); err != nil {
		return err
	}
	for _, status := range statuses {
		if !good(status) {
			k.found(RefusesDuplicate)
		}
	}
	if k.Effects(m.id) != 1 && !k.has(ProcessesTwice) {
		k.found(RacesDuplicates)
	}
	return nil
}
