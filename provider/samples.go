package provider

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Sample is a made-up event as a provider sends it, for tests and trials. Its people,
// shops and numbers do not exist.
type Sample struct {
	Provider string // as in Provider.Name
	// Type is what the provider calls the kind of event. For providers that name
	// none it says what the sample is.
	Type   string
	Method string
	// Header has what the provider sends beside the content type and the proof.
	Header      http.Header
	ContentType string
	// Body is the raw bytes, with an id and times of SampleTime.
	Body []byte

	// template is what Body and Header are made of, with places for the id and times.
	template sampleFile
}

// SampleTime is when the bodies of Samples happened.
var SampleTime = time.Date(2026, time.January, 15, 9, 30, 0, 0, time.UTC)

// sampleFile is a file of the samples. In texts {id}, {unix}, {ms} and {time} stand for
// the id and the time; a whole text of "#id", "#unix" or "#ms" stands for the number.
type sampleFile struct {
	Type string `json:"type"`
	// ID is the form of the event's id: {hexN}, {digitsN} and {uuid} are places for
	// fresh characters.
	ID          string            `json:"id"`
	Method      string            `json:"method"`
	ContentType string            `json:"contentType"`
	Header      map[string]string `json:"header"`
	Pretty      bool              `json:"pretty"` // the provider sends it in lines
	Body        json.RawMessage   `json:"body"`
	Text        string            `json:"text"` // a body that is no JSON
}

//go:embed samples
var sampleFiles embed.FS

var loadSamples = sync.OnceValue(func() []Sample {
	var all []Sample
	// The files are part of the program: one that cannot be read is a fault of it.
	err := fs.WalkDir(sampleFiles, "samples", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		sample, err := readSample(name)
		all = append(all, sample)
		return err
	})
	if err != nil {
		panic(err)
	}
	slices.SortFunc(all, func(a, b Sample) int { return strings.Compare(a.Name(), b.Name()) })
	return all
})

func readSample(name string) (Sample, error) {
	raw, err := sampleFiles.ReadFile(name)
	if err != nil {
		return Sample{}, err
	}
	var file sampleFile
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&file); err != nil {
		return Sample{}, fmt.Errorf("sample %s: %w", name, err)
	}
	if file.Method == "" {
		file.Method = http.MethodPost
	}
	if file.ContentType == "" {
		file.ContentType = "application/json"
	}
	if file.Text, err = bodyText(&file); err != nil {
		return Sample{}, fmt.Errorf("sample %s: %w", name, err)
	}
	s := Sample{Provider: path.Base(path.Dir(name)), Type: file.Type, Method: file.Method, ContentType: file.ContentType, template: file}
	s.Header, s.Body = s.fill(s.ID(SampleTime), SampleTime)
	return s, nil
}

// bodyText is the body as the provider writes it: in one line, or in lines with two blanks.
func bodyText(file *sampleFile) (string, error) {
	if file.Body == nil {
		return file.Text, nil
	}
	var text bytes.Buffer
	var err error
	if file.Pretty {
		err = json.Indent(&text, file.Body, "", "  ")
	} else {
		err = json.Compact(&text, file.Body)
	}
	return text.String(), err
}

// Samples gives all samples in the order of their names; every provider has one. They are
// shared: change none of them.
func Samples() []Sample { return slices.Clone(loadSamples()) }

// FindSample gives the sample of that name, "stripe/checkout.session.completed".
func FindSample(name string) (Sample, bool) {
	all := loadSamples()
	i, ok := slices.BinarySearchFunc(all, name, func(s Sample, n string) int { return strings.Compare(s.Name(), n) })
	if !ok {
		return Sample{}, false
	}
	return all[i], true
}

// Name is the provider and the type.
func (s Sample) Name() string { return s.Provider + "/" + s.Type }

// ID makes an id in the form that the provider gives its events. The same sample and time
// give the same id.
func (s Sample) ID(now time.Time) string {
	form := s.template.ID
	if form == "" {
		form = "evt_{hex24}"
	}
	sum := sha256.Sum256([]byte(s.Name() + "\x00" + now.UTC().Format(time.RFC3339Nano)))
	digits := hex.EncodeToString(sum[:])
	var id strings.Builder
	for form != "" {
		before, rest, found := strings.Cut(form, "{")
		id.WriteString(before)
		if !found {
			break
		}
		place, after, _ := strings.Cut(rest, "}")
		id.WriteString(freshPlace(place, digits))
		form = after
	}
	return id.String()
}

// freshPlace fills one place of an id with characters made of hex digits.
func freshPlace(place, digits string) string {
	if place == "uuid" {
		return strings.Join([]string{digits[:8], digits[8:12], "4" + digits[13:16], "a" + digits[17:20], digits[20:32]}, "-")
	}
	if n, err := strconv.Atoi(strings.TrimPrefix(place, "hex")); err == nil && n <= len(digits) {
		return digits[:n]
	}
	n, err := strconv.Atoi(strings.TrimPrefix(place, "digits"))
	if err != nil || n > len(digits) {
		return ""
	}
	return decimal(digits)[:n]
}

// decimal turns each hex digit into one of 1 to 9, so that the number begins with no zero.
func decimal(digits string) string {
	return strings.Map(func(r rune) rune {
		n, _ := strconv.ParseInt(string(r), 16, 64) // they are hex digits
		return rune('1' + n%9)
	}, digits)
}

// Request makes the sample happen now: with the id, one of its own if that is empty, and
// with fresh times. It is not signed yet, see Verifier.Sign. address is the receiver's URL.
func (s Sample) Request(address, id string, now time.Time) Request {
	if id == "" {
		id = s.ID(now)
	}
	header, body := s.fill(id, now)
	header.Set("Content-Type", s.ContentType)
	return Request{Method: s.Method, URL: address, Header: header, Body: body}
}

// fill puts id and time in their places.
func (s Sample) fill(id string, now time.Time) (http.Header, []byte) {
	plain := strings.NewReplacer(
		"{id}", id, "{unix}", strconv.FormatInt(now.Unix(), 10), "{ms}", strconv.FormatInt(now.UnixMilli(), 10),
		"{time}", now.UTC().Format(time.RFC3339))
	header := http.Header{}
	for name, value := range s.template.Header {
		header.Set(name, plain.Replace(value))
	}
	if s.template.Body == nil {
		if strings.HasPrefix(s.ContentType, "application/x-www-form-urlencoded") {
			plain = strings.NewReplacer("{id}", url.QueryEscape(id))
		}
		return header, []byte(plain.Replace(s.template.Text))
	}
	escaped, _ := json.Marshal(id) // a text always marshals
	inJSON := strings.NewReplacer(
		`"#id"`, numberOf(id), `"#unix"`, strconv.FormatInt(now.Unix(), 10), `"#ms"`, strconv.FormatInt(now.UnixMilli(), 10),
		"{id}", string(escaped[1:len(escaped)-1]), "{unix}", strconv.FormatInt(now.Unix(), 10), "{ms}", strconv.FormatInt(now.UnixMilli(), 10),
		"{time}", now.UTC().Format(time.RFC3339))
	return header, []byte(inJSON.Replace(s.template.Text))
}

// numberOf is the id as a number, or a number made of it.
func numberOf(id string) string {
	if n, err := strconv.ParseUint(id, 10, 63); err == nil && strconv.FormatUint(n, 10) == id {
		return id
	}
	sum := sha256.Sum256([]byte(id))
	return decimal(hex.EncodeToString(sum[:6]))
}
