package server

import (
	"context"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"slices"
	"strings"

	"github.com/grapnelhq/grapnel/internal/dash"
	"github.com/grapnelhq/grapnel/internal/hook"
)

// wireDashboard makes what serves the pages; a binary without them serves none.
func (s *Server) wireDashboard() error {
	files, builtIn := dash.BuiltIn()
	if s.cfg.UIDir != "" {
		files, builtIn = os.DirFS(s.cfg.UIDir), true
	}
	if !builtIn {
		return nil
	}
	return s.serveFiles(files)
}

func (s *Server) serveFiles(files fs.FS) (err error) {
	s.site, err = dash.New(dash.Options{Files: files, Fresh: s.cfg.UIDir != "", Policy: s.pagePolicy})
	if err != nil {
		return fmt.Errorf("the dashboard: %w", err)
	}
	return nil
}

// pagePolicy gives what a page may do beyond the rest. The portal of an environment may
// be framed by the pages that its settings name, and by the dashboard, which shows it
// while it is being changed. A policy that cannot be read is the strictest.
func (s *Server) pagePolicy(ctx context.Context, environment string) dash.Policy {
	var policy dash.Policy
	if environment == "" {
		all, err := s.store.ListSettings(ctx)
		if err != nil {
			s.log.WarnContext(ctx, "the settings of environments cannot be read", "error", err)
		}
		for i := range all {
			policy.Images = append(policy.Images, logoOrigins(&all[i].Portal)...)
		}
		return compacted(policy)
	}
	id, err := hook.KindEnvironment.Parse(environment)
	if err != nil {
		return policy
	}
	set, err := s.store.FindSettings(ctx, id)
	if err != nil {
		if asShown(err).Code != hook.CodeNotFound {
			s.log.WarnContext(ctx, "the settings of an environment cannot be read", "error", err)
		}
		return policy
	}
	policy.Ancestors = append([]string{"'self'"}, set.PortalOrigins...)
	policy.Images = logoOrigins(&set.Portal)
	return compacted(policy)
}

func compacted(p dash.Policy) dash.Policy {
	slices.Sort(p.Images)
	p.Images = slices.Compact(p.Images)
	return p
}

// logoOrigins are where the logos of a theme come from, those within it left out.
func logoOrigins(t *hook.PortalTheme) []string {
	var out []string
	for _, logo := range []string{t.LogoLight, t.LogoDark} {
		if u, err := url.Parse(logo); err == nil && u.Scheme == "https" && !strings.ContainsAny(u.Host, " ;,'\"") {
			out = append(out, u.Scheme+"://"+u.Host)
		}
	}
	return out
}
