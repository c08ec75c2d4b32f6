package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/grapnelhq/grapnel/internal/auth"
	"github.com/grapnelhq/grapnel/internal/config"
	"github.com/grapnelhq/grapnel/internal/hook"
	"github.com/grapnelhq/grapnel/internal/store"
)

// MemberLink makes a link that lets a member choose a password, for whoever has the
// database and no other way in. Without any member it is the link that makes the
// first one, and email does not count. A SQLite file must not be in use.
func MemberLink(ctx context.Context, cfg *config.Config, email string, log *slog.Logger) (link string, ends time.Time, err error) {
	st, err := store.Open(ctx, cfg.DB, store.Options{Logger: log, DirectURL: cfg.DBDirect, Connections: cfg.DBConnections})
	if errors.Is(err, store.ErrInUse) {
		return "", time.Time{}, &DatabaseInUseError{Path: cfg.SQLitePath()}
	}
	if err != nil {
		return "", time.Time{}, err
	}
	defer func() { err = errors.Join(err, st.Close()) }()
	desk := auth.NewPeople(auth.PeopleOptions{Store: st, Now: time.Now, Log: log})
	code, ends, err := desk.SetupCode(ctx)
	if err != nil {
		return "", ends, err
	}
	if code == "" {
		folded, _ := hook.FoldEmail(email)
		m, err := st.FindMemberByEmail(ctx, folded)
		if err != nil {
			return "", ends, fmt.Errorf("looking for %s: %w", email, err)
		}
		now := time.Now()
		// Whoever can do this could write into the database by hand; the log tells it all the same.
		if err := st.WriteAudit(ctx, &hook.AuditEntry{
			ID: hook.NewID(now), Actor: hook.ActorSystem, Name: "grapnel admin", Action: "member.create-link",
			Target: "/member/" + hook.KindMember.Format(m.ID),
		}); err != nil {
			return "", ends, err
		}
		if code, ends, err = desk.NewCode(ctx, hook.TicketReset, m.ID); err != nil {
			return "", ends, err
		}
	}
	base := "http://" + cfg.Listen
	if cfg.PublicURL != nil {
		base = cfg.PublicURL.String()
	}
	return base + "/link#code=" + code, ends, nil
}
