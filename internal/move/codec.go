package move

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/grapnelhq/grapnel/internal/hook"
)

// kindsByWord finds a kind by the word that begins its lines.
var kindsByWord = func() map[string]hook.RecordKind {
	kinds := make(map[string]hook.RecordKind, len(hook.RecordKinds))
	for _, k := range hook.RecordKinds {
		kinds[k.String()] = k
	}
	return kinds
}()

// configOf gives the configuration number of a record of a kind that has one,
// else nil. It stands behind the value, because no checksum may have it.
func configOf(rec hook.Record) *int64 {
	switch rec := rec.(type) {
	case *hook.ApplicationRecord:
		return &rec.Config
	case *hook.RevisionRecord:
		return &rec.Config
	case *hook.MessageRecord:
		return &rec.Config
	}
	return nil
}

// appendLine appends the line of a record, without its end, and gives how much
// of it the checksum of its kind is about. Text that is not valid UTF-8 is mended
// with U+FFFD, as JSON asks for.
func appendLine(dst []byte, rec hook.Record) (line []byte, summed int, err error) {
	value, err := json.Marshal(rec)
	if err != nil {
		return dst, 0, fmt.Errorf("write a record of kind %s: %w", rec.RecordKind(), err)
	}
	before := len(dst)
	dst = append(append(append(dst, `["`...), rec.RecordKind().String()...), `",`...)
	dst = append(dst, value...)
	summed = len(dst) - before
	if config := configOf(rec); config != nil {
		dst = strconv.AppendInt(append(dst, ','), *config, 10)
	}
	return append(dst, ']'), summed, nil
}

// parseLine reads what appendLine wrote. It takes nothing that it does not know,
// because it would be lost.
func parseLine(line []byte) (rec hook.Record, summed int, err error) {
	rest, opened := bytes.CutPrefix(line, []byte(`["`))
	rest, closed := bytes.CutSuffix(rest, []byte("]"))
	word, value, parted := bytes.Cut(rest, []byte(`",`))
	if !opened || !closed || !parted {
		return nil, 0, fmt.Errorf("it is no record")
	}
	kind, known := kindsByWord[string(word)]
	if !known {
		return nil, 0, fmt.Errorf("it is of an unknown kind")
	}
	rec = hook.NewRecord(kind)
	if config := configOf(rec); config != nil {
		comma := bytes.LastIndexByte(value, ',')
		if comma < 0 {
			return nil, 0, fmt.Errorf("it lacks its configuration number")
		}
		if *config, err = strconv.ParseInt(string(value[comma+1:]), 10, 64); err != nil {
			return nil, 0, fmt.Errorf("its configuration number: %w", err)
		}
		value = value[:comma]
	}
	if err := parseStrictly(value, rec); err != nil {
		return nil, 0, err
	}
	return rec, len(`["`) + len(word) + len(`",`) + len(value), check(rec)
}

// parseStrictly reads one JSON value with known members only.
func parseStrictly(text []byte, into any) error {
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.DisallowUnknownFields()
	if err := dec.Decode(into); err != nil {
		return err
	}
	if dec.InputOffset() != int64(len(text)) {
		return fmt.Errorf("there is more than one value")
	}
	return nil
}
