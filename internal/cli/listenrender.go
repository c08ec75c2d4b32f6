package cli

import (
	"fmt"
	"net/url"
	"strings"

	tea "charm.land/bubbletea/v2"

	"github.com/grapnelhq/grapnel/apitype"
)

const (
	// wideRow is from how many columns on size and signature have room beside the answer.
	wideRow    = 110
	listKeys   = "enter details  r replay  e edit  d diff  s save  / filter  ? keys  q quit"
	detailKeys = "tab next  ↑ ↓ scroll  r replay  e edit  c curl  s save  esc back"
	pageKeys   = "↑ ↓ scroll  esc back"
)

// screenKeys is the page of ?.
var screenKeys = []string{
	"enter     details: request, response, headers, raw",
	"↑ ↓ j k   move; g first, G last and follow",
	"r         replay: send the request again",
	"R         replay all that failed",
	"e         edit in $EDITOR, then send; signed anew if the secret is known",
	"space     mark; d compares two marked ones",
	"c         copy as curl; y copies the body",
	"s         save as .http, .sh and body",
	"/         filter by type, id, status or text of the body; esc shows all",
	"p         pause: what arrives waits, and is forwarded afterwards",
	"q         quit",
}

// View draws the whole screen.
func (m *screenModel) View() tea.View {
	v := tea.NewView(m.render())
	v.AltScreen = true
	v.WindowTitle = "grapnel listen"
	return v
}

// render gives the lines of the screen.
func (m *screenModel) render() string {
	rule := m.p.quiet(strings.Repeat("─", m.width))
	lines := append(m.head(), rule)
	switch m.pane {
	case paneDetail:
		lines = append(lines, m.page(m.detail())...)
	case paneDiff:
		lines = append(lines, m.page(m.diffText())...)
	case paneKeys:
		lines = append(lines, m.page(screenKeys)...)
	default:
		lines = append(lines, m.list()...)
	}
	lines = append(lines, rule, m.foot())
	return strings.Join(lines, "\n")
}

// head tells the server, the state, the counts, and where each source goes.
func (m *screenModel) head() []string {
	host := m.server
	if u, err := url.Parse(m.server); err == nil {
		host = u.Host
	}
	mark := m.p.wait("●")
	switch m.link.word {
	case "connected":
		mark = m.p.with(32, "●")
	case "lost":
		mark = m.p.with(31, "○")
	}
	state := m.link.text
	if m.paused {
		state += "; paused"
	}
	counts := fmt.Sprintf("fwd %d  fail %d  skipped %d", m.good, m.bad, m.skipped)
	left := fmt.Sprintf(" grapnel listen · %s  %s %s", host, mark, state)
	if width(left)+2+width(counts)+1 > m.width {
		left = fmt.Sprintf(" %s  %s %s", host, mark, state)
	}
	lines := []string{m.cut(m.spread(left, counts+" "))}
	if m.hello == nil {
		return lines
	}
	shown := 0
	for _, s := range m.hello.Sources {
		if shown++; shown > 4 {
			lines = append(lines, fmt.Sprintf(" and %d more", len(m.hello.Sources)-4))
			break
		}
		lines = append(lines, m.cut(" "+printable(nameOfSource(s, s.ID))+"  "+s.IngestURL+m.arrow(s.ID)))
	}
	for _, a := range m.hello.Apps {
		lines = append(lines, m.cut(" "+printable(a.Name)+m.arrow("")))
	}
	if len(m.hello.Sources)+len(m.hello.Apps) == 0 {
		lines = append(lines, " no source yet: grapnel listen --source stripe --create")
	}
	return lines
}

func (m *screenModel) arrow(source string) string {
	targets := m.do.target(source)
	if len(targets) == 0 {
		return "  shown only"
	}
	if targets[0] == "" {
		return " → exec"
	}
	return " → " + strings.Join(targets, ", ")
}

// listHeight is how many lines the middle of the screen has.
func (m *screenModel) listHeight() int { return max(m.height-len(m.head())-3, 1) }

