package api

import (
	"time"

	"github.com/grapnelhq/grapnel/apitype"
	"github.com/grapnelhq/grapnel/internal/hook"
)

func applicationKey(a *hook.Application) string {
	if a.Source {
		return hook.KindSource.Format(a.ID)
	}
	return hook.KindApplication.Format(a.ID)
}

func applicationOut(a *hook.Application) apitype.ApplicationOut {
	rate := rateOut(a.ThrottleRate)
	return apitype.ApplicationOut{
		ID: applicationKey(a), UID: textOut(a.UID), Name: a.Name, ThrottleRate: rate, RateLimit: rate,
		Metadata: mapOut(a.Metadata), CreatedAt: a.CreatedAt.UTC(), UpdatedAt: a.UpdatedAt.UTC(),
	}
}

// textOut gives null for an empty text.
func textOut(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// timeOut gives null for no time.
func timeOut(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}

// rateOut gives null for no limit.
func rateOut(rate int) *uint16 {
	if rate == 0 {
		return nil
	}
	r := uint16(rate)
	return &r
}

// mapOut never gives null.
func mapOut(m map[string]string) map[string]string {
	if m == nil {
		return map[string]string{}
	}
	return m
}

// listOut gives null for a list without a meaning of its own when empty.
func listOut(list []string) []string {
	if len(list) == 0 {
		return nil
	}
	return list
}
