package search

import (
	"strconv"
	"strings"
)

// decimal is a JSON number, exact however many digits it has: 0.digits × 10^exp. Zero has
// no digits. Big numbers of the standard library would write out a hostile exponent.
type decimal struct {
	negative bool
	digits   string // without zeros at either end
	exp      int64
}

// parseDecimal reads a number as JSON writes it.
func parseDecimal(text string) (decimal, bool) {
	var d decimal
	rest := text
	if rest, d.negative = strings.CutPrefix(rest, "-"); rest == "" {
		return decimal{}, false
	}
	mantissa, exp := rest, int64(0)
	if i := strings.IndexAny(rest, "eE"); i >= 0 {
		mantissa = rest[:i]
		var ok bool
		if exp, ok = exponent(rest[i+1:]); !ok {
			return decimal{}, false
		}
	}
	whole, fraction, dotted := strings.Cut(mantissa, ".")
	if whole == "" || dotted && fraction == "" || !isDigits(whole) || !isDigits(fraction) || len(whole) > 1 && whole[0] == '0' {
		return decimal{}, false
	}
	all := whole + fraction
	digits := strings.TrimLeft(all, "0")
	d.exp = exp + int64(len(whole)) - int64(len(all)-len(digits))
	if d.digits = strings.TrimRight(digits, "0"); d.digits == "" {
		return decimal{}, true
	}
	return d, true
}

// exponent reads what follows the e. One that is too large for any use is cut to a
// bound, which keeps the order of all others.
func exponent(text string) (int64, bool) {
	sign := int64(1)
	if text != "" && (text[0] == '+' || text[0] == '-') {
		if text[0] == '-' {
			sign = -1
		}
		text = text[1:]
	}
	if text == "" || !isDigits(text) {
		return 0, false
	}
	const bound = 1 << 60
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n > bound {
		n = bound
	}
	return sign * n, true
}

func isDigits(text string) bool { return strings.Trim(text, "0123456789") == "" }

// compare gives -1, 0 or 1.
func (d decimal) compare(o decimal) int {
	if a, b := d.sign(), o.sign(); a != b || a == 0 {
		return min(max(a-b, -1), 1)
	}
	c := 0
	switch {
	case d.exp < o.exp:
		c = -1
	case d.exp > o.exp:
		c = 1
	default:
		c = strings.Compare(d.digits, o.digits)
	}
	return c * d.sign()
}

func (d decimal) sign() int {
	switch {
	case d.digits == "":
		return 0
	case d.negative:
		return -1
	}
	return 1
}