// list draws the rows around the cursor, and fills up with empty lines.
func (m *screenModel) list() []string {
	height, shown := m.listHeight(), m.shown()
	lines := make([]string, 0, height)
	first := max(0, min(m.at-height/2, len(shown)-height))
	for i := first; i < len(shown) && len(lines) < height; i++ {
		lines = append(lines, m.row(&m.rows[shown[i]], i == m.at))
	}
	if len(shown) == 0 {
		text := "  Waiting for the first request."
		if len(m.rows) > 0 {
			text = "  Nothing fits the filter."
		}
		lines = append(lines, m.p.quiet(text))
	}
	return fill(lines, height)
}

func fill(lines []string, height int) []string {
	for len(lines) < height {
		lines = append(lines, "")
	}
	return lines[:height]
}

// row is one line: time, source, type, answer; with room also size and signature.
func (m *screenModel) row(r *screenRow, here bool) string {
	cursor := "   "
	if here {
		cursor = " ▶ "
	}
	if r.marked {
		cursor = cursor[:len(cursor)-1] + "*"
	}
	clock := r.at.Local().Format("15:04:05")
	if r.refused != nil {
		line := m.cut(fmt.Sprintf("%s%s  %-8s  ✕ refused  %s  %d  %s", cursor, clock, short(r.from, 8), r.refused.Reason, r.refused.Status, printable(r.refused.Detail)))
		if here {
			return m.p.strong(line)
		}
		return line
	}
	a := r.a
	verdict := a.verdict
	if a.replayed {
		verdict = "replay"
	}
	line := fmt.Sprintf("%s%s  %-8s  ", cursor, clock, short(a.from, 8))
	if m.width >= wideRow {
		line += fmt.Sprintf("%-32s  %9s  %-11s  ", short(a.EventType, 32), sizeText(int64(len(a.Body))), verdict)
	} else {
		line += fmt.Sprintf("%-22s  ", short(a.EventType, 22))
	}
	line += m.answers(r)
	line = m.cut(line)
	if here {
		return m.p.strong(line)
	}
	return line
}

// answers tells what the targets said.
func (m *screenModel) answers(r *screenRow) string {
	if len(r.outcomes) == 0 {
		if len(m.do.target(r.a.Source)) == 0 {
			return "shown"
		}
		return "…"
	}
	parts := make([]string, 0, len(r.outcomes))
	for _, o := range r.outcomes {
		mark := "✓ "
		if !o.ok() {
			mark = "✕ "
		}
		parts = append(parts, strings.TrimSpace(mark+o.word()+"  "+milliseconds(o.took.Milliseconds())+"  "+printable(o.says())))
	}
	return strings.Join(parts, "  ")
}

// detail gives the text of the tab.
func (m *screenModel) detail() []string {
	r := m.current()
	if r == nil {
		return nil
	}
	tabs := make([]string, len(detailTabs))
	for i, name := range detailTabs {
		if tabs[i] = " " + name + " "; i == m.tab {
			tabs[i] = m.p.strong("[" + name + "]")
		}
	}
	if r.refused != nil {
		return m.refusal(r.refused)
	}
	lines := []string{strings.Join(tabs, " "), ""}
	switch detailTabs[m.tab] {
	case "Request":
		lines = append(lines, "id        "+r.a.ID, "type      "+printable(r.a.EventType), "event id  "+printable(r.a.EventID), "signature "+strings.TrimPrefix(r.a.verdict, "sig "), "")
		lines = append(lines, prettyBody(r.a.Body)...)
	case "Response":
		for _, o := range r.outcomes {
			lines = append(lines, printable(o.target), o.word()+"  "+milliseconds(o.took.Milliseconds())+"  "+printable(o.says()), "")
			for _, h := range sortedHeaders(o.header) {
				lines = append(lines, printable(h[0]+": "+h[1]))
			}
			lines = append(append(lines, ""), prettyBody(o.body)...)
		}
	case "Headers":
		for _, h := range r.a.Headers {
			lines = append(lines, printable(h[0]+": "+h[1]))
		}
		for _, o := range r.outcomes {
			if len(o.dropped) > 0 {
				lines = append(lines, "", "not passed on, for they are of one connection only: "+strings.Join(o.dropped, ", "))
				break
			}
		}
	case "Raw":
		lines = append(lines, "The bytes of the body are as they came. Names of headers are in the usual", "spelling and order, for the original ones are not kept; no signature needs them.", "")
		lines = append(lines, printableLines(string(httpFile(r.a, "http://localhost/")))...)
	}
	return lines
}

