package deliver

import (
	"context"
	"log/slog"
	"time"

	"github.com/grapnelhq/grapnel/internal/hook"
)

// lazyID writes an id as text only when the line is really logged.
type lazyID struct {
	kind hook.Kind
	id   hook.ID
}

// LogValue implements slog.LogValuer.
func (l lazyID) LogValue() slog.Value { return slog.StringValue(l.kind.Format(l.id)) }

func idOf(key string, kind hook.Kind, id hook.ID) slog.Attr {
	return slog.Any(key, lazyID{kind, id})
}

func ms(key string, d time.Duration) slog.Attr {
	return slog.Float64(key, float64(d.Microseconds())/1000)
}

// logAttempt writes the one wide line of an attempt.
func (e *Engine) logAttempt(ctx context.Context, l *hook.Lease, a *hook.Attempt) {
	if !e.Logger.Enabled(ctx, slog.LevelInfo) {
		return
	}
	t := a.Timings
	attrs := []slog.Attr{
		idOf("app", hook.KindApplication, l.Endpoint.App),
		idOf("endpoint", hook.KindEndpoint, a.Endpoint),
		idOf("message", hook.KindMessage, a.Message),
		idOf("attempt", hook.KindAttempt, a.ID),
		slog.Int("number", a.Number),
		slog.String("trigger", a.Trigger.String()),
		slog.String("class", a.Outcome.Class.String()),
		slog.Int("status", a.Outcome.Status),
		ms("queue_ms", t.Queue), ms("dns_ms", t.DNS), ms("connect_ms", t.Connect), ms("tls_ms", t.TLS),
		ms("first_byte_ms", t.FirstByte), ms("body_ms", t.Body), ms("total_ms", t.Total),
	}
	if a.Outcome.Detail != "" {
		attrs = append(attrs, slog.String("detail", a.Outcome.Detail))
	}
	if !a.NextDue.IsZero() {
		attrs = append(attrs, slog.Time("next", a.NextDue))
	}
	e.Logger.LogAttrs(ctx, slog.LevelInfo, "attempt", attrs...)
}

func (e *Engine) logCircuit(l *hook.Lease, state string) {
	e.Logger.Info("circuit", idOf("app", hook.KindApplication, l.Endpoint.App),
		idOf("endpoint", hook.KindEndpoint, l.Endpoint.ID), slog.String("state", state))
}
