package api

import (
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/grapnelhq/grapnel/apitype"
	"github.com/grapnelhq/grapnel/internal/hook"
	"github.com/grapnelhq/grapnel/internal/search"
)

// recentStore lists what went through a whole environment. See package store for what
// each promises.
type recentStore interface {
	ListRecent(ctx context.Context, f hook.RecentFilter) (hook.RecentPage, error)
	CountRecent(ctx context.Context, f hook.RecentFilter, bound int) (hook.BoundedCount, error)
	ListEnvironmentRequests(ctx context.Context, f hook.RecentRequestFilter) (hook.RecentRequestPage, error)
	FindMessageAnywhere(ctx context.Context, env, message hook.ID, withBody bool) (hook.RecentMessage, error)
	FindAttemptAnywhere(ctx context.Context, env, attempt hook.ID) (hook.Attempt, hook.Owner, error)
}

// countBound is where counts stop: a figure beyond it tells nobody more.
const countBound = 10_000

// messageSearch is one search of messages: what the store decides, and the rest.
type messageSearch struct {
	*call
	query    *search.Query[*search.Message]
	filter   hook.RecentFilter
	nothing  bool   // no row can fit
	endpoint string // of the filter
	known    string // id of an attempt that the query names; its message is only
	only     hook.ID
}

// listRecent lists the messages of the environment, or of the application in the path.
func listRecent(c *call) (reply, error) {
	q := c.params()
	from, newer, limit := q.place()
	content := q.boolean("with_content", false) && !c.hidesPayloads()
	if err := q.err(); err != nil {
		return reply{}, err
	}
	s, err := c.messageSearch()
	if err != nil {
		return reply{}, err
	}
	s.filter.Newer, s.filter.WithBody = newer, content || s.looksInside()
	var head hook.Cursor
	page, err := s.walk(from, limit, &head)
	if err != nil {
		return reply{}, err
	}
	out := apitype.MessageRows{}
	out.List, out.Searched = rowsOf(page, placeText, messagePlace, newer, func(m *hook.RecentMessage) apitype.MessageRow {
		return c.messageRow(m, content)
	})
	if head != (hook.Cursor{}) {
		out.Cursor = placeText(head)
	}
	return ok(out)
}

func messagePlace(m *hook.RecentMessage) hook.Cursor { return m.Place }

// messageSearch reads q, and the application of the path if there is one.
func (c *call) messageSearch() (*messageSearch, error) {
	s := &messageSearch{call: c, filter: hook.RecentFilter{Env: c.key.Env}}
	inApp := c.value("app") != ""
	if inApp {
		app, err := c.owner()
		if err != nil {
			return nil, err
		}
		s.filter.Apps = []hook.ID{app}
	}
	var err error
	if s.query, err = queried(c, search.Messages); err != nil {
		return nil, err
	}
	if err := s.byState(); err != nil {
		return nil, err
	}
	s.byIndex()
	if err := s.byID(); err != nil || inApp {
		return s, err
	}
	ids, known, err := owners(c, s.query)
	if known {
		s.filter.Apps, s.nothing = ids, s.nothing || len(ids) == 0
	}
	return s, err
}

// byIndex reads off what the store decides by itself.
func (s *messageSearch) byIndex() {
	f := &s.filter
	f.After, f.Before = s.query.Between("at", "after", "before")
	if types, ok := s.query.Demanded("type"); ok {
		for _, t := range types {
			if t.Prefix {
				f.EventTypePrefixes = append(f.EventTypePrefixes, t.Text)
			} else {
				f.EventTypes = append(f.EventTypes, t.Text)
			}
		}
	}
	f.Tag, f.Channel = s.single("tag"), s.single("channel")
}

// single gives the one value that the query demands of a field; empty: there is none.
func (s *messageSearch) single(field string) string {
	values, _ := s.query.Demanded(field)
	if texts, ok := exactly(values); ok && len(texts) == 1 {
		return texts[0]
	}
	return ""
}

