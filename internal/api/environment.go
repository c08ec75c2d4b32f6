package api

import (
	"context"

	"github.com/grapnelhq/grapnel/apitype"
	"github.com/grapnelhq/grapnel/internal/hook"
)

// environmentStore keeps environments. See package store for what each promises.
type environmentStore interface {
	ListEnvironments(ctx context.Context) ([]hook.Environment, error)
	CreateEnvironment(ctx context.Context, e *hook.Environment) error
	UpdateEnvironment(ctx context.Context, env hook.ID, change func(*hook.Environment) error) (hook.Environment, error)
}

func environmentOut(e *hook.Environment) apitype.EnvironmentOut {
	return apitype.EnvironmentOut{
		ID: hook.KindEnvironment.Format(e.ID), Name: e.Name, Kind: apitype.EnvironmentKind(e.Kind.String()), CreatedAt: e.CreatedAt.UTC(),
	}
}

// listEnvironments shows a member all of them, and a key its own.
func listEnvironments(c *call) (reply, error) {
	envs, err := c.Store.ListEnvironments(c.ctx())
	if err != nil {
		return reply{}, err
	}
	out := apitype.List[apitype.EnvironmentOut]{Data: []apitype.EnvironmentOut{}, Done: true}
	for i := range envs {
		if c.isMember() || envs[i].ID == c.key.Env {
			out.Data = append(out.Data, environmentOut(&envs[i]))
		}
	}
	return ok(out)
}

func (k *checker) environmentKind(word apitype.EnvironmentKind) hook.EnvironmentKind {
	for _, kind := range hook.EnvironmentKinds {
		if kind.String() == string(word) {
			return kind
		}
	}
	k.bad("must be production or test", "kind")
	return hook.EnvironmentProduction
}

// createEnvironment is for people: a key could do nothing with another environment.
func createEnvironment(c *call) (reply, error) {
	in, err := decode[apitype.EnvironmentIn](c)
	if err != nil {
		return reply{}, err
	}
	var k checker
	e := hook.Environment{ID: hook.NewID(c.now), Name: k.memberName(in.Name), CreatedAt: c.now}
	if kind, given := in.Kind.Get(); given {
		e.Kind = k.environmentKind(kind)
	}
	if err := k.err(); err != nil {
		return reply{}, err
	}
	if err := c.Store.CreateEnvironment(c.ctx(), &e); err != nil {
		return reply{}, err
	}
	return created(environmentOut(&e))
}

func patchEnvironment(c *call) (reply, error) {
	env, err := c.environmentInPath()
	if err != nil {
		return reply{}, err
	}
	in, err := decode[apitype.EnvironmentPatch](c)
	if err != nil {
		return reply{}, err
	}
	var k checker
	name, named := in.Name.Get()
	if named {
		name = k.memberName(name)
	}
	kind := hook.EnvironmentProduction
	word, ofKind := in.Kind.Get()
	if ofKind {
		kind = k.environmentKind(word)
	}
	if err := k.err(); err != nil {
		return reply{}, err
	}
	e, err := c.Store.UpdateEnvironment(c.ctx(), env, func(e *hook.Environment) error {
		if named {
			e.Name = name
		}
		if ofKind {
			e.Kind = kind
		}
		return nil
	})
	if err != nil {
		return reply{}, err
	}
	return ok(environmentOut(&e))
}

// environmentInPath is any of them for a member, and its own for a key.
func (c *call) environmentInPath() (hook.ID, error) {
	if !c.isMember() || c.value("env") == ownEnvironment {
		return c.key.Env, c.inOwnEnvironment()
	}
	env, err := hook.KindEnvironment.Parse(c.value("env"))
	if err != nil {
		return hook.ID{}, hook.Invalid("is not a valid id", "path", "env_id")
	}
	return env, nil
}
