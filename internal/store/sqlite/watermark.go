package sqlite

// watermark knows the first message that may have a delivery which was leased
// at accept and is not settled yet. Such deliveries are in no index (that would
// cost two index writes per event), so after a crash they are looked for from
// this message on.
//
// Invariant: every delivery with due NULL and a node belongs to a message whose
// seq is at least meta.open_from on disk, because the value is written in the
// transaction that stores the lease.
type watermark struct {
	first int64   // seq of open[0]
	open  []int32 // leases open per message, from first on
	// floor is the mark of the process before, until its leases are free; then 0.
	floor int64
	// uncommitted changes of the running group, to be taken back if it fails
	added, ended []int64
	lifted       int64 // the floor before the group
}

func newWatermark(floor, next int64) *watermark { return &watermark{first: next, floor: floor} }

// lease counts one more open lease of a message, which is newer than the mark.
func (m *watermark) lease(seq int64) {
	for int64(len(m.open)) <= seq-m.first {
		m.open = append(m.open, 0)
	}
	m.open[seq-m.first]++
	m.added = append(m.added, seq)
}

// end counts one less; a message below the mark has none.
func (m *watermark) end(seq int64) {
	if i := seq - m.first; i >= 0 && i < int64(len(m.open)) && m.open[i] > 0 {
		m.open[i]--
		m.ended = append(m.ended, seq)
	}
}

// free takes out all leases, those of the process before too: they have ended.
func (m *watermark) free() {
	if m.floor != 0 {
		m.lifted, m.floor = m.floor, 0
	}
	for i, n := range m.open {
		for range n {
			m.end(m.first + int64(i))
		}
	}
}

// value is the mark to store; next is the seq that the next message will get.
// Messages without open leases at the front are forgotten by committed.
func (m *watermark) value(next int64) int64 {
	if m.floor != 0 {
		return m.floor
	}
	for i, n := range m.open {
		if n > 0 {
			return m.first + int64(i)
		}
	}
	return next
}

// committed makes the group's changes final.
func (m *watermark) committed(mark int64) {
	m.added, m.ended, m.lifted = m.added[:0], m.ended[:0], 0
	if m.floor != 0 {
		return
	}
	drop := min(max(mark-m.first, 0), int64(len(m.open)))
	m.open = m.open[drop:]
	m.first = mark
	if len(m.open) == 0 {
		m.open = nil // let the array go
	}
}

// reset takes the group's changes back.
func (m *watermark) reset() {
	for _, seq := range m.added {
		m.open[seq-m.first]--
	}
	for _, seq := range m.ended {
		m.open[seq-m.first]++
	}
	m.added, m.ended = m.added[:0], m.ended[:0]
	if m.lifted != 0 {
		m.floor, m.lifted = m.lifted, 0
	}
}