// byState reads off failing states, which the store keeps apart.
func (s *messageSearch) byState() error {
	statuses, _ := s.query.Demanded("status")
	for _, v := range statuses {
		switch v.Text {
		case search.StatusFailed:
			s.filter.States = append(s.filter.States, hook.FailingFailed)
		case search.StatusRetrying:
			s.filter.States = append(s.filter.States, hook.FailingRetrying)
		default:
			s.filter.States = nil
			return s.byEndpoint()
		}
	}
	return s.byEndpoint()
}

// byEndpoint reads off the endpoint of a failing state. Which endpoints got a message
// is not known of each row, so it is nothing that rows can be asked.
func (s *messageSearch) byEndpoint() error {
	at := s.query.Uses("endpoint")
	if at == 0 {
		return nil
	}
	id, err := hook.KindEndpoint.Parse(s.single("endpoint"))
	if err != nil || len(s.filter.States) == 0 {
		return hook.Invalid((&search.Error{At: at, Msg: "endpoint takes one id and stands together with status:failed or status:retrying"}).Error(), "query", "q")
	}
	s.filter.Endpoint, s.endpoint = id, hook.KindEndpoint.Format(id)
	return nil
}

// byID reads off the id of a message or an attempt: then there is one row to look at.
func (s *messageSearch) byID() error {
	words := s.query.Words()
	if id := s.single("id"); id != "" {
		words = append(words, id)
	}
	for _, word := range words {
		if id, err := hook.KindMessage.Parse(word); err == nil {
			s.only = id
			return nil
		}
		id, err := hook.KindAttempt.Parse(word)
		if err != nil {
			continue
		}
		attempt, _, err := s.Store.FindAttemptAnywhere(s.ctx(), s.key.Env, id)
		switch {
		case isCode(err, hook.CodeNotFound):
			s.nothing = true
		case err != nil:
			return err
		default:
			s.only, s.known = attempt.Message, word
		}
		return nil
	}
	return nil
}

// looksInside reports whether rows need their payloads to be decided about.
func (s *messageSearch) looksInside() bool {
	return s.only.IsZero() && s.query.WantsBodies() && !s.hidesPayloads()
}

// walk gives the rows that fit. head gets the place from which new messages follow.
func (s *messageSearch) walk(from hook.Cursor, limit int, head *hook.Cursor) (pageOf[hook.RecentMessage, hook.Cursor], error) {
	switch {
	case s.nothing:
		return pageOf[hook.RecentMessage, hook.Cursor]{}, nil
	case !s.only.IsZero():
		return s.one(from)
	}
	w := walk[hook.RecentMessage, hook.Cursor]{
		from: from, limit: limit, batch: s.batch(s.filter.WithBody), now: s.Now, place: messagePlace,
		at: func(m *hook.RecentMessage) time.Time { return m.Message.CreatedAt },
	}
	if !s.query.Empty() {
		w.keep = s.fits
	}
	w.page = func(from hook.Cursor, limit, look int) (p pageOf[hook.RecentMessage, hook.Cursor], err error) {
		f := s.filter
		f.From, f.Limit, f.Look = from, limit, look
		page, err := s.Store.ListRecent(s.ctx(), f)
		if *head == (hook.Cursor{}) {
			*head = page.Head
		}
		return pageOf[hook.RecentMessage, hook.Cursor]{items: turned(page.Items, f.Newer), next: page.Next, more: page.More, searchedTo: page.SearchedTo}, err
	}
	return w.run()
}

// batch is how many rows are read at once, so that their payloads fit into memory.
func (c *call) batch(withBody bool) int {
	if !withBody {
		return maxLimit
	}
	return int(min(max(searchBytes/c.MaxBody, 1), maxLimit))
}

