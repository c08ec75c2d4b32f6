package search

import (
	"strconv"
	"strings"
	"time"
)

// layouts are the forms of a time, each with how much time a value of it covers. The
// zone is UTC where none is given.
var layouts = []struct {
	layout string
	covers func(time.Time) time.Time
}{
	{time.DateOnly, func(t time.Time) time.Time { return t.AddDate(0, 0, 1) }},
	{"2006-01", func(t time.Time) time.Time { return t.AddDate(0, 1, 0) }},
	{"2006-01-02T15:04", func(t time.Time) time.Time { return t.Add(time.Minute) }},
	{"2006-01-02T15:04Z07:00", func(t time.Time) time.Time { return t.Add(time.Minute) }},
	{"2006-01-02T15:04:05", func(t time.Time) time.Time { return t.Add(time.Second) }},
	{time.RFC3339, func(t time.Time) time.Time { return t.Add(time.Second) }},
}

// time gives what a text covers: a day, a minute and so on; of a duration, the time
// since then, to being zero.
func (v *given) time(f *Def, text string, at int, now time.Time) (from, to time.Time, err *Error) {
	lowered := strings.ToLower(text)
	day := time.Date(now.Year(), now.Month(), now.Day(), 0, 0, 0, 0, time.UTC)
	switch lowered {
	case "now":
		return now, now.Add(1), nil
	case "today":
		return day, day.AddDate(0, 0, 1), nil
	case "yesterday":
		return day.AddDate(0, 0, -1), day, nil
	}
	if d, ok := duration(lowered); ok {
		return now.Add(-d), time.Time{}, nil
	}
	for _, l := range layouts {
		if t, err := time.Parse(l.layout, text); err == nil {
			t = t.UTC()
			return t, l.covers(t), nil
		}
	}
	return from, to, errorAt(at, "%s is a time: how long ago, such as 30m, 2h or 7d, or a date, such as 2026-11-01 or 2026-11-01T14:00", f.Name)
}

// spans are the units of a duration; a bare number is none.
var spans = map[byte]time.Duration{'s': time.Second, 'm': time.Minute, 'h': time.Hour, 'd': 24 * time.Hour, 'w': 7 * 24 * time.Hour}

// maxAge keeps times within what can be reckoned with.
const maxAge = 100 * 365 * 24 * time.Hour

// duration reads numbers with units, such as 1h30m or 7d.
func duration(text string) (time.Duration, bool) {
	var sum time.Duration
	for rest := text; rest != ""; {
		digits := 0
		for digits < len(rest) && rest[digits] >= '0' && rest[digits] <= '9' {
			digits++
		}
		if digits == 0 || digits > 9 || digits == len(rest) {
			return 0, false
		}
		n, _ := strconv.ParseInt(rest[:digits], 10, 64) // nine digits fit
		unit, known := spans[rest[digits]]
		if !known || n > int64(maxAge/unit) {
			return 0, false
		}
		if sum += time.Duration(n) * unit; sum > maxAge {
			return 0, false
		}
		rest = rest[digits+1:]
	}
	return sum, text != ""
}
