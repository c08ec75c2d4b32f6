package dash

import (
	"strconv"
	"strings"
)

// codings are the content codings that a client takes, with how much it likes each,
// from 0 (not at all) to 1.
type codings map[string]float64

// acceptedCodings reads an Accept-Encoding header (RFC 9110, 12.5.3). What cannot be
// read counts as not taken.
func acceptedCodings(header string) codings {
	c := codings{}
	for item := range strings.SplitSeq(header, ",") {
		name, params, _ := strings.Cut(item, ";")
		name = strings.ToLower(strings.TrimSpace(name))
		if name == "" {
			continue
		}
		if name == "x-gzip" {
			name = "gzip"
		}
		weight := 1.0
		if key, value, given := strings.Cut(params, "="); given && strings.EqualFold(strings.TrimSpace(key), "q") {
			q, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
			if err != nil || !(q >= 0 && q <= 1) {
				q = 0
			}
			weight = q
		}
		c[name] = weight
	}
	return c
}

func (c codings) of(name string) float64 {
	if weight, named := c[name]; named {
		return weight
	}
	return c["*"]
}

// identity is how much the client likes no coding at all: it does unless it says not.
func (c codings) identity() float64 {
	if weight, named := c["identity"]; named {
		return weight
	}
	if weight, named := c["*"]; named && weight == 0 {
		return 0
	}
	return 1
}
