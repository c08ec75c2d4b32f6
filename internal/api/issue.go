package api

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/grapnelhq/grapnel/apitype"
	"github.com/grapnelhq/grapnel/internal/hook"
	"github.com/grapnelhq/grapnel/internal/search"
)

// issueStore keeps issues. See package store for what each promises.
type issueStore interface {
	ListIssues(ctx context.Context, f hook.IssueFilter) (hook.PageOf[hook.Issue], error)
	FindIssue(ctx context.Context, env, issue hook.ID) (hook.Issue, error)
	UpdateIssue(ctx context.Context, env, issue hook.ID, change func(*hook.Issue) error) (hook.Issue, error)
}

// listIssues lists issues, the one that was seen last first.
func listIssues(c *call) (reply, error) {
	q := c.params()
	f := hook.IssueFilter{Env: c.key.Env, States: q.issueStates()}
	from, limit := q.issuePlace(), q.limit()
	if err := q.err(); err != nil {
		return reply{}, err
	}
	query, err := queried(c, search.Issues)
	if err != nil {
		return reply{}, err
	}
	if f.States == nil {
		states, _ := query.Demanded("state")
		for _, s := range states {
			f.States = append(f.States, issueState(s.Text))
		}
	}
	if ids, _ := query.Demanded("endpoint"); len(ids) == 1 && !ids[0].Prefix {
		f.Endpoint, err = hook.KindEndpoint.Parse(ids[0].Text)
		if err != nil {
			return ok(apitype.IssueRows{List: apitype.List[apitype.IssueOut]{Data: []apitype.IssueOut{}, Done: true}})
		}
	}
	page, err := c.findIssues(query, f, from, limit)
	if err != nil {
		return reply{}, err
	}
	out := apitype.IssueRows{}
	out.List, out.Searched = rowsOf(page, issuePlaceText, issuePlaceOf, false, issueOut)
	out.PrevIterator = nil // the list is walked in one direction
	return ok(out)
}

func (c *call) findIssues(query *search.Query[*hook.Issue], f hook.IssueFilter, from hook.IssuePlace, limit int) (pageOf[hook.Issue, hook.IssuePlace], error) {
	w := walk[hook.Issue, hook.IssuePlace]{
		from: from, limit: limit, batch: maxLimit, now: c.Now, place: issuePlaceOf,
		at: func(i *hook.Issue) time.Time { return i.LastSeen },
	}
	if !query.Empty() {
		w.keep = func(i *hook.Issue) bool {
			c.withUID(&i.Owner)
			return query.Match(i)
		}
	}
	w.page = func(from hook.IssuePlace, limit, _ int) (out pageOf[hook.Issue, hook.IssuePlace], err error) {
		f.After, f.Limit = from, limit
		page, err := c.Store.ListIssues(c.ctx(), f)
		out = pageOf[hook.Issue, hook.IssuePlace]{items: page.Items, next: from, more: page.More}
		if n := len(page.Items); n > 0 {
			out.next = issuePlaceOf(&page.Items[n-1])
		}
		return out, err
	}
	return w.run()
}

// issueStates reads the parameter state.
func (q *queryReader) issueStates() []hook.IssueState {
	var states []hook.IssueState
	for _, word := range q.list("state") {
		if !slices.ContainsFunc(hook.IssueStates, func(s hook.IssueState) bool { return s.String() == word }) {
			q.invalid("state", "must be open, muted or resolved")
			return nil
		}
		states = append(states, issueState(word))
	}
	return states
}

// issueState gives the state with this word, which is known to be one.
func issueState(word string) hook.IssueState {
	return hook.IssueStates[slices.IndexFunc(hook.IssueStates, func(s hook.IssueState) bool { return s.String() == word })]
}

func issuePlaceOf(i *hook.Issue) hook.IssuePlace {
	return hook.IssuePlace{LastSeen: i.LastSeen, ID: i.ID}
}

