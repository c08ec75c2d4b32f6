package main

import (
	"fmt"
	"math"
	"slices"
)

// result is one line of output: one run.
type result struct {
	Target     string             `json:"target"`
	Label      string             `json:"label,omitempty"`
	Mode       string             `json:"mode"`
	Apps       int                `json:"apps"`
	Endpoints  int                `json:"endpoints"`
	Hanging    int                `json:"hanging_endpoints"`
	Batch      int                `json:"batch"`
	Payload    int                `json:"payload"`
	SetUpS     float64            `json:"set_up_s"`
	LoadS      float64            `json:"load_s"`
	Sent       int64              `json:"sent"`
	Accepted   int64              `json:"accepted"`
	Rejected   int64              `json:"rejected"`
	AcceptedPS float64            `json:"accepted_per_s"`
	Expected   int64              `json:"expected_deliveries"`
	Delivered  int64              `json:"delivered"`
	DeliverPS  float64            `json:"deliveries_per_s"`
	FirstMS    float64            `json:"first_delivery_ms"`
	DrainS     float64            `json:"drain_s"`
	AcceptP50  float64            `json:"accept_p50_ms"`
	AcceptP99  float64            `json:"accept_p99_ms"`
	E2EP50     float64            `json:"e2e_p50_ms"` // endpoints that answer
	E2EP99     float64            `json:"e2e_p99_ms"`
	E2EMax     float64            `json:"e2e_max_ms"`
	HungFirst  int                `json:"hanging_first_attempts"`
	HungP50    float64            `json:"hanging_first_attempt_p50_ms"`
	HungP99    float64            `json:"hanging_first_attempt_p99_ms"`
	LagP99     float64            `json:"generator_lag_p99_ms"`
	Lost       int64              `json:"lost"`
	Duplicates int64              `json:"duplicates"`
	Unaccepted int64              `json:"delivered_but_not_acknowledged"`
	Misrouted  int64              `json:"misrouted"`
	Refused    int64              `json:"refused_by_sink"`
	Unsigned   int64              `json:"unsigned"`
	CPU        map[string]float64 `json:"cpu_s"`
	CPUPer1k   float64            `json:"cpu_s_per_1000_deliveries"`
	Noise      map[string]float64 `json:"noise_cpu_s"`
	RSS        map[string]float64 `json:"peak_rss_mib"`
	FileStart  float64            `json:"file_start_mib,omitempty"`
	FileEnd    float64            `json:"file_end_mib,omitempty"`
	StartMS    float64            `json:"start_ms,omitempty"`
	IdleRSS    float64            `json:"idle_rss_mib,omitempty"`
	FirstError string             `json:"first_error,omitempty"`
	Headers    []string           `json:"delivery_headers,omitempty"`
}

// result sums up the run when it is over.
func (r *run) result() result {
	out := result{
		Target: r.opt.target, Label: r.opt.label, Mode: r.mode(),
		Apps: r.plan.Apps, Endpoints: r.plan.Endpoints, Batch: r.plan.Batch, Payload: r.opt.size,
		SetUpS:    round(r.setUpS, 2),
		FileStart: mib(r.fileStart), FileEnd: mib(r.fileEnd),
	}
	for _, h := range r.plan.hanging {
		if h {
			out.Hanging++
		}
	}
	if r.server != nil {
		out.StartMS = round(r.server.ready.Seconds()*1000, 1)
	}
	out.CPU, out.RSS, out.Noise = r.watch.done()
	r.addAccepts(&out)
	if r.opt.phase != phasePreload {
		r.addDeliveries(&out)
	}
	if h := r.sink.sample.Load(); r.opt.showHeaders && h != nil {
		for k := range *h {
			out.Headers = append(out.Headers, k)
		}
		slices.Sort(out.Headers)
	}
	return out
}

func (r *run) mode() string {
	switch {
	case r.opt.phase == phaseDrain:
		return "drain"
	case r.opt.rate > 0:
		return fmt.Sprintf("open %g/s", r.opt.rate)
	default:
		return fmt.Sprintf("closed c=%d", r.opt.conns)
	}
}

// addAccepts fills in what the generator saw.
func (r *run) addAccepts(out *result) {
	l := r.load
	l.mu.Lock()
	defer l.mu.Unlock()
	slices.Sort(l.latency)
	slices.Sort(l.lag)
	loadS := float64(r.sendEnd-r.start) / 1e9
	out.LoadS = round(loadS, 2)
	out.Sent, out.Accepted, out.Rejected = l.sent.Load(), l.accepted, l.rejected.Load()
	out.AcceptedPS = perSecond(l.accepted-r.warmedIn, loadS)
	out.AcceptP50, out.AcceptP99 = ms(quantile(l.latency, .5)), ms(quantile(l.latency, .99))
	out.LagP99 = ms(quantile(l.lag, .99))
	out.Expected = l.due
	out.FirstError = l.firstError
}

// addDeliveries fills in what the sink saw.
func (r *run) addDeliveries(out *result) {
	s := r.sink
	acked, _, want := r.load.progress()
	if r.opt.phase == phaseDrain {
		acked, want = r.state.Acked, r.state.Due
	}
	got, distinct := s.matched(acked), s.distinct()
	first, last := s.first.Load(), s.last.Load()
	healthy, hanging, duplicates := s.latencies()
	slices.Sort(healthy)
	slices.Sort(hanging)
	begin := r.start
	if r.opt.phase == phaseDrain {
		begin = first // the start of the process is told apart, in FirstMS
	}
	out.Expected, out.Delivered = want, got
	out.DeliverPS = perSecond(distinct-r.warmed, float64(last-begin)/1e9)
	out.DrainS = round(max(float64(last-r.sendEnd)/1e9, 0), 2)
	if first > 0 && r.warmed == 0 {
		out.FirstMS = ms(first - r.start)
	}
	out.E2EP50, out.E2EP99, out.E2EMax = ms(quantile(healthy, .5)), ms(quantile(healthy, .99)), ms(quantile(healthy, 1))
	out.HungFirst, out.HungP50, out.HungP99 = len(hanging), ms(quantile(hanging, .5)), ms(quantile(hanging, .99))
	out.Lost, out.Duplicates, out.Unaccepted = want-got, duplicates, distinct-got
	out.Misrouted, out.Refused, out.Unsigned = s.misrouted.Load(), s.refused.Load(), s.unsigned.Load()
	var cpu float64
	for _, c := range out.CPU {
		cpu += c
	}
	if distinct > 0 {
		out.CPUPer1k = round(cpu*1000/float64(distinct), 3)
	}
}

func perSecond(n int64, seconds float64) float64 {
	if n <= 0 {
		return 0
	}
	return round(float64(n)/max(seconds, 0.001), 1)
}

// quantile is of a sorted list, by nearest rank.
func quantile(sorted []int64, q float64) int64 {
	if len(sorted) == 0 {
		return 0
	}
	i := int(math.Ceil(q*float64(len(sorted)))) - 1
	return sorted[min(max(i, 0), len(sorted)-1)]
}

func ms(ns int64) float64 { return round(float64(ns)/1e6, 2) }

func mib(size int64) float64 { return round(float64(size)/(1<<20), 1) }

func round(x float64, digits int) float64 {
	p := math.Pow(10, float64(digits))
	return math.Round(x*p) / p
}
