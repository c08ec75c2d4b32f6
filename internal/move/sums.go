package move

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"maps"
	"math/bits"
	"slices"

	"github.com/grapnelhq/grapnel/internal/hook"
	"github.com/grapnelhq/grapnel/internal/seal"
)

// Sum is a count of records and their checksum; see the package comment.
type Sum struct {
	Kind  hook.RecordKind
	Count int64
	sum   [4]uint64 // a number below 2^256, its lowest part first
}

// add counts one record in; text is what the checksum is about.
func (s *Sum) add(text []byte) {
	s.Count++
	hash := sha256.Sum256(text)
	var carry uint64
	for i := range s.sum {
		s.sum[i], carry = bits.Add64(s.sum[i], binary.LittleEndian.Uint64(hash[8*i:]), carry)
	}
}

// Text gives the checksum as 64 hexadecimal digits.
func (s *Sum) Text() string {
	var b [32]byte
	for i, part := range s.sum {
		binary.BigEndian.PutUint64(b[24-8*i:], part)
	}
	return hex.EncodeToString(b[:])
}

// Sums has one Sum for each kind, in the order of hook.RecordKinds.
type Sums []Sum

func newSums() Sums {
	s := make(Sums, len(hook.RecordKinds))
	for i, k := range hook.RecordKinds {
		s[i].Kind = k
	}
	return s
}

// Total is how many records there are of all kinds.
func (s Sums) Total() (n int64) {
	for i := range s {
		n += s[i].Count
	}
	return n
}

// differing gives the first kind in which the two differ, and false if none does.
func (s Sums) differing(other Sums) (hook.RecordKind, bool) {
	for i := range s {
		if s[i] != other[i] {
			return s[i].Kind, true
		}
	}
	return 0, false
}

// meter sums up records as they pass.
type meter struct {
	sums  Sums
	keys  map[string]bool // ids of the master keys that sealed what passed
	line  []byte
	tell  Progress
	total int64
}

// Kind is the kind of a record.
type Kind = hook.RecordKind

// Progress is told after each record how many there were so far, and the kind of
// this one. It must not block.
type Progress func(kind Kind, total int64)

func newMeter(tell Progress) *meter {
	if tell == nil {
		tell = func(hook.RecordKind, int64) {}
	}
	return &meter{sums: newSums(), keys: map[string]bool{}, tell: tell}
}

// count takes a record in and gives its line, which is valid until the next call.
func (m *meter) count(rec hook.Record) ([]byte, error) {
	line, summed, err := appendLine(m.line[:0], rec)
	if err != nil {
		return nil, err
	}
	m.line = line
	m.note(rec)
	m.counted(rec.RecordKind(), line[:summed])
	return line, nil
}

// counted takes a record in whose line is known.
func (m *meter) counted(kind hook.RecordKind, text []byte) {
	m.sums[kind].add(text)
	m.total++
	m.tell(kind, m.total)
}

// note finds the master keys of what is sealed.
func (m *meter) note(rec hook.Record) {
	for _, s := range sealedIn(rec) {
		if id, err := seal.KeyOf(s); err == nil {
			m.keys[id] = true
		}
	}
}

// sealedIn gives the sealed texts of a record.
func sealedIn(rec hook.Record) (sealed [][]byte) {
	var secrets []hook.SecretRecord
	switch r := rec.(type) {
	case *hook.EndpointRecord:
		sealed, secrets = append(sealed, r.SealedHeaders), r.Secrets
	case *hook.SourceRecord:
		secrets = r.Secrets
		for _, t := range r.Tokens {
			sealed = append(sealed, t.Sealed)
		}
	}
	for _, s := range secrets {
		sealed = append(sealed, s.Sealed)
	}
	return sealed
}

func (m *meter) contents() Contents {
	keys := slices.AppendSeq([]string{}, maps.Keys(m.keys))
	slices.Sort(keys)
	return Contents{Sums: m.sums, MasterKeys: keys}
}