// refusal is the page of a refused request: why it was, in full, for that is what is
// looked for, and where its headers and body are.
func (m *screenModel) refusal(r *apitype.ListenRefused) []string {
	lines := []string{m.p.strong("refused") + "  " + printable(r.Reason) + fmt.Sprintf("  answered %d", r.Status), ""}
	lines = append(lines, wrapped(printable(r.Detail), m.width-2)...)
	for _, f := range r.Findings {
		lines = append(append(lines, ""), wrapped("○ "+printable(f), m.width-2)...)
	}
	return append(lines, "", "Its headers and body are kept:", "grapnel requests show "+r.ID)
}

// wrapped breaks a text between words into lines of at most n columns; a longer word has
// a line of its own.
func wrapped(text string, n int) []string {
	var lines []string
	line := ""
	for word := range strings.FieldsSeq(text) {
		if line != "" && width(line)+1+width(word) > n {
			lines, line = append(lines, line), ""
		}
		if line != "" {
			line += " "
		}
		line += word
	}
	return append(lines, line)
}

func (m *screenModel) diffText() []string {
	var marked []*arrival
	for i := range m.rows {
		if m.rows[i].marked && m.rows[i].a != nil {
			marked = append(marked, m.rows[i].a)
		}
	}
	if len(marked) != 2 {
		return nil
	}
	lines := diffLines(describe(marked[0]), describe(marked[1]))
	for i, line := range lines {
		switch line[0] {
		case '-':
			lines[i] = m.p.with(31, line)
		case '+':
			lines[i] = m.p.with(32, line)
		}
	}
	return append([]string{"- " + marked[0].ID, "+ " + marked[1].ID, ""}, lines...)
}

// page cuts a text to what the scrolling shows.
func (m *screenModel) page(lines []string) []string {
	height := m.listHeight()
	m.scroll = min(m.scroll, max(len(lines)-height, 0))
	shown := lines[m.scroll:min(len(lines), m.scroll+height)]
	cut := make([]string, 0, height)
	for _, line := range shown {
		cut = append(cut, m.cut(" "+line))
	}
	return fill(cut, height)
}

// foot is the line of keys, or what there is to say.
func (m *screenModel) foot() string {
	switch {
	case m.filtering:
		return m.cut(" / " + m.filter + "▏  enter keeps it, esc shows all")
	case m.note != "":
		return m.cut(" " + printable(m.note))
	case m.pane == paneDetail && m.current() != nil && m.current().refused == nil:
		return m.p.quiet(m.cut(" " + detailKeys))
	case m.pane != paneList:
		return m.p.quiet(m.cut(" " + pageKeys))
	case m.filter != "":
		return m.cut(fmt.Sprintf(" %d of %d fit %q  esc shows all", len(m.shown()), len(m.rows), m.filter))
	}
	return m.p.quiet(m.cut(" " + listKeys))
}

// cut shortens a line to the width of the screen; colours in it stay whole.
func (m *screenModel) cut(line string) string {
	if width(line) <= m.width || strings.Contains(line, "\x1b") {
		return line // what is coloured is short, and the terminal cuts it
	}
	return string([]rune(line)[:m.width-1]) + "…"
}

// spread puts one text at the left and another at the right end of a line.
func (m *screenModel) spread(left, right string) string {
	gap := m.width - width(left) - width(right)
	if gap < 2 {
		return left + "  " + right
	}
	return left + strings.Repeat(" ", gap) + right
}

// short cuts a text to n characters.
func short(text string, n int) string {
	r := []rune(printable(text))
	if len(r) <= n {
		return string(r)
	}
	return string(r[:n-1]) + "…"
}
