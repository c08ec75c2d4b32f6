package receivers_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"github.com/grapnelhq/grapnel/test/receivers"
	"github.com/grapnelhq/grapnel/webhook"
)

// secret is what all receivers here know.
const secret = "whsec_Z3JhcG5lbC1zYW1wbGUtc2VjcmV0LTAwMQ=="

// receiver is one that does everything right. A flawed one has another function in the
// place of one of these.
type receiver struct {
	books  *books
	read   func(w http.ResponseWriter, r *http.Request) ([]byte, error)
	verify func(header http.Header, body []byte) error
	id     func(header http.Header, body []byte) string
	commit func(w http.ResponseWriter, id string)

	working sync.WaitGroup
}

func newReceiver() *receiver {
	r := &receiver{books: newBooks()}
	r.read = readBounded
	r.verify = webhook.MustVerifier(secret).Verify
	r.id = func(header http.Header, _ []byte) string { return header.Get(webhook.HeaderID) }
	r.commit = r.commitThenAcknowledge
	return r
}

// ServeHTTP implements [http.Handler].
func (r *receiver) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	r.working.Add(1)
	defer r.working.Done()
	body, err := r.read(w, request)
	if err != nil {
		w.WriteHeader(http.StatusRequestEntityTooLarge)
		return
	}
	if err := r.verify(request.Header, body); err != nil {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	r.commit(w, r.id(request.Header, body))
}

func readBounded(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	return io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<20))
}

// commitThenAcknowledge inserts by a unique key, and answers when that is done. A duplicate is
// as good as done.
func (r *receiver) commitThenAcknowledge(w http.ResponseWriter, id string) {
	if err := r.books.insertUnique(id); err != nil && !errors.Is(err, errDuplicate) {
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// subject starts the receiver.
func (r *receiver) subject(t *testing.T) receivers.Subject {
	server := httptest.NewServer(r)
	t.Cleanup(server.Close)
	return receivers.Subject{
		URL: server.URL, Secret: secret, Cut: r.books.cutOff, Meet: r.books.meet,
		Effects: func(id string) int {
			r.working.Wait()
			return r.books.count(id)
		},
	}
}
