package main

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strconv"
	"strings"
)

// plan says where each event must arrive. It is a pure function of the
// event's number, so generator and sink agree without talking, also when they
// are two processes (a preloaded backlog is drained by a later one).
type plan struct {
	Apps      int    // applications
	Endpoints int    // endpoints of each application
	Batch     int    // consecutive events of one request; they share an application
	Spread    bool   // events go to random applications, else all to the first
	Seed      uint64 // of the choices
	Hang      share  // share of the endpoints that never answer

	hanging []bool // by endpoint number; nil when none hangs
}

// newPlan draws the endpoints that hang; their number is exact, not expected.
func newPlan(p plan) (plan, error) {
	if p.Apps < 1 || p.Endpoints < 1 || p.Batch < 1 {
		return p, fmt.Errorf("applications, endpoints and batch must be at least 1, not %d, %d, %d", p.Apps, p.Endpoints, p.Batch)
	}
	total := p.Apps * p.Endpoints
	n := int(math.Round(float64(p.Hang) * float64(total)))
	if n == 0 {
		return p, nil
	}
	p.hanging = make([]bool, total)
	for _, i := range rand.New(rand.NewPCG(p.Seed, 1)).Perm(total)[:n] {
		p.hanging[i] = true
	}
	return p, nil
}

// app is the application of event seq.
func (p *plan) app(seq int64) int {
	if !p.Spread || p.Apps == 1 {
		return 0
	}
	return int(mix(p.Seed+uint64(seq/int64(p.Batch))) % uint64(p.Apps))
}

// slot takes the number of an endpoint apart: is it one of event seq's
// application, and which of its endpoints.
func (p *plan) slot(seq int64, number int) (slot int, ok bool) {
	return number % p.Endpoints, number >= 0 && number/p.Endpoints == p.app(seq)
}

func (p *plan) hangs(number int) bool { return len(p.hanging) > 0 && p.hanging[number] }

// due counts the endpoints that must receive event seq and answer.
func (p *plan) due(seq int64) int64 {
	if p.hanging == nil {
		return int64(p.Endpoints)
	}
	var n int64
	first := p.app(seq) * p.Endpoints
	for i := first; i < first+p.Endpoints; i++ {
		if !p.hanging[i] {
			n++
		}
	}
	return n
}

// urls lists the endpoints to create, by application.
func (p *plan) urls(sink string) [][]string {
	out := make([][]string, p.Apps)
	for a := range out {
		for s := range p.Endpoints {
			out[a] = append(out[a], fmt.Sprintf("http://%s%s%d", sink, hookPath, a*p.Endpoints+s))
		}
	}
	return out
}

// mix is the finaliser of splitmix64: neighbours in, unrelated numbers out.
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// share is a part of a whole, 0 to 1; as a flag "5%" or "0.05".
type share float64

func (s *share) String() string { return strconv.FormatFloat(float64(*s)*100, 'g', -1, 64) + "%" }

func (s *share) Set(text string) error {
	digits, percent := strings.CutSuffix(text, "%")
	v, err := strconv.ParseFloat(digits, 64)
	if percent {
		v /= 100
	}
	if err != nil || !(v >= 0 && v <= 1) {
		return fmt.Errorf("want a share such as 5%% or 0.05")
	}
	*s = share(v)
	return nil
}
