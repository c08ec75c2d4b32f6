package config

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// Size is a number of bytes.
type Size int64

// Binary units.
const (
	KiB Size = 1 << 10
	MiB Size = 1 << 20
	GiB Size = 1 << 30
)

const day = 24 * time.Hour

var sizeUnits = []struct {
	name string
	size Size
}{
	{"GiB", GiB}, {"MiB", MiB}, {"KiB", KiB},
	{"GB", 1e9}, {"MB", 1e6}, {"kB", 1e3}, {"KB", 1e3}, {"B", 1}, {"", 1},
}

// String gives the size in the largest binary unit that divides it.
func (s Size) String() string {
	for _, u := range sizeUnits[:3] {
		if s >= u.size && s%u.size == 0 {
			return strconv.FormatInt(int64(s/u.size), 10) + u.name
		}
	}
	return strconv.FormatInt(int64(s), 10)
}

// ParseSize reads a number of bytes with an optional unit: 1048576, 1MiB, 64KiB, 5MB.
func ParseSize(text string) (Size, error) {
	digits := text
	for i := range len(text) {
		if text[i] < '0' || text[i] > '9' {
			digits = text[:i]
			break
		}
	}
	n, err := strconv.ParseInt(digits, 10, 64)
	unit := strings.TrimSpace(text[len(digits):])
	if err == nil {
		for _, u := range sizeUnits {
			if unit == u.name {
				if Size(n) > math.MaxInt64/u.size {
					break
				}
				return Size(n) * u.size, nil
			}
		}
	}
	return 0, &badValue{"is not a size", "Write a whole number of bytes with a unit, such as 1MiB or 64KiB."}
}

// ParseDuration reads Go's durations and days: 90s, 1h30m, 90d, 1d12h.
func ParseDuration(text string) (time.Duration, error) {
	bad := &badValue{"is not a duration", "Write a number with a unit, such as 500ms, 15s, 5m, 2h, 90d or 1d12h."}
	days, rest, found := strings.Cut(text, "d")
	if !found {
		days, rest = "", text
	}
	var d time.Duration
	if found {
		n, err := strconv.ParseUint(days, 10, 32)
		if err != nil || n > uint64(math.MaxInt64/int64(day)) {
			return 0, bad
		}
		d = time.Duration(n) * day
		if rest == "" {
			return d, nil
		}
	}
	more, err := time.ParseDuration(rest)
	if err != nil || more < 0 || d+more < d {
		return 0, bad
	}
	return d + more, nil
}

// FormatDuration gives a text that ParseDuration reads back: 90d, 1d12h, 15s.
func FormatDuration(d time.Duration) string {
	if d == 0 {
		return "0s"
	}
	var b strings.Builder
	if days := d / day; days > 0 {
		fmt.Fprintf(&b, "%dd", days)
		d %= day
	}
	if h := d / time.Hour; h > 0 {
		fmt.Fprintf(&b, "%dh", h)
		d %= time.Hour
	}
	if m := d / time.Minute; m > 0 {
		fmt.Fprintf(&b, "%dm", m)
		d %= time.Minute
	}
	if d > 0 {
		b.WriteString(d.String())
	}
	return b.String()
}
