package send_test

import (
	"encoding/json"
	"net/http"
	"testing"

	"github.com/grapnelhq/grapnel/internal/hook"
	"github.com/grapnelhq/grapnel/internal/send"
)

func TestATraceparentIsSentAndRecordedUnlessTheEndpointHasItsOwn(t *testing.T) {
	t.Parallel()
	const ours, own = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "00-11111111111111111111111111111111-2222222222222222-00"
	parent := func(dst []byte, l *hook.Lease) []byte { return append(dst, ours...) }
	for name, choose := range transports {
		for _, tt := range []struct {
			parent  func([]byte, *hook.Lease) []byte
			headers string // the endpoint's own
			want    string
		}{
			{nil, "", ""}, {parent, "", ours}, {nil, `{"traceparent":"` + own + `"}`, own}, {parent, `{"TraceParent":"` + own + `"}`, own},
		} {
			got := make(chan http.Header, 1) // the peer sends, the test receives
			p := newPeer(t, func(_ *peer, c *peerConn) {
				if r := c.request(); r != nil {
					got <- r.Header
					c.say("HTTP/1.1 204 No Content\r\n\r\n")
				}
			})
			s := newSender(t, func(o *send.Options) { o.Traceparent = tt.parent })
			choose(s)
			l, _ := lease(p.url(), []byte("{}"))
			if tt.headers != "" {
				l.Endpoint.SealedHeaders = seal(hook.PurposeHeaders, l.Endpoint.ID, tt.headers)
			}
			a := s.Post(t.Context(), l)
			sent := (<-got).Values("Traceparent")
			if (tt.want == "") != (len(sent) == 0) || len(sent) > 1 || len(sent) == 1 && sent[0] != tt.want {
				t.Errorf("%s, own headers %q: sent %v, want %q once", name, tt.headers, sent, tt.want)
			}
			var recorded map[string]string
			if err := json.Unmarshal(a.RequestHeaders, &recorded); err != nil {
				t.Fatal(err)
			}
			if tt.headers == "" && recorded["Traceparent"] != tt.want {
				t.Errorf("%s: recorded %q, want %q", name, recorded["Traceparent"], tt.want)
			}
		}
	}
}
