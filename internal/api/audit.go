package api

import (
	"context"
	"net/http"
	"reflect"
	"strings"
	"time"

	"github.com/grapnelhq/grapnel/apitype"
	"github.com/grapnelhq/grapnel/internal/hook"
)

// auditStore keeps the log of who did what. See package store for what each promises.
type auditStore interface {
	WriteAudit(ctx context.Context, e *hook.AuditEntry) error
	ListAudits(ctx context.Context, f hook.AuditFilter) (hook.PageOf[hook.AuditEntry], error)
}

// maxTarget bounds what an entry says about the target, in bytes.
const maxTarget = 512

// audited reports whether a call of the route that succeeded belongs into the log:
// every change but publishing, and every secret that is shown.
func (rt *route) audited() bool {
	if rt.quiet || rt.right == rightPublish {
		return false
	}
	if rt.method == http.MethodGet {
		return rt.signsIn || rt.right.scope() == scopeManage && rt.right != rightAdmin && rt.right != rightMembers
	}
	return true
}

// audit writes down what the call did, before anybody hears of it. Nobody did what a
// call without a caller does.
func (c *call) audit(rep *reply) error {
	if !c.route.audited() || c.key.ID.IsZero() && !c.isMember() {
		return nil
	}
	e := hook.AuditEntry{
		ID: hook.NewID(c.now), Env: c.key.Env, Actor: hook.ActorKey, ActorID: c.key.ID, Name: c.key.Name,
		Action: c.route.id, Target: c.auditTarget(rep), Address: c.Address(c.r),
	}
	switch {
	case c.isMember():
		e.Actor, e.ActorID, e.Name = hook.ActorMember, c.member.ID, c.member.Email
		if c.route.right == rightMember || c.route.right == rightMembers || c.route.right == rightNone {
			e.Env = hook.ID{}
		}
	case !c.key.App.IsZero():
		e.Actor = hook.ActorPortal
		if e.Name = c.key.SessionID; e.Name == "" {
			e.Name = hook.KindApplication.Format(c.key.App)
		}
	case e.Name == "":
		e.Name = c.key.CensoredText
	}
	if err := c.Store.WriteAudit(c.ctx(), &e); err != nil {
		return hook.Unknown(err)
	}
	return nil
}

// auditTarget is the path of the call, with the id of what it made behind it.
func (c *call) auditTarget(rep *reply) string {
	target := c.target
	if target == "" {
		target = strings.TrimPrefix(strings.TrimPrefix(c.path(), "/ingest"), v1)
		if id := idOf(rep.body); id != "" && c.r.Method == http.MethodPost && !strings.Contains(target, id) {
			target += "/" + id
		}
	}
	if len(target) > maxTarget {
		target = strings.ToValidUTF8(target[:maxTarget], "")
	}
	return strings.ToValidUTF8(target, "\uFFFD")
}

// idOf is the member id of an answer; empty: it has none.
func idOf(body any) string {
	v := reflect.ValueOf(body)
	if v.Kind() != reflect.Struct {
		return ""
	}
	if id := v.FieldByName("ID"); id.IsValid() && id.Kind() == reflect.String {
		return id.String()
	}
	return ""
}

// listAudits shows a member all entries, and a key those of its environment.
func listAudits(c *call) (reply, error) {
	q := c.params()
	f := hook.AuditFilter{Page: q.page(hook.KindAudit, false, false)}
	f.Before, f.After = q.time("before"), q.time("after")
	if err := q.err(); err != nil {
		return reply{}, err
	}
	if !c.isMember() {
		f.Env = c.key.Env
	}
	page, err := c.Store.ListAudits(c.ctx(), f)
	if err != nil {
		return reply{}, err
	}
	return ok(listOf(page, func(e *hook.AuditEntry) string { return hook.KindAudit.Format(e.ID) }, auditOut))
}

func auditOut(e *hook.AuditEntry) apitype.AuditOut {
	out := apitype.AuditOut{
		ID: hook.KindAudit.Format(e.ID), At: e.ID.Time().Truncate(time.Microsecond), Action: e.Action, Target: e.Target,
		Actor: apitype.AuditActor{Kind: apitype.ActorKind(e.Actor.String()), Name: e.Name},
	}
	if !e.Env.IsZero() {
		env := hook.KindEnvironment.Format(e.Env)
		out.Environment = &env
	}
	if e.Address.IsValid() {
		out.Address = e.Address.String()
	}
	id := ""
	switch e.Actor {
	case hook.ActorMember:
		id = hook.KindMember.Format(e.ActorID)
	case hook.ActorKey, hook.ActorPortal:
		id = hook.KindKey.Format(e.ActorID)
	case hook.ActorSystem:
		return out
	}
	out.Actor.ID = &id
	return out
}
