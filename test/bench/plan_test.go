package main

import (
	"strconv"
	"strings"
	"testing"
)

func TestSharesAreReadAsPercentOrPart(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]share{"5%": 0.05, "0.05": 0.05, "0": 0, "100%": 1, "0.5%": 0.005} {
		var s share
		if err := s.Set(text); err != nil || s != want {
			t.Errorf("%q = %v, %v", text, float64(s), err)
		}
	}
	for _, bad := range []string{"", "5", "-1%", "101%", "NaN", "many"} {
		var s share
		if err := s.Set(bad); err == nil {
			t.Errorf("%q was taken as %v", bad, float64(s))
		}
	}
}

func mustPlan(t *testing.T, p plan) plan {
	t.Helper()
	p, err := newPlan(p)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestSpreadReachesEveryApplicationAboutEqually(t *testing.T) {
	t.Parallel()
	p := mustPlan(t, plan{Apps: 50, Endpoints: 1, Batch: 1, Spread: true, Seed: 7})
	hits := make([]int, p.Apps)
	for seq := range int64(50_000) {
		hits[p.app(seq)]++
	}
	for app, n := range hits {
		if n < 800 || n > 1200 {
			t.Errorf("application %d got %d of 50,000 events", app, n)
		}
	}
}

func TestWithoutSpreadAllGoesToTheFirstApplication(t *testing.T) {
	t.Parallel()
	p := mustPlan(t, plan{Apps: 50, Endpoints: 1, Batch: 1})
	for seq := range int64(100) {
		if p.app(seq) != 0 {
			t.Fatalf("event %d goes to application %d", seq, p.app(seq))
		}
	}
}

func TestABatchStaysInOneApplication(t *testing.T) {
	t.Parallel()
	p := mustPlan(t, plan{Apps: 50, Endpoints: 1, Batch: 10, Spread: true, Seed: 7})
	for seq := range int64(1000) {
		if p.app(seq) != p.app(seq/10*10) {
			t.Fatalf("event %d leaves its batch", seq)
		}
	}
}

func TestExactlyTheShareHangsAndIsNotExpected(t *testing.T) {
	t.Parallel()
	p := mustPlan(t, plan{Apps: 100, Endpoints: 3, Batch: 1, Spread: true, Seed: 7, Hang: 0.05})
	n := 0
	for i := range 300 {
		if p.hangs(i) {
			n++
		}
	}
	if n != 15 {
		t.Errorf("%d of 300 hang", n)
	}
	for seq := range int64(1000) {
		want := int64(0)
		for i := range 300 {
			if _, ok := p.slot(seq, i); ok && !p.hangs(i) {
				want++
			}
		}
		if got := p.due(seq); got != want {
			t.Fatalf("event %d: %d deliveries due, want %d", seq, got, want)
		}
	}
}

func TestEveryURLIsASlotOfItsApplication(t *testing.T) {
	t.Parallel()
	p := mustPlan(t, plan{Apps: 4, Endpoints: 3, Batch: 1, Spread: true, Seed: 7})
	urls := p.urls("host:1")
	for seq := range int64(40) {
		for app, list := range urls {
			for place, u := range list {
				number, err := strconv.Atoi(strings.TrimPrefix(u, "http://host:1"+hookPath))
				slot, ok := p.slot(seq, number)
				if err != nil || ok != (app == p.app(seq)) || slot != place {
					t.Fatalf("event %d at %s: slot %d, %v", seq, u, slot, ok)
				}
			}
		}
	}
	for _, foreign := range []int{-1, 12, 1 << 40} {
		if _, ok := p.slot(0, foreign); ok {
			t.Errorf("endpoint %d does not exist", foreign)
		}
	}
}

func TestAPlanNeedsAtLeastOneOfEach(t *testing.T) {
	t.Parallel()
	for _, p := range []plan{{Apps: 0, Endpoints: 1, Batch: 1}, {Apps: 1, Endpoints: 0, Batch: 1}, {Apps: 1, Endpoints: 1, Batch: 0}} {
		if _, err := newPlan(p); err == nil {
			t.Errorf("%+v was taken", p)
		}
	}
}
