package listen

import (
	"context"
	"errors"
	"strings"

	"github.com/grapnelhq/grapnel/apitype"
	"github.com/grapnelhq/grapnel/internal/hook"
)

// mostOwners bounds the sources and applications that one listener names.
const mostOwners = 250

// owner is whose messages a listener gets.
type owner struct {
	source *hook.Source      // nil: an application
	app    *hook.Application // nil: a source, or not wanted
}

// wanted reports whether it is one at all: others are remembered as none.
func (o owner) wanted() bool { return o.source != nil || o.app != nil }

// findOwners finds what the request names, as far as the key may see it.
func (l *listener) findOwners(ctx context.Context, r request) error {
	l.owners, l.all = make(map[hook.ID]owner), r.all
	if !l.key.App.IsZero() && (r.all || len(r.sources) > 0) {
		return &hook.Error{Code: hook.CodeNotAllowed, Detail: "A token of one application may listen to that application only."}
	}
	for _, name := range r.apps {
		app, err := l.hub.Store.FindApplication(ctx, l.key.Env, hook.KindApplication.ParseRef(name))
		if err != nil {
			return named(err, "application", name)
		}
		if app.Source || !l.key.App.IsZero() && app.ID != l.key.App {
			return noSuch("application", name)
		}
		l.add(app.ID, owner{app: &app})
	}
	if len(r.sources) == 0 && !r.all {
		return nil
	}
	sources, err := l.listSources(ctx)
	if err != nil {
		return err
	}
	if r.all {
		for i := range sources {
			l.add(sources[i].ID, owner{source: &sources[i]})
		}
	}
	for _, name := range r.sources {
		s, err := pick(sources, name)
		if err != nil {
			return err
		}
		l.add(s.ID, owner{source: s})
	}
	return nil
}

// add takes an owner in, once, in the order of the request.
func (l *listener) add(id hook.ID, o owner) {
	if !l.owners[id].wanted() {
		l.order = append(l.order, id)
	}
	l.owners[id] = o
}

func (l *listener) listSources(ctx context.Context) ([]hook.Source, error) {
	var all []hook.Source
	for p := (hook.Page{Limit: 250, Ascending: true}); ; {
		page, err := l.hub.Store.ListSources(ctx, l.key.Env, p)
		if err != nil {
			return nil, err
		}
		all = append(all, page.Items...)
		if !page.More || len(page.Items) == 0 {
			return all, nil
		}
		p.From = page.Items[len(page.Items)-1].ID
	}
}

// pick finds a source by id, uid, name or, if it is the only one, type.
func pick(sources []hook.Source, name string) (*hook.Source, error) {
	id, _ := hook.KindSource.Parse(name)
	for _, same := range []func(*hook.Source) bool{
		func(s *hook.Source) bool { return !id.IsZero() && s.ID == id },
		func(s *hook.Source) bool { return s.UID == name && name != "" },
		func(s *hook.Source) bool { return s.Name == name },
		func(s *hook.Source) bool { return s.Type == name },
	} {
		var found []*hook.Source
		for i := range sources {
			if same(&sources[i]) {
				found = append(found, &sources[i])
			}
		}
		switch len(found) {
		case 0:
		case 1:
			return found[0], nil
		default:
			return nil, &hook.Error{Code: hook.CodeConflict, Detail: "There are several sources " + name + ".", Hint: "Name one by its uid or id: " + handles(found) + "."}
		}
	}
	return nil, noSuch("source", name)
}

// handles names sources so that each is the only one.
func handles(sources []*hook.Source) string {
	var names []string
	for _, s := range sources {
		if s.UID != "" {
			names = append(names, s.UID)
		} else {
			names = append(names, hook.KindSource.Format(s.ID))
		}
	}
	return strings.Join(names, ", ")
}

func noSuch(what, name string) *hook.Error {
	return &hook.Error{Code: hook.CodeNotFound, Detail: "There is no " + what + " " + name + "."}
}

func named(err error, what, name string) error {
	if isCode(err, hook.CodeNotFound) {
		return noSuch(what, name)
	}
	return err
}

func isCode(err error, code hook.Code) bool {
	var e *hook.Error
	return errors.As(err, &e) && e.Code == code
}

// ownerOf tells whose message it is; one that is not wanted is none. A source that was
// made since is looked up once.
func (l *listener) ownerOf(ctx context.Context, id hook.ID) (owner, error) {
	o, known := l.owners[id]
	if known || !l.all {
		return o, nil
	}
	s, err := l.hub.Store.FindSource(ctx, l.key.Env, hook.Ref{ID: id})
	switch {
	case isCode(err, hook.CodeNotFound):
		if len(l.owners) < 16*mostOwners { // a memory of what is not wanted, with an end
			l.owners[id] = owner{}
		}
		return owner{}, nil
	case err != nil:
		return owner{}, err
	}
	l.add(id, owner{source: &s})
	return l.owners[id], nil
}

func (l *listener) hello() *apitype.ListenHello {
	hello := &apitype.ListenHello{
		Sources: []apitype.ListenSource{}, Apps: []apitype.ListenApp{},
		HeartbeatSeconds: int(Heartbeat.Seconds()), SilenceSeconds: int(Silence.Seconds()), Window: Window,
	}
	for _, id := range l.order {
		switch o := l.owners[id]; {
		case o.source != nil:
			hello.Sources = append(hello.Sources, apitype.ListenSource{
				ID: hook.KindSource.Format(id), UID: o.source.UID, Name: o.source.Name, Type: o.source.Type,
				IngestURL: l.url(o.source), Disabled: o.source.Disabled, Verifies: l.hub.Verifies(o.source),
			})
		case o.app != nil:
			hello.Apps = append(hello.Apps, apitype.ListenApp{ID: hook.KindApplication.Format(id), UID: o.app.UID, Name: o.app.Name})
		}
	}
	return hello
}
