package postgres_test

import (
	"reflect"
	"strings"
	"testing"

	"github.com/grapnelhq/grapnel/internal/hook"
	"github.com/grapnelhq/grapnel/internal/store/postgres"
	"github.com/grapnelhq/grapnel/internal/testx"
)

func TestEnvelopesComeBackByteForByte(t *testing.T) {
	t.Parallel()
	for _, e := range []*hook.Envelope{
		nil,
		{},
		{Method: "POST", Path: "/orders/ü%00\xff", Query: "a=1&b=\x00&c=%zz"},
		{Method: "PUT", Headers: []hook.HeaderLine{{"X", ""}, {"X", "\xff\x00 é"}, {"", ""}}},
		{Method: "GET", Forward: []string{"authorization", "cookie"}, Headers: []hook.HeaderLine{{"Long", strings.Repeat("x", 70_000)}}},
	} {
		column := postgres.EnvelopeColumn(e)
		if e == nil {
			testx.True(t, column == nil, "none is NULL")
			continue
		}
		testx.Equal(t, testx.Must(postgres.ParseEnvelope(column))(t), e)
		for n := range min(len(column), 100) {
			if got, err := postgres.ParseEnvelope(column[:n]); err == nil && reflect.DeepEqual(got, e) {
				t.Errorf("%d of %d bytes read as the whole", n, len(column))
			}
		}
	}
}

func FuzzDamagedEnvelopesAreRefusedOrRead(f *testing.F) {
	f.Add([]byte{})
	f.Add(postgres.EnvelopeColumn(&hook.Envelope{Method: "POST", Forward: []string{"a"}, Headers: []hook.HeaderLine{{"b", "c"}}}))
	f.Add([]byte("\x00\x00\x00\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"))
	f.Add([]byte("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"))
	f.Fuzz(func(t *testing.T, column []byte) {
		e, err := postgres.ParseEnvelope(column)
		if err != nil {
			return
		}
		again, err := postgres.ParseEnvelope(postgres.EnvelopeColumn(e))
		testx.NoError(t, err)
		testx.Equal(t, again, e)
	})
}
