package api

import (
	"context"
	"time"

	"github.com/grapnelhq/grapnel/apitype"
	"github.com/grapnelhq/grapnel/internal/hook"
)

// sourceStore keeps sources. See package store for what each promises.
type sourceStore interface {
	CreateSource(ctx context.Context, s *hook.Source, once *hook.IdempotencyKey) (hook.Source, bool, error)
	FindSource(ctx context.Context, env hook.ID, ref hook.Ref) (hook.Source, error)
	ListSources(ctx context.Context, env hook.ID, p hook.Page) (hook.PageOf[hook.Source], error)
	UpdateSource(ctx context.Context, env hook.ID, ref hook.Ref, once *hook.IdempotencyKey, change func(*hook.Source) error) (hook.Source, bool, error)
	DeleteSource(ctx context.Context, env hook.ID, ref hook.Ref, now time.Time) ([]hook.ID, error)
}

func createSource(c *call) (reply, error) {
	in, err := decode[apitype.SourceIn](c)
	if err != nil {
		return reply{}, err
	}
	once, err := c.once()
	if err != nil {
		return reply{}, err
	}
	edit, err := c.sourceEdit(&in)
	if err != nil {
		return reply{}, err
	}
	s, err := c.newSource(edit)
	if err != nil {
		return reply{}, err
	}
	made, _, err := c.Store.CreateSource(c.ctx(), s, once)
	if err != nil {
		return reply{}, err
	}
	out, err := c.sourceOut(&made)
	if err != nil {
		return reply{}, err
	}
	return created(out)
}

// newSource checks the input and gives it an id and a URL.
func (c *call) newSource(edit *sourceEdit) (*hook.Source, error) {
	s := &hook.Source{ID: hook.NewID(c.now), Env: c.key.Env, CreatedAt: c.now}
	if err := c.editSource(s, edit); err != nil {
		return nil, err
	}
	token, err := c.newSourceToken(s.ID)
	s.Tokens = []hook.SourceToken{token}
	return s, err
}

func (c *call) newSourceToken(source hook.ID) (hook.SourceToken, error) {
	text, hash := c.NewSourceToken()
	sealed, err := c.Seal(hook.PurposeSourceToken, source, []byte(text))
	return hook.SourceToken{Hash: hash, Sealed: sealed, CreatedAt: c.now}, err
}

func listSources(c *call) (reply, error) {
	q := c.params()
	p := q.page(hook.KindSource, true, true)
	if err := q.err(); err != nil {
		return reply{}, err
	}
	if q.values.Has("q") {
		return c.searchSources(p)
	}
	page, err := c.Store.ListSources(c.ctx(), c.key.Env, p)
	if err != nil {
		return reply{}, err
	}
	var failed error
	list := listOf(page, sourceKey, func(s *hook.Source) apitype.SourceOut {
		out, err := c.sourceOut(s)
		if err != nil {
			failed = err
		}
		return out
	})
	if failed != nil {
		return reply{}, failed
	}
	return ok(list)
}

func getSource(c *call) (reply, error) {
	s, err := c.source()
	if err != nil {
		return reply{}, err
	}
	out, err := c.sourceOut(&s)
	if err != nil {
		return reply{}, err
	}
	return ok(out)
}

// putSource changes the source of the path, or creates it, see putApplication.
func putSource(c *call) (reply, error) {
	ref, err := c.sourceRef()
	if err != nil {
		return reply{}, err
	}
	in, err := decode[apitype.SourceIn](c)
	if err != nil {
		return reply{}, err
	}
	if in.UID.IsZero() && ref.UID != "" {
		in.UID = apitype.Some(ref.UID)
	}
	edit, err := c.sourceEdit(&in)
	if err != nil {
		return reply{}, err
	}
	var s hook.Source
	return upsert(ref,
		func() error {
			s, err = c.updateSource(ref, nil, func(s *hook.Source) error { return c.editSource(s, edit) })
			return err
		},
		func() error {
			fresh, err := c.newSource(edit)
			if err != nil {
				return err
			}
			s, _, err = c.Store.CreateSource(c.ctx(), fresh, nil)
			return err
		},
		func() (any, error) { return c.sourceOut(&s) })
}

func patchSource(c *call) (reply, error) {
	ref, err := c.sourceRef()
	if err != nil {
		return reply{}, err
	}
	in, err := decode[apitype.SourcePatch](c)
	if err != nil {
		return reply{}, err
	}
	edit, err := c.sourcePatch(&in)
	if err != nil {
		return reply{}, err
	}
	s, err := c.updateSource(ref, nil, func(s *hook.Source) error { return c.editSource(s, edit) })
	if err != nil {
		return reply{}, err
	}
	out, err := c.sourceOut(&s)
	if err != nil {
		return reply{}, err
	}
	return ok(out)
}

func deleteSource(c *call) (reply, error) {
	ref, err := c.sourceRef()
	if err != nil {
		return reply{}, err
	}
	endpoints, err := c.Store.DeleteSource(c.ctx(), c.key.Env, ref, c.now)
	c.ForgetSource()
	if err != nil {
		return reply{}, err
	}
	for _, id := range endpoints {
		c.EndpointChanged(id, 0, hook.ReasonEndpointDeleted)
	}
	return noContent()
}

// updateSource changes a source and lets the gateway forget the old one before the answer.
func (c *call) updateSource(ref hook.Ref, once *hook.IdempotencyKey, change func(*hook.Source) error) (hook.Source, error) {
	s, _, err := c.Store.UpdateSource(c.ctx(), c.key.Env, ref, once, func(s *hook.Source) error {
		s.UpdatedAt = c.now
		return change(s)
	})
	c.ForgetSource()
	return s, err
}

// sourceRef reads the source in the path.
func (c *call) sourceRef() (hook.Ref, error) {
	return parseRef(hook.KindSource, c.value("source"), "source")
}

// source finds the source of the path.
func (c *call) source() (hook.Source, error) {
	ref, err := c.sourceRef()
	if err != nil {
		return hook.Source{}, err
	}
	return c.Store.FindSource(c.ctx(), c.key.Env, ref)
}

// owner gives the id of whoever owns the endpoints and messages that the path is
// about: an application, or a source under its own path or in the place of an
// application. ofSource then says that it is a source.
func (c *call) owner() (hook.ID, error) {
	ref, err := c.ownerRef()
	if err != nil || !c.ofSource {
		if err == nil {
			return c.applicationID(ref)
		}
		return hook.ID{}, err
	}
	s, err := c.Store.FindSource(c.ctx(), c.key.Env, ref)
	return s.ID, err
}

func (c *call) ownerRef() (ref hook.Ref, err error) {
	if c.value("source") != "" {
		c.ofSource = true
		return c.sourceRef()
	}
	if id, err := hook.KindSource.Parse(c.value("app")); err == nil {
		c.ofSource = true
		return hook.Ref{ID: id}, nil
	}
	return c.appRef()
}
