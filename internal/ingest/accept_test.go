package ingest_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/grapnelhq/grapnel/internal/hook"
	"github.com/grapnelhq/grapnel/internal/testx"
)

const (
	stripeSecret = "whsec_c3RyaXBlLXNlY3JldC1mb3ItdGVzdHM="
	stripeBody   = `{ "id": "evt_1",  "type": "invoice.paid", "n": 12345678901234567890 }`
)

func TestSignedRequestBecomesAMessageByteForByte(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	src, token := r.source("stripe", hook.SourceSettings{}, stripeSecret)
	headers := append(r.signed("stripe", stripeSecret, token, stripeBody, "evt_1"), "Content-Type", "application/json; charset=utf-8", "X-Two", "a", "X-Two", "b")
	got := r.send("POST", "/in/"+token+"/orders/1?a=1&b=%20", stripeBody, headers...)
	if got.status != http.StatusOK && got.status != http.StatusAccepted {
		t.Fatalf("answer %+v", got)
	}
	id := got.header.Get("Grapnel-Request-Id")
	testx.Equal(t, got.header.Get("Grapnel-Durability"), "committed")
	list := r.messages(src.ID)
	testx.Equal(t, len(list), 1)
	m := list[0]
	testx.Equal(t, string(m.Body), stripeBody)
	testx.Equal(t, m.EventType, "invoice.paid")
	testx.Equal(t, m.EventID, "evt_1")
	testx.Equal(t, m.ContentType, "application/json; charset=utf-8")
	e := m.Envelope
	if e == nil {
		t.Fatal("the message has no envelope")
	}
	testx.Equal(t, []string{e.Method, e.Path, e.Query}, []string{"POST", "/orders/1", "a=1&b=%20"})
	var two []string
	for _, line := range e.Headers {
		if line[0] == "X-Two" {
			two = append(two, line[1])
		}
	}
	testx.Equal(t, two, []string{"a", "b"})
	requests := r.requests(src)
	testx.Equal(t, len(requests), 1)
	q := requests[0]
	testx.Equal(t, hook.KindRequest.Format(q.ID), id)
	testx.Equal(t, q.State, hook.RequestAccepted)
	testx.Equal(t, q.Reason, "verified")
	testx.Equal(t, q.Message, m.ID)
	testx.Equal(t, q.Status, got.status)
	testx.Equal(t, string(q.Body), stripeBody)
	testx.Equal(t, q.Key, "evt_1")
	testx.True(t, strings.HasPrefix(q.Remote, "127.0.0.1"), "remote address "+q.Remote)
}

func TestContentTypeOfOtherBytesThanTextKeepsNoEventOut(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	src, token := r.source("stripe", hook.SourceSettings{}, stripeSecret)
	got := r.send("POST", "/in/"+token, stripeBody, append(r.signed("stripe", stripeSecret, token, stripeBody, ""), "Content-Type", "text/\xff\xfe")...)
	testx.Equal(t, got.header.Get("Grapnel-Durability"), "committed")
	// No text column of PostgreSQL would take the bytes as they came.
	testx.Equal(t, []string{r.messages(src.ID)[0].ContentType, r.requests(src)[0].ContentType}, []string{"text/\uFFFD", "text/\uFFFD"})
}