// one is a list of at most one message, which the query names.
func (s *messageSearch) one(from hook.Cursor) (out pageOf[hook.RecentMessage, hook.Cursor], err error) {
	m, err := s.Store.FindMessageAnywhere(s.ctx(), s.key.Env, s.only, s.filter.WithBody || s.query.WantsBodies() && !s.hidesPayloads())
	switch {
	case isCode(err, hook.CodeNotFound):
		return out, nil
	case err != nil:
		return out, err
	}
	out.next = m.Place
	inScope := len(s.filter.Apps) == 0 || slices.Contains(s.filter.Apps, m.Message.App)
	if inScope && s.endpoint == "" && from == (hook.Cursor{}) && s.fits(&m) {
		out.items = append(out.items, m)
	}
	return out, nil
}

func (s *messageSearch) fits(m *hook.RecentMessage) bool {
	s.withUID(&m.Owner)
	row := search.Message{RecentMessage: m, Endpoint: s.endpoint, Known: s.known}
	if !s.hidesPayloads() {
		row.Body = search.NewDocument(m.Message.Body)
	}
	return s.query.Match(&row)
}

// countRecent counts the messages that fit, up to a bound.
func countRecent(c *call) (reply, error) {
	s, err := c.messageSearch()
	if err != nil {
		return reply{}, err
	}
	if !s.nothing && s.only.IsZero() && s.query.OnlyOf("at", "after", "before", "type", "app", "tag", "channel", "status", "endpoint") && s.decided() {
		n, err := c.Store.CountRecent(c.ctx(), s.filter, countBound)
		if err != nil {
			return reply{}, err
		}
		return ok(apitype.CountOut{Count: n.Count, More: n.More})
	}
	s.filter.WithBody = s.looksInside()
	page, err := s.walk(hook.Cursor{}, countBound, new(hook.Cursor))
	if err != nil {
		return reply{}, err
	}
	return ok(apitype.CountOut{Count: len(page.items), More: page.more})
}

// decided reports whether the filter of the store says all that the query says of fields
// that it has a place for.
func (s *messageSearch) decided() bool {
	f := &s.filter
	has := func(field string, filtered bool) bool { return s.query.Uses(field) == 0 || filtered }
	return has("type", len(f.EventTypes)+len(f.EventTypePrefixes) > 0) && has("app", len(f.Apps) > 0) &&
		has("tag", f.Tag != "") && has("channel", f.Channel != "") && has("status", len(f.States) > 0)
}

// getRecent gives a message of whatever application or source.
func getRecent(c *call) (reply, error) {
	id, err := hook.KindMessage.Parse(c.value("msg"))
	if err != nil {
		return reply{}, hook.Invalid("is not a valid id", "path", "msg_id")
	}
	q := c.params()
	content := q.boolean("with_content", true) && !c.hidesPayloads()
	if err := q.err(); err != nil {
		return reply{}, err
	}
	m, err := c.Store.FindMessageAnywhere(c.ctx(), c.key.Env, id, content)
	if err != nil {
		return reply{}, err
	}
	return reply{status: http.StatusOK, body: c.messageRow(&m, content)}, nil
}

func (c *call) messageRow(r *hook.RecentMessage, content bool) apitype.MessageRow {
	m, d := &r.Message, &r.Deliveries
	out := apitype.MessageRow{
		MessageOut: messageOut(m, content), AppID: ownerText(&r.Owner, m.App), AppName: r.Owner.Name, ContentType: m.ContentType,
		Size: m.BodySize, PayloadExpired: m.BodyGone, PayloadHidden: c.hidesPayloads(), NextAttemptAt: timeOut(d.NextDue),
		Deliveries: apitype.DeliveryCounts{
			Total: d.Total(), Delivered: d.Delivered, Pending: d.Waiting, Retrying: d.Retrying, Failed: d.Failed, Canceled: d.Canceled,
		},
	}
	out.SourceID = sourceIDOf(&r.Owner)
	return out
}

// ownerText is the id of an owner, of one that is deleted too.
func ownerText(o *hook.Owner, id hook.ID) string {
	if o.Source {
		return hook.KindSource.Format(id)
	}
	return hook.KindApplication.Format(id)
}

func sourceIDOf(o *hook.Owner) *string {
	if !o.Source {
		return nil
	}
	id := hook.KindSource.Format(o.ID)
	return &id
}
