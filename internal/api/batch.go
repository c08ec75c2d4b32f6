package api

import (
	"bytes"
	"mime"
	"net/http"
	"strconv"

	"github.com/grapnelhq/grapnel/internal/hook"
)

const (
	maxBatch = 1000
	// batchBodies is how many times longer than one message's body a batch may be.
	batchBodies = 8
)

// batchItem is one message of a batch on its way.
type batchItem struct {
	accepted *hook.Accepted
	err      error
}

// createBatch publishes many events in one commit. Each has its own result; only
// if the store takes nothing at all does the whole call fail.
func createBatch(c *call) (reply, error) {
	body, err := c.readBody(c.MaxBody * batchBodies)
	if err != nil {
		return reply{}, err
	}
	spans, err := batchSpans(body, c.r.Header.Get("Content-Type"))
	if err != nil {
		return reply{}, err
	}
	once, err := c.once()
	if err != nil {
		return reply{}, err
	}
	items := make([]batchItem, len(spans))
	events := make([]hook.NewEvent, 0, len(spans))
	of := make([]int, 0, len(spans)) // the item of each event
	for i, span := range spans {
		e, err := c.batchEvent(span, len(body), i, once)
		if err != nil {
			items[i].err = err
			continue
		}
		events, of = append(events, e), append(of, i)
	}
	if len(events) > 0 {
		accepted, err := c.Accept(c.ctx(), events)
		if err != nil {
			c.Published("failed", len(events))
			return reply{}, err
		}
		for n := range accepted {
			items[of[n]] = batchItem{accepted: &accepted[n], err: accepted[n].Err}
		}
	}
	return c.batchReply(items)
}

// batchEvent decodes one item. The idempotency key of the call holds for each item
// by its position.
func (c *call) batchEvent(span []byte, request, i int, once *hook.IdempotencyKey) (hook.NewEvent, error) {
	if int64(len(span)) > c.MaxBody {
		return hook.NewEvent{}, tooLarge(c.MaxBody)
	}
	p, err := decodeMessage(span, c.now)
	if err != nil {
		return hook.NewEvent{}, err
	}
	e, err := c.newEvent(&p, request)
	if err != nil || once == nil {
		return e, err
	}
	key := *once
	key.Hash = digest(once.Hash[:], strconv.AppendInt(nil, int64(i), 10))
	e.Idempotency = &key
	return e, nil
}

// batchSpans splits a batch into its items: a JSON array, or NDJSON, one item a line.
func batchSpans(body []byte, contentType string) ([][]byte, error) {
	media, _, _ := mime.ParseMediaType(contentType) // an unreadable type is as good as none
	var spans [][]byte
	switch media {
	case "application/x-ndjson", "application/ndjson", "application/jsonl":
		for line := range bytes.SplitSeq(body, []byte("\n")) {
			if line = bytes.TrimSpace(line); len(line) > 0 {
				spans = append(spans, line)
			}
		}
	default:
		var err error
		if spans, err = arraySpans(body); err != nil {
			return nil, err
		}
	}
	switch {
	case len(spans) == 0:
		return nil, hook.Invalid("has no message", "body")
	case len(spans) > maxBatch:
		return nil, hook.Invalid("has more than "+strconv.Itoa(maxBatch)+" messages", "body")
	}
	return spans, nil
}

// arraySpans gives the items of a JSON array.
func arraySpans(body []byte) ([][]byte, error) {
	s := scanner{data: body}
	if s.space() != '[' {
		return nil, undecodable("must be a JSON array, or NDJSON with the content type application/x-ndjson", "body")
	}
	var spans [][]byte
	if s.pos++; s.space() == ']' {
		return nil, nil
	}
	for {
		span, valid := s.span(1)
		if !valid {
			return nil, s.fault("body")
		}
		spans = append(spans, span)
		more, valid := s.next(']')
		if !valid {
			return nil, s.fault("body")
		}
		if !more {
			break
		}
	}
	if err := s.end(); err != nil {
		return nil, err
	}
	return spans, nil
}

// batchReply is apitype.MessageBatchOut. Messages are without their payload.
func (c *call) batchReply(items []batchItem) (reply, error) {
	var accepted, duplicates, refused int
	out := append(make([]byte, 0, 64+320*len(items)), `{"data":[`...)
	for i := range items {
		if i > 0 {
			out = append(out, ',')
		}
		out = append(out, `{"index":`...)
		out = strconv.AppendInt(out, int64(i), 10)
		if err := items[i].err; err != nil {
			refused++
			shown := c.shown(err)
			out = append(out, `,"status":`...)
			out = strconv.AppendInt(out, int64(shown.Code.Info().Status), 10)
			out = append(out, `,"error":`...)
			out = append(out, bytes.TrimSpace(errorBody(shown, c.id))...)
		} else {
			accepted++
			if items[i].accepted.Duplicate {
				duplicates++
			}
			out = append(out, `,"status":202,"message":`...)
			out = appendMessage(out, &items[i].accepted.Message, emptyPayload)
		}
		out = append(out, '}')
	}
	out = append(out, `],"accepted":`...)
	out = strconv.AppendInt(out, int64(accepted), 10)
	out = append(out, `,"refused":`...)
	out = strconv.AppendInt(out, int64(refused), 10)
	out = append(out, '}')
	c.count("accepted", accepted-duplicates)
	c.count("duplicate", duplicates)
	c.count("refused", refused)
	return reply{status: http.StatusAccepted, json: out}, nil
}

func (c *call) count(result string, n int) {
	if n > 0 {
		c.Published(result, n)
	}
}
