package provider

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// stampPlace is where the signed time stands.
type stampPlace int

const (
	noStamp stampPlace = iota
	stampInHeader
	stampInPairs // in the header of the signatures
	stampInBody  // a number among the members of the JSON body
)

// stampUnit is how the time is written.
type stampUnit int

const (
	seconds stampUnit = iota // since 1970
	millis
	rfc3339
)

// stamp describes the signed time.
type stamp struct {
	place     stampPlace
	name      string // of the header or member
	unit      stampUnit
	tolerance time.Duration
}

// maxStampDigits admits milliseconds where seconds are due, so that the verdict can
// say "too new", and keeps every difference of two times far from overflow.
const maxStampDigits = 15

func (s *stamp) read(r *Request, e *evidence) (refused Verdict) {
	bad, where := MalformedHeader, s.name
	switch s.place {
	case noStamp:
		return Verdict{}
	case stampInHeader:
		if e.stamp, refused = single(r.Header, s.name); refused.Reason != "" {
			return refused
		}
	case stampInBody:
		bad = MalformedBody
		e.stamp = jsonText(r.Body, []string{s.name})
	case stampInPairs: // read together with the signatures
		where = "the signature header"
	}
	at, ok := s.unit.parse(e.stamp)
	if !ok {
		return Verdict{Reason: bad, Detail: fmt.Sprintf("The time in %s is not %s.", where, s.unit)}
	}
	e.at = at
	return Verdict{}
}

// judge compares the signed time with now, in whole seconds.
func (s *stamp) judge(at time.Time, settings *Settings, now time.Time) (Reason, string) {
	if s.place == noStamp {
		return Verified, ""
	}
	tolerance := s.tolerance
	if settings.Tolerance > 0 {
		tolerance = settings.Tolerance
	}
	return fresh(at, now, tolerance)
}

func fresh(at, now time.Time, tolerance time.Duration) (Reason, string) {
	age := now.Truncate(time.Second).Sub(at.Truncate(time.Second))
	switch {
	case age > tolerance:
		return TooOld, fmt.Sprintf("The signed time lies %s in the past, %s are allowed.", age, tolerance)
	case age < -tolerance:
		return TooNew, fmt.Sprintf("The signed time lies %s in the future, %s are allowed.", at.Truncate(time.Second).Sub(now.Truncate(time.Second)), tolerance)
	}
	return Verified, ""
}

// sign puts the time where it belongs; that among the signatures is written with them.
func (s *stamp) sign(r *Request, e *evidence, now time.Time) {
	if s.place == noStamp {
		return
	}
	e.at, e.stamp = now, s.unit.text(now)
	switch s.place {
	case stampInHeader:
		r.Header.Set(s.name, e.stamp)
	case stampInBody:
		r.Body = jsonWith(r.Body, s.name, e.stamp)
	case noStamp, stampInPairs:
	}
}

func (u stampUnit) String() string {
	switch u {
	case millis:
		return "whole milliseconds since 1970"
	case rfc3339:
		return "a date and time by RFC 3339"
	case seconds:
	}
	return "whole seconds since 1970"
}

func (u stampUnit) text(at time.Time) string {
	switch u {
	case millis:
		return strconv.FormatInt(at.UnixMilli(), 10)
	case rfc3339:
		return at.UTC().Format(time.RFC3339Nano)
	case seconds:
	}
	return strconv.FormatInt(at.Unix(), 10)
}

// parse reads numbers as ASCII digits in the one usual spelling: no sign, fraction,
// exponent or leading zero.
func (u stampUnit) parse(text string) (time.Time, bool) {
	if u == rfc3339 {
		// Go alone would take a comma in the fraction.
		at, err := time.Parse(time.RFC3339, text)
		return at.UTC(), err == nil && !strings.Contains(text, ",")
	}
	if text == "" || len(text) > maxStampDigits || text[0] == '0' && text != "0" || strings.Trim(text, "0123456789") != "" {
		return time.Time{}, false
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return time.Time{}, false
	}
	if u == millis {
		return time.UnixMilli(n).UTC(), true
	}
	return time.Unix(n, 0).UTC(), true
}

// pairs is a header of the form t=1700000000,v1=digest.
type pairs struct {
	separator string // between the pairs
	time      string // the name of the time
	signature string // the name of each signature
}

// read finds the time, which must be there once if timed, and the signatures.
// Others are left alone: they are the provider's older or coming schemes.
func (p *pairs) read(header, line string, timed bool, e *evidence) Verdict {
	stamps, seen := 0, 0
	for pair := range strings.SplitSeq(line, p.separator) {
		if seen++; seen > 2*MaxSignatures {
			break
		}
		name, value, ok := strings.Cut(strings.Trim(pair, " \t"), "=")
		switch {
		case !ok:
		case timed && name == p.time:
			stamps++
			e.stamp = value
		case name == p.signature && value != "" && len(e.signatures) < MaxSignatures:
			e.signatures = append(e.signatures, value)
		}
	}
	switch {
	case timed && stamps != 1:
		return Verdict{Reason: MalformedHeader, Detail: fmt.Sprintf("The header %s has not one %s=, but %d.", header, p.time, stamps)}
	case len(e.signatures) == 0:
		return Verdict{Reason: MalformedHeader, Detail: fmt.Sprintf("The header %s has no %s=.", header, p.signature)}
	}
	return Verdict{}
}

func (p *pairs) text(e *evidence, signature string) string {
	text := p.signature + "=" + signature
	if p.time != "" {
		text = p.time + "=" + e.stamp + p.separator + text
	}
	return text
}