// issuePlaceText is a place as an iterator: the id, and when the issue was last seen.
func issuePlaceText(p hook.IssuePlace) string {
	return hook.KindIssue.Format(p.ID) + "." + strconv.FormatInt(p.LastSeen.UnixMicro(), 10)
}

func (q *queryReader) issuePlace() (p hook.IssuePlace) {
	text := q.text("iterator")
	if text == "" {
		return p
	}
	id, at, _ := strings.Cut(text, ".")
	micros, err := strconv.ParseInt(at, 10, 64)
	if err == nil {
		p.ID, err = hook.KindIssue.Parse(id)
	}
	if err != nil {
		q.invalid("iterator", "is not an iterator of this list")
	}
	p.LastSeen = time.UnixMicro(micros).UTC()
	return p
}

func (c *call) issueID() (hook.ID, error) {
	id, err := hook.KindIssue.Parse(c.value("issue"))
	if err != nil {
		return id, hook.Invalid("is not a valid id", "path", "issue_id")
	}
	return id, nil
}

// getIssue gives one with how many messages it affects.
func getIssue(c *call) (reply, error) {
	id, err := c.issueID()
	if err != nil {
		return reply{}, err
	}
	i, err := c.Store.FindIssue(c.ctx(), c.key.Env, id)
	if err != nil {
		return reply{}, err
	}
	n, err := c.Store.CountRecent(c.ctx(), hook.RecentFilter{Env: c.key.Env, States: hook.FailingStates, Endpoint: i.Endpoint}, countBound)
	if err != nil {
		return reply{}, err
	}
	out := issueOut(&i)
	out.Affected = &apitype.CountOut{Count: n.Count, More: n.More}
	return ok(out)
}

const maxAssignee = 256 // bytes

func patchIssue(c *call) (reply, error) {
	id, err := c.issueID()
	if err != nil {
		return reply{}, err
	}
	in, err := decode[apitype.IssuePatch](c)
	if err != nil {
		return reply{}, err
	}
	if err := c.checkIssue(&in); err != nil {
		return reply{}, err
	}
	i, err := c.Store.UpdateIssue(c.ctx(), c.key.Env, id, func(i *hook.Issue) error {
		c.changeIssue(i, &in)
		return nil
	})
	if err != nil {
		return reply{}, err
	}
	return ok(issueOut(&i))
}

func (c *call) checkIssue(in *apitype.IssuePatch) error {
	var k checker
	switch state, given := in.State.Get(); {
	case !given && in.State.IsNull():
		k.bad("must not be null", "state")
	case given && state != apitype.IssueOpen && state != apitype.IssueMuted && state != apitype.IssueResolved:
		k.bad("must be open, muted or resolved", "state")
	}
	if until, given := in.MutedUntil.Get(); given {
		switch state, _ := in.State.Get(); {
		case state != apitype.IssueMuted:
			k.bad("goes with the state muted only", "mutedUntil")
		case !until.After(c.now):
			k.bad("must lie in the future", "mutedUntil")
		}
	}
	if note := in.Note.Else(""); len(note) > maxNote || strings.ContainsRune(note, 0) {
		k.bad("must be at most 4096 bytes without NUL", "note")
	}
	if name := in.Assignee.Else(""); len(name) > maxAssignee || strings.ContainsRune(name, 0) {
		k.bad("must be at most 256 bytes without NUL", "assignee")
	}
	return k.err()
}

func (c *call) changeIssue(i *hook.Issue, in *apitype.IssuePatch) {
	if state, given := in.State.Get(); given {
		i.Open()
		switch i.State = issueState(string(state)); i.State {
		case hook.IssueMuted:
			i.MutedUntil = in.MutedUntil.Else(time.Time{}).UTC()
		case hook.IssueResolved:
			i.ResolvedAt = c.now
		case hook.IssueOpen:
		}
	}
	if !in.Note.IsZero() {
		i.Note = in.Note.Else("")
	}
	if !in.Assignee.IsZero() {
		i.Assignee = in.Assignee.Else("")
	}
}

