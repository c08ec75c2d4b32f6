package testx

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"
)

// maxDiffs is how many differences one text names.
const maxDiffs = 20

// Diff names the places where got and want differ, one to a line, with the path
// to it; it is empty if they are the same. Times are the same if they are the
// same moment. Nil and empty slices and maps are the same: stores and JSON do
// not keep them apart. Everything else compares as == does, through pointers.
func Diff(got, want any) string {
	d := differ{}
	d.compare("", reflect.ValueOf(got), reflect.ValueOf(want))
	if len(d.found) > maxDiffs {
		d.found = append(d.found[:maxDiffs], fmt.Sprintf("… and %d more", len(d.found)-maxDiffs))
	}
	return strings.Join(d.found, "\n")
}

type differ struct{ found []string }

func (d *differ) note(path, got, want string) {
	if path == "" {
		path = "(all)"
	}
	d.found = append(d.found, fmt.Sprintf("%s:\n  - %s\n  + %s", strings.TrimPrefix(path, "."), got, want))
}

func (d *differ) compare(path string, got, want reflect.Value) {
	if !got.IsValid() || !want.IsValid() {
		if got.IsValid() != want.IsValid() {
			d.note(path, show(got), show(want))
		}
		return
	}
	if got.Type() != want.Type() {
		d.note(path, got.Type().String()+" "+show(got), want.Type().String()+" "+show(want))
		return
	}
	if got.Type() == reflect.TypeFor[time.Time]() {
		d.times(path, got, want)
		return
	}
	switch got.Kind() {
	case reflect.Struct:
		for i := range got.NumField() {
			d.compare(path+"."+got.Type().Field(i).Name, got.Field(i), want.Field(i))
		}
	case reflect.Slice, reflect.Array:
		d.lists(path, got, want)
	case reflect.Map:
		d.maps(path, got, want)
	case reflect.Pointer, reflect.Interface:
		d.behind(path, got, want)
	default:
		if !got.Equal(want) {
			d.note(path, show(got), show(want))
		}
	}
}

func (d *differ) times(path string, got, want reflect.Value) {
	// Fields that are not exported cannot be asked for their value; their text
	// holds the moment as well.
	if got.CanInterface() {
		g, w := got.Interface().(time.Time), want.Interface().(time.Time)
		if !g.Equal(w) {
			d.note(path, g.UTC().Format(time.RFC3339Nano), w.UTC().Format(time.RFC3339Nano))
		}
		return
	}
	if g, w := fmt.Sprint(got), fmt.Sprint(want); g != w {
		d.note(path, g, w)
	}
}

func (d *differ) lists(path string, got, want reflect.Value) {
	if got.Type().Elem().Kind() == reflect.Uint8 {
		if g, w := show(got), show(want); g != w || !slices.Equal(octets(got), octets(want)) {
			d.note(path, g, w)
		}
		return
	}
	if got.Len() != want.Len() {
		d.note(path, fmt.Sprintf("%d: %s", got.Len(), show(got)), fmt.Sprintf("%d: %s", want.Len(), show(want)))
		return
	}
	for i := range got.Len() {
		d.compare(fmt.Sprintf("%s[%d]", path, i), got.Index(i), want.Index(i))
	}
}

func (d *differ) maps(path string, got, want reflect.Value) {
	keys := map[string]reflect.Value{}
	for _, m := range []reflect.Value{got, want} {
		for _, k := range m.MapKeys() {
			keys[show(k)] = k
		}
	}
	for _, name := range slices.Sorted(maps.Keys(keys)) {
		d.compare(path+"["+name+"]", got.MapIndex(keys[name]), want.MapIndex(keys[name]))
	}
}

func (d *differ) behind(path string, got, want reflect.Value) {
	switch {
	case got.IsNil() && want.IsNil():
	case got.IsNil() || want.IsNil():
		d.note(path, show(got), show(want))
	case got.Kind() == reflect.Pointer && got.Pointer() == want.Pointer():
	default:
		d.compare(path, got.Elem(), want.Elem())
	}
}

func octets(v reflect.Value) []byte {
	b := make([]byte, v.Len())
	for i := range b {
		b[i] = byte(v.Index(i).Uint())
	}
	return b
}

// show prints a value for a person: bytes as text, long things cut.
func show(v reflect.Value) string {
	if !v.IsValid() {
		return "(nothing)"
	}
	var s string
	switch k := v.Kind(); {
	case (k == reflect.Slice || k == reflect.Array) && v.Type().Elem().Kind() == reflect.Uint8:
		s = fmt.Sprintf("%q (%d bytes)", octets(v), v.Len())
		if k == reflect.Array {
			s = fmt.Sprintf("%x", octets(v))
		}
	case k == reflect.String:
		s = fmt.Sprintf("%q", v.String())
	default:
		s = fmt.Sprintf("%+v", v)
	}
	const most = 400
	if len(s) > most {
		s = s[:most] + "…"
	}
	return s
}
