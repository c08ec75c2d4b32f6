package server

import (
	"net/http"

	"github.com/grapnelhq/grapnel/internal/hook"
	"github.com/grapnelhq/grapnel/internal/listen"
	"github.com/grapnelhq/grapnel/provider"
)

// listenPath is where developers follow what arrives.
const listenPath = "/api/v1/listen"

func (s *Server) wireListening(open hook.SealFunc) {
	s.live = listen.NewLive(s.store, s.now, s.log)
	s.hub = listen.New(listen.Deps{
		Store: s.store, Now: s.now, Authenticate: s.auth.Authenticate, Fail: fail, Log: s.log, Verifies: verifies,
		IngestURL: func(r *http.Request, source *hook.Source) string {
			if len(source.Tokens) == 0 {
				return ""
			}
			token, err := open(hook.PurposeSourceToken, source.ID, source.Tokens[0].Sealed)
			if err != nil {
				s.log.ErrorContext(r.Context(), "the token of a source cannot be read", "source", hook.KindSource.Format(source.ID), "error", err)
				return ""
			}
			return s.publicURL(r) + "/in/" + string(token)
		},
	})
}

// verifies reports whether the source asks its senders for a proof.
func verifies(source *hook.Source) bool {
	p, known := provider.Find(source.Type)
	return known && (len(source.Secrets) > 0 || !p.SecretOptional)
}
