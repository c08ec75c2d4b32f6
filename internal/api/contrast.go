package api

import (
	"math"
	"strconv"
)

// The grounds of the portal's two colour schemes, and the least contrast of text on
// them (WCAG 2.2, 1.4.3).
const (
	paperLight  = "#f7f9fa"
	paperDark   = "#0b1218"
	minContrast = 4.5
)

// rgb is a colour, its parts from 0 to 255.
type rgb [3]uint8

// parseColor reads #rrggbb.
func parseColor(text string) (rgb, bool) {
	if len(text) != 7 || text[0] != '#' {
		return rgb{}, false
	}
	n, err := strconv.ParseUint(text[1:], 16, 32)
	return rgb{uint8(n >> 16), uint8(n >> 8), uint8(n)}, err == nil
}

const hexDigits = "0123456789abcdef"

func (c rgb) String() string {
	out := []byte("#")
	for _, part := range c {
		out = append(out, hexDigits[part>>4], hexDigits[part&15])
	}
	return string(out)
}

// luminance is the relative luminance of WCAG 2.2.
func (c rgb) luminance() float64 {
	var linear [3]float64
	for i, part := range c {
		v := float64(part) / 255
		if v <= 0.04045 {
			linear[i] = v / 12.92
		} else {
			linear[i] = math.Pow((v+0.055)/1.055, 2.4)
		}
	}
	return 0.2126*linear[0] + 0.7152*linear[1] + 0.0722*linear[2]
}

// contrast is the ratio of WCAG 2.2, from 1 to 21.
func contrast(a, b rgb) float64 {
	light, dark := a.luminance(), b.luminance()
	if light < dark {
		light, dark = dark, light
	}
	return (light + 0.05) / (dark + 0.05)
}

// onColor is the colour of text on c: black or white, of which one always has
// contrast enough.
func onColor(c rgb) string {
	if white := (rgb{255, 255, 255}); contrast(white, c) >= minContrast {
		return white.String()
	}
	return rgb{}.String()
}

// lightened mixes white into c until it can be read on the dark ground.
func lightened(c rgb) rgb {
	ground, _ := parseColor(paperDark)
	const steps = 64
	for i := range steps {
		mixed := c
		for j := range mixed {
			mixed[j] += uint8(int(255-mixed[j]) * i / steps)
		}
		if contrast(mixed, ground) >= minContrast {
			return mixed
		}
	}
	return rgb{255, 255, 255}
}
