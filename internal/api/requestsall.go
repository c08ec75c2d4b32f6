package api

import (
	"slices"
	"strings"
	"time"

	"github.com/grapnelhq/grapnel/apitype"
	"github.com/grapnelhq/grapnel/internal/hook"
	"github.com/grapnelhq/grapnel/internal/search"
)

// requestSearch is one search of requests: what the store decides, and the rest.
type requestSearch struct {
	*call
	query   *search.Query[*search.Request]
	filter  hook.RecentRequestFilter
	nothing bool // no row can fit
	sources map[hook.ID]*knownSource
}

// knownSource is a source of which rows were seen.
type knownSource struct {
	hook.Source
	secret []string // names of headers that the caller may not see
}

// listAllRequests lists what reached all sources.
func listAllRequests(c *call) (reply, error) {
	q := c.params()
	from, newer, limit := q.place()
	if err := q.err(); err != nil {
		return reply{}, err
	}
	s, err := c.requestSearch()
	if err != nil {
		return reply{}, err
	}
	s.filter.Newer = newer
	page, err := s.walk(from, limit)
	if err != nil {
		return reply{}, err
	}
	out := apitype.RequestRows{}
	out.List, out.Searched = rowsOf(page, placeText, requestPlace, newer, func(r *hook.RecentRequest) apitype.RequestRow {
		return apitype.RequestRow{RequestFacts: requestFacts(&r.Request), SourceName: r.Owner.Name, SourceType: s.source(r).Type}
	})
	return ok(out)
}

func requestPlace(r *hook.RecentRequest) hook.Cursor { return r.Place }

func (c *call) requestSearch() (*requestSearch, error) {
	s := &requestSearch{call: c, filter: hook.RecentRequestFilter{Env: c.key.Env}, sources: map[hook.ID]*knownSource{}}
	var err error
	if s.query, err = queried(c, search.Requests); err != nil {
		return nil, err
	}
	f := &s.filter
	f.After, f.Before = s.query.Between("at", "after", "before")
	f.WithBody = s.query.WantsBodies() && !c.hidesPayloads()
	states, _ := s.query.Demanded("state")
	for _, v := range states {
		i := slices.IndexFunc(hook.RequestStates, func(state hook.RequestState) bool { return state.String() == v.Text })
		f.States = append(f.States, hook.RequestStates[i]) // the search knows no other words
	}
	ids, known, err := owners(c, s.query)
	if known {
		f.Sources, s.nothing = ids, len(ids) == 0
	}
	return s, err
}

func (s *requestSearch) walk(from hook.Cursor, limit int) (pageOf[hook.RecentRequest, hook.Cursor], error) {
	if s.nothing {
		return pageOf[hook.RecentRequest, hook.Cursor]{}, nil
	}
	w := walk[hook.RecentRequest, hook.Cursor]{
		from: from, limit: limit, batch: s.batch(s.filter.WithBody), now: s.Now, place: requestPlace,
		at: func(r *hook.RecentRequest) time.Time { return r.Request.ReceivedAt },
	}
	if !s.query.Empty() {
		w.keep = s.fits
	}
	w.page = func(from hook.Cursor, limit, look int) (pageOf[hook.RecentRequest, hook.Cursor], error) {
		f := s.filter
		f.From, f.Limit, f.Look = from, limit, look
		page, err := s.Store.ListEnvironmentRequests(s.ctx(), f)
		return pageOf[hook.RecentRequest, hook.Cursor]{items: turned(page.Items, f.Newer), next: page.Next, more: page.More, searchedTo: page.SearchedTo}, err
	}
	return w.run()
}

// fits decides about a row as the caller sees it: what is secret in a request cannot be
// found out by searching for it.
func (s *requestSearch) fits(r *hook.RecentRequest) bool {
	s.withUID(&r.Owner)
	row := search.Request{RecentRequest: r}
	if e := r.Request.Envelope; e != nil {
		row.Query = shownQuery(e.Query)
		secret := s.source(r).secret
		for _, line := range e.Headers {
			if !isSensitive(line[0]) && !slices.Contains(secret, strings.ToLower(line[0])) {
				row.Headers = append(row.Headers, line)
			}
		}
	}
	if !s.hidesPayloads() {
		row.Body = search.NewDocument(r.Request.Body)
	}
	return s.query.Match(&row)
}

// source gives the source of a row; an empty one if it is gone. Of such a source no
// header but the common ones is known to be harmless, and its rows go with it.
func (s *requestSearch) source(r *hook.RecentRequest) *knownSource {
	known := s.sources[r.Request.Source]
	if known == nil {
		known = &knownSource{}
		if found, err := s.Store.FindSource(s.ctx(), s.key.Env, hook.Ref{ID: r.Request.Source}); err == nil {
			known.Source = found
		}
		known.secret = s.secretHeaders(&known.Source)
		s.sources[r.Request.Source] = known
	}
	return known
}
