package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"
)

// The forms of -o.
const (
	formatTable = "table"
	formatJSON  = "json"
	formatJSONL = "jsonl"
	formatYAML  = "yaml"
	formatName  = "name"
)

var formats = []string{formatTable, formatJSON, formatJSONL, formatYAML, formatName}

// writeJSON writes one document, indented for people, or in one line.
func writeJSON(w io.Writer, v any, oneLine bool) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	if !oneLine {
		enc.SetIndent("", "  ")
	}
	return enc.Encode(v)
}

// writeYAML writes v with the names and the order of its JSON.
func writeYAML(w io.Writer, v any) error {
	var buf bytes.Buffer
	if err := writeJSON(&buf, v, true); err != nil {
		return err
	}
	var doc yaml.Node // JSON is YAML, and a node keeps the order of its members
	if err := yaml.Unmarshal(buf.Bytes(), &doc); err != nil {
		return fmt.Errorf("as YAML: %w", err)
	}
	plainStyle(&doc)
	text, err := yaml.Dump(&doc)
	if err != nil {
		return fmt.Errorf("as YAML: %w", err)
	}
	_, err = w.Write(text)
	return err
}

// plainStyle takes the braces and quotes of JSON off; what needs quotes in YAML
// gets them back when it is written.
func plainStyle(n *yaml.Node) {
	n.Style = 0
	for _, child := range n.Content {
		plainStyle(child)
	}
}

// table lines columns up with two spaces between them.
type table struct {
	rows [][]string
}

func (t *table) add(cells ...string) { t.rows = append(t.rows, cells) }

// note adds a line that takes no part in the columns.
func (t *table) note(line string) { t.rows = append(t.rows, []string{line}) }

func (t *table) write(w io.Writer, indent string) error {
	var widths []int
	for _, row := range t.rows {
		for i, cell := range row {
			if len(row) == 1 {
				break // a note
			}
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], width(cell))
		}
	}
	var b strings.Builder
	for _, row := range t.rows {
		line := indent
		for i, cell := range row {
			line += cell
			if i < len(row)-1 {
				line += strings.Repeat(" ", widths[i]-width(cell)+2)
			}
		}
		b.WriteString(strings.TrimRight(line, " "))
		b.WriteByte('\n')
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// width counts what is seen of a text: characters, without colour sequences.
func width(text string) int {
	n := utf8.RuneCountInString(text)
	for rest := text; ; {
		_, after, ok := strings.Cut(rest, "\x1b[")
		if !ok {
			return n
		}
		code, tail, _ := strings.Cut(after, "m")
		n -= len("\x1b[") + len(code) + len("m")
		rest = tail
	}
}
