package server

import (
	"net/http"

	"github.com/grapnelhq/grapnel/internal/api"
	"github.com/grapnelhq/grapnel/internal/listen"
)

// forgetKeys drops what is remembered of keys, and ends the live streams of those
// that were.
func (s *Server) forgetKeys() {
	s.auth.Forget()
	s.live.LookAgain()
}

// follow streams what is new to a caller that the API has let in.
func (s *Server) follow(w http.ResponseWriter, r *http.Request, l api.LiveRequest) error {
	return s.live.Serve(w, r, listen.Follow{
		Env: l.Env, App: l.App, Topics: l.Topics, LastEventID: l.LastEventID, Follower: l.Follower, Still: l.Still,
	})
}