// issueLead is how much older than its first failure a message of an issue may be:
// retries go on for long, and a publisher may ask for a later time.
const issueLead = 48 * time.Hour

// recoverIssue sends again what failed for good at the endpoint since the issue began.
func recoverIssue(c *call) (reply, error) {
	id, err := c.issueID()
	if err != nil {
		return reply{}, err
	}
	in, err := decodeOptional[apitype.IssueRecoverIn](c)
	if err != nil {
		return reply{}, err
	}
	rate, err := rateIn(in.Rate)
	if err != nil {
		return reply{}, err
	}
	once, err := c.once()
	if err != nil {
		return reply{}, err
	}
	i, err := c.Store.FindIssue(c.ctx(), c.key.Env, id)
	if err != nil {
		return reply{}, err
	}
	e, err := c.Store.FindEndpoint(c.ctx(), c.key.Env, i.App, hook.Ref{ID: i.Endpoint})
	if err != nil {
		return reply{}, err
	}
	since := i.FirstSeen.Add(-issueLead)
	if oldest := c.now.Add(-recoverWindow); since.Before(oldest) {
		since = oldest
	}
	t, err := c.startTask(&e, hook.TaskRecover, since, c.now, rate, once)
	if err != nil {
		return reply{}, err
	}
	return reply{status: http.StatusAccepted, body: taskRef(&t)}, nil
}

func issueOut(i *hook.Issue) apitype.IssueOut {
	out := apitype.IssueOut{
		ID: hook.KindIssue.Format(i.ID), AppID: ownerText(&i.Owner, i.App), AppName: i.Owner.Name, SourceID: sourceIDOf(&i.Owner),
		EndpointID: hook.KindEndpoint.Format(i.Endpoint), EndpointURL: i.EndpointURL, Cause: i.Class.String(), Status: i.Status,
		Text: causeText(i.Cause), State: apitype.IssueState(i.State.String()), MutedUntil: timeOut(i.MutedUntil), ResolvedAt: timeOut(i.ResolvedAt),
		HealedAt: timeOut(i.HealedAt), Note: i.Note, Assignee: i.Assignee, FirstSeen: i.FirstSeen.UTC(), LastSeen: i.LastSeen.UTC(), Failures: i.Attempts,
	}
	if !i.Message.IsZero() {
		id := hook.KindMessage.Format(i.Message)
		out.SampleMessage = &id
	}
	if !i.Attempt.IsZero() {
		id := hook.KindAttempt.Format(i.Attempt)
		out.SampleAttempt = &id
	}
	return out
}

// causeText is why attempts fail, as a sentence.
func causeText(cause hook.Cause) string {
	switch cause.Class {
	case hook.FailDNS:
		return "The name of the endpoint cannot be resolved."
	case hook.FailConnect:
		return "No connection to the endpoint can be made."
	case hook.FailTLS:
		return "The TLS handshake with the endpoint fails, or its certificate is not good."
	case hook.FailTimeout:
		return "The endpoint does not answer in time."
	case hook.FailProtocol:
		return "What the endpoint answers is not HTTP as it should be."
	case hook.FailRedirect:
		return fmt.Sprintf("The endpoint answers %d; redirects are not followed.", cause.Status)
	case hook.FailPolicy:
		return "The network policy of the server forbids the address of the endpoint."
	case hook.FailBody:
		return "The connection breaks before the endpoint has answered."
	case hook.FailTooMany:
		return "The endpoint answers 429: it has too much to do."
	case hook.FailGone:
		return "The endpoint answers 410: it is gone for good."
	case hook.FailStatus4xx, hook.FailStatus5xx:
		return fmt.Sprintf("The endpoint answers %d.", cause.Status)
	case hook.Success:
	}
	return "The endpoint fails."
}
