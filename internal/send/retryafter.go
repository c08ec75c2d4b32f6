package send

import (
	"net/http"
	"strings"
	"time"

	"github.com/grapnelhq/grapnel/internal/hook"
)

// retryAfter reads a Retry-After value (RFC 9110, 10.2.3): whole seconds, a
// fraction of them rounded up, or an HTTP date. Of several values the first
// counts. Rubbish, zero and times past give 0; the longest wait is
// hook.MaxRetryAfter.
func retryAfter(value string, now time.Time) time.Duration {
	value = strings.TrimSpace(value)
	if value == "" {
		return 0
	}
	if value[0] >= '0' && value[0] <= '9' {
		first, _, _ := strings.Cut(value, ",")
		return seconds(strings.TrimSpace(first))
	}
	at, err := http.ParseTime(value)
	if err != nil {
		return 0
	}
	return min(max(at.Sub(now), 0), hook.MaxRetryAfter)
}

// seconds reads digits with an optional fraction. Anything else gives 0.
func seconds(text string) time.Duration {
	whole, fraction, _ := strings.Cut(text, ".")
	const most = int64(hook.MaxRetryAfter / time.Second)
	var n int64
	for i := range len(whole) {
		if whole[i] < '0' || whole[i] > '9' {
			return 0
		}
		n = min(10*n+int64(whole[i]-'0'), most)
	}
	up := int64(0)
	for i := range len(fraction) {
		if fraction[i] < '0' || fraction[i] > '9' {
			return 0
		}
		if fraction[i] != '0' {
			up = 1
		}
	}
	return time.Duration(min(n+up, most)) * time.Second
}
