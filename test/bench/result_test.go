package main

import "testing"

// arrived is a run whose sink got n deliveries between first and last.
func arrived(p phase, n, first, last int64) *run {
	pl := plan{Apps: 1, Endpoints: 1, Batch: 1}
	r := &run{opt: options{phase: p}, plan: pl, sink: newSink(pl, "r", 0, 0), load: &loader{plan: pl}, start: 1e9, sendEnd: 1e9}
	for seq := range n {
		r.sink.slots[0].record(seq, 1, 0)
		r.state.Acked.add(seq)
		r.load.acked.add(seq)
	}
	r.sink.first.Store(first)
	r.sink.last.Store(last)
	r.state.Due, r.load.due = n, n
	return r
}

func TestADrainIsCountedFromItsFirstDelivery(t *testing.T) {
	t.Parallel()
	var got result
	arrived(phaseDrain, 100, 3e9, 5e9).addDeliveries(&got)
	if got.DeliverPS != 50 || got.FirstMS != 2000 || got.DrainS != 4 || got.Lost != 0 {
		t.Errorf("%+v", got)
	}
}

func TestALoadIsCountedFromItsFirstPost(t *testing.T) {
	t.Parallel()
	var got result
	arrived(phaseAll, 100, 3e9, 5e9).addDeliveries(&got)
	if got.DeliverPS != 25 {
		t.Errorf("%+v", got)
	}
}

func TestTheWarmUpIsNotCounted(t *testing.T) {
	t.Parallel()
	r := arrived(phaseAll, 100, 0, 5e9)
	r.warmed = 60
	var got result
	r.addDeliveries(&got)
	if got.DeliverPS != 10 || got.Delivered != 100 || got.FirstMS != 0 {
		t.Errorf("%+v", got)
	}
}

func TestWhatIsNotAcknowledgedIsNeitherLostNorMatched(t *testing.T) {
	t.Parallel()
	r := arrived(phaseAll, 100, 3e9, 5e9)
	r.load.acked = nil
	r.load.acked.add(0)
	r.load.acked.add(200) // acknowledged, never delivered
	r.load.due = 2
	var got result
	r.addDeliveries(&got)
	if got.Delivered != 1 || got.Lost != 1 || got.Unaccepted != 99 {
		t.Errorf("%+v", got)
	}
}
