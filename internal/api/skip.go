package api

import (
	"encoding/binary"
	"math/bits"
)

// The skip functions work on positions of JSON text: from where something starts
// to the byte after it. A negative result is ^position of the fault, or tooDeep.
const tooDeep = -1 << 62

// skipSpace gives the position of the next byte that is no white space; the length
// of the input if there is none.
func skipSpace(d []byte, i int) int {
	for i < len(d) && (d[i] == ' ' || d[i] == '\n' || d[i] == '\r' || d[i] == '\t') {
		i++
	}
	return i
}

// skipValue skips the value that starts at i, where no white space is.
func skipValue(d []byte, i, depth int) int {
	if i >= len(d) {
		return ^i
	}
	switch d[i] {
	case '"':
		return skipString(d, i)
	case '{':
		return skipObject(d, i, depth)
	case '[':
		return skipArray(d, i, depth)
	case 't':
		return skipWord(d, i, "true")
	case 'f':
		return skipWord(d, i, "false")
	case 'n':
		return skipWord(d, i, "null")
	}
	return skipNumber(d, i)
}

func skipObject(d []byte, i, depth int) int {
	if depth >= maxDepth {
		return tooDeep
	}
	if i = skipSpace(d, i+1); i < len(d) && d[i] == '}' {
		return i + 1
	}
	for {
		if i >= len(d) || d[i] != '"' {
			return ^i
		}
		if i = skipString(d, i); i < 0 {
			return i
		}
		if i = skipSpace(d, i); i >= len(d) || d[i] != ':' {
			return ^i
		}
		if i = skipValue(d, skipSpace(d, i+1), depth+1); i < 0 {
			return i
		}
		if i = skipSpace(d, i); i >= len(d) || d[i] != ',' {
			return closed(d, i, '}')
		}
		i = skipSpace(d, i+1)
	}
}

func skipArray(d []byte, i, depth int) int {
	if depth >= maxDepth {
		return tooDeep
	}
	if i = skipSpace(d, i+1); i < len(d) && d[i] == ']' {
		return i + 1
	}
	for {
		if i = skipValue(d, i, depth+1); i < 0 {
			return i
		}
		if i = skipSpace(d, i); i >= len(d) || d[i] != ',' {
			return closed(d, i, ']')
		}
		i = skipSpace(d, i+1)
	}
}

// closed expects the closing byte at i.
func closed(d []byte, i int, closing byte) int {
	if i < len(d) && d[i] == closing {
		return i + 1
	}
	return ^i
}

const (
	ones  = 0x0101010101010101
	highs = 0x80 * ones
)

// skipString skips the string that starts at i. Eight plain bytes at a time are
// passed over: the mask marks the first quote, backslash or control character.
func skipString(d []byte, i int) int {
	i++
	for {
		for len(d)-i >= 8 {
			x := binary.LittleEndian.Uint64(d[i:])
			mask := ((x - 0x20*ones) | ((x ^ 0x22*ones) - ones) | ((x ^ 0x5c*ones) - ones)) &^ x & highs
			if mask != 0 {
				i += bits.TrailingZeros64(mask) / 8
				break
			}
			i += 8
		}
		if i >= len(d) {
			return ^len(d)
		}
		switch c := d[i]; {
		case c == '"':
			return i + 1
		case c == '\\':
			if i = skipEscape(d, i); i < 0 {
				return i
			}
		case c < ' ':
			return ^i
		default:
			i++
		}
	}
}

// skipEscape skips the escape sequence that starts at i.
func skipEscape(d []byte, i int) int {
	if i+1 >= len(d) {
		return ^len(d)
	}
	switch d[i+1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return i + 2
	case 'u':
		for j := i + 2; j < i+6; j++ {
			if j >= len(d) || !isHex(d[j]) {
				return ^j
			}
		}
		return i + 6
	}
	return ^(i + 1)
}

func isHex(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F'
}

func skipWord(d []byte, i int, w string) int {
	if len(d)-i < len(w) || string(d[i:i+len(w)]) != w {
		return ^i
	}
	return i + len(w)
}

// skipNumber skips a number; what is at i may be anything.
func skipNumber(d []byte, i int) int {
	if i < len(d) && d[i] == '-' {
		i++
	}
	if i < len(d) && d[i] == '0' {
		i++
	} else if i = skipDigits(d, i); i < 0 {
		return i
	}
	if i < len(d) && d[i] == '.' {
		if i = skipDigits(d, i+1); i < 0 {
			return i
		}
	}
	if i < len(d) && d[i]|0x20 == 'e' {
		if i++; i < len(d) && (d[i] == '+' || d[i] == '-') {
			i++
		}
		return skipDigits(d, i)
	}
	return i
}

// skipDigits skips one or more digits.
func skipDigits(d []byte, i int) int {
	start := i
	for i < len(d) && d[i]-'0' <= 9 {
		i++
	}
	if i == start {
		return ^i
	}
	return i
}
