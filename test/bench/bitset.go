package main

import "math/bits"

// bitset is a set of small numbers that grows as they come. A run notes
// millions of events; a bit each keeps the generator out of its own figures.
type bitset []uint64

func (b bitset) has(i int64) bool {
	return i>>6 < int64(len(b)) && b[i>>6]&(1<<(i&63)) != 0
}

// add reports whether i is new in the set.
func (b *bitset) add(i int64) bool {
	if b.has(i) {
		return false
	}
	for i>>6 >= int64(len(*b)) {
		*b = append(*b, 0)
	}
	(*b)[i>>6] |= 1 << (i & 63)
	return true
}

// countBoth counts the members that b and c share.
func (b bitset) countBoth(c bitset) int64 {
	var n int
	for i := range min(len(b), len(c)) {
		n += bits.OnesCount64(b[i] & c[i])
	}
	return int64(n)
}
