package server

import (
	"context"
	"net/http"
	"path/filepath"
	"strings"

	"github.com/grapnelhq/grapnel/apitype"
	"github.com/grapnelhq/grapnel/internal/hook"
)

// system tells what this node knows of itself, of the others and of the database.
func (s *Server) system(ctx context.Context, r *http.Request) (apitype.SystemOut, error) {
	now := s.now()
	queue, err := s.store.QueueStats(ctx, now)
	if err != nil {
		return apitype.SystemOut{}, err
	}
	nodes, err := s.store.ListNodes(ctx, now)
	if err != nil {
		return apitype.SystemOut{}, err
	}
	figures, err := s.store.Figures(ctx)
	if err != nil {
		return apitype.SystemOut{}, err
	}
	out := apitype.SystemOut{
		Version: s.version, StartedAt: s.startedAt.UTC(), Now: now.UTC(), Role: string(s.cfg.Role),
		Store: s.storeOut(&figures), Queue: s.queueOut(queue), Nodes: s.nodesOut(nodes), Settings: s.settingsOut(),
	}
	look := looking{Server: s, ctx: ctx, request: r, queue: queue, nodes: nodes}
	out.Checks = look.all()
	return out, nil
}

func (s *Server) storeOut(f *hook.StoreFigures) apitype.SystemStore {
	out := apitype.SystemStore{
		Kind: f.Kind, Version: f.Version, Schema: f.Schema, Address: s.cfg.ShownDB(), Bytes: f.Size, LogBytes: known(f.Log),
		Tables: make([]apitype.SystemTable, 0, len(f.Tables)),
	}
	for _, t := range f.Tables {
		out.Tables = append(out.Tables, apitype.SystemTable{Name: t.Name, Bytes: known(t.Bytes), Rows: known(t.Rows)})
	}
	if path := s.cfg.SQLitePath(); path != "" {
		if _, free, ok := diskSpace(filepath.Dir(path)); ok {
			out.FreeBytes = known(int64(free))
		}
	}
	return out
}

// known leaves out a figure that the store does not know.
func known(n int64) *int64 {
	if n < 0 {
		return nil
	}
	return &n
}

func (s *Server) queueOut(q hook.QueueStats) apitype.SystemQueue {
	out := apitype.SystemQueue{Due: q.Due}
	if !q.OldestDue.IsZero() {
		out.OldestDueSeconds = max(s.now().Sub(q.OldestDue).Seconds(), 0)
	}
	if s.engine != nil {
		out.InFlight = s.engine.Stats().Sending
	}
	return out
}

func (s *Server) nodesOut(nodes []hook.NodeInfo) []apitype.SystemNode {
	out := make([]apitype.SystemNode, 0, len(nodes))
	for _, n := range nodes {
		out = append(out, apitype.SystemNode{
			Name: n.Name, Self: n.Name == s.nodeName, Alive: n.Alive, Delivers: n.Delivers, StartedAt: n.Started.UTC(), SeenAt: n.Seen.UTC(),
		})
	}
	return out
}

func (s *Server) settingsOut() []apitype.SystemSetting {
	lines := s.cfg.Lines()
	out := make([]apitype.SystemSetting, 0, len(lines))
	for _, l := range lines {
		out = append(out, apitype.SystemSetting{Name: l.Name, Value: strings.TrimSpace(l.Value), Origin: string(l.Origin)})
	}
	return out
}
