package ingest_test

import (
	"strconv"
	"testing"

	"github.com/grapnelhq/grapnel/internal/testx"
)

func TestAddressesThatDoNotAnswerKeepNoRoomFromOthers(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	for i := range 300 { // as many as a stranger likes to name
		if _, err := r.FetchCached(t.Context(), "https://example.com/"+strconv.Itoa(i)); err == nil {
			t.Fatal("it answered")
		}
	}
	r.fetches.give = map[string][]byte{"https://example.com/right": []byte("certificate")}
	text, err := r.FetchCached(t.Context(), "https://example.com/right")
	testx.NoError(t, err)
	testx.Equal(t, string(text), "certificate")
	if n := r.FetchesRemembered(); n > 128 {
		t.Errorf("%d are remembered", n)
	}
}
