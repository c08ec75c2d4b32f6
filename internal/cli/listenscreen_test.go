package cli_test

import (
	"strings"
	"testing"

	tea "charm.land/bubbletea/v2"

	"github.com/grapnelhq/grapnel/internal/cli"
)

// press sends keys to a screen.
func press(s *cli.Screen, keys ...string) {
	for _, k := range keys {
		key := tea.KeyPressMsg{Text: k, Code: []rune(k)[0]}
		switch k {
		case "enter":
			key = tea.KeyPressMsg{Code: tea.KeyEnter}
		case "esc":
			key = tea.KeyPressMsg{Code: tea.KeyEscape}
		case "tab":
			key = tea.KeyPressMsg{Code: tea.KeyTab}
		case "up":
			key = tea.KeyPressMsg{Code: tea.KeyUp}
		case "space":
			key = tea.KeyPressMsg{Code: tea.KeySpace, Text: " "}
		}
		s.Send(key)
	}
}

func onScreen(t *testing.T, s *cli.Screen, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if !strings.Contains(s.Text(), text) {
			t.Errorf("no %q on\n%s", text, s.Text())
		}
	}
}

func TestScreenFitsAndShowsWhatCame(t *testing.T) {
	t.Parallel()
	s := cli.NewScreen("http://hooks.example.com")
	onScreen(t, s, "Waiting for the first request.", "q quit")
	s.Connect("stripe", "http://localhost:3000/")
	for range 40 {
		s.Arrive("stripe", "invoice.paid", `{"amount":1200}`, 200, "")
	}
	s.Arrive("stripe", "checkout.session.completed.with.a.very.long.name", `{"id":"\u001b[31m"}`, 500, "TypeError: cannot read 'id' of undefined, and then some more words")
	lines := strings.Split(s.Text(), "\n")
	if len(lines) != 24 {
		t.Errorf("%d lines, want the 24 of the terminal", len(lines))
	}
	for _, line := range lines {
		if n := len([]rune(line)); n > 80 {
			t.Errorf("%d columns: %s", n, line)
		}
	}
	onScreen(t, s, "fwd 40  fail 1  skipped 0", "● connected", "stripe  https://in → http://localhost:3000/", " ▶ ", "checkout.session.comp…", "✕ 500")
	press(s, "enter")
	onScreen(t, s, "[Request]", `"id": "\u001b[31m"`)
	press(s, "tab")
	onScreen(t, s, "[Response]", "TypeError: cannot read 'id'")
	press(s, "tab", "tab")
	onScreen(t, s, "[Raw]", "The bytes of the body are as they came.")
	press(s, "esc", "?")
	onScreen(t, s, "R         replay all that failed")
}

func TestKeysOfTheScreenDoWhatTheySay(t *testing.T) {
	t.Parallel()
	s := cli.NewScreen("http://hooks.example.com")
	s.Connect("stripe", "http://localhost:3000/")
	s.Arrive("stripe", "a.one", `{"n":1}`, 200, "")
	s.Arrive("stripe", "b.two", `{"n":2}`, 500, "no")
	press(s, "r", "up", "r", "R", "s")
	onScreen(t, s, " saved")
	press(s, "p")
	onScreen(t, s, "; paused")
	press(s, "p")
	if got := strings.Join(s.Did(), " "); got != "replay:b.two replay:a.one replay:b.two save:a.one pause:true pause:false" {
		t.Errorf("it did %s", got)
	}
	press(s, "space", "G", "space", "d")
	onScreen(t, s, `-   "n": 1`, `+   "n": 2`)
	press(s, "esc", "/", "o", "n", "e")
	onScreen(t, s, "a.one", "/ one")
	if strings.Contains(s.Text(), "b.two") {
		t.Error("the filter lets everything through")
	}
	press(s, "enter")
	onScreen(t, s, "1 of 2 fit")
	press(s, "esc")
	onScreen(t, s, "b.two")
	s.Edit(0, "PUT http://localhost:4000/x?y=1\nA: b\n\n{\"n\":3}")
	if got := s.Did(); got[len(got)-1] != `replay:a.one PUT http://localhost:4000/x?y=1 [[A b]] {"n":3}` {
		t.Errorf("it did %v", got)
	}
	s.Edit(0, "nonsense")
	onScreen(t, s, "not sent: ")
	if s.Ended() {
		t.Error("it has ended too early")
	}
	if press(s, "q"); !s.Ended() {
		t.Error("q does not end it")
	}
}

func TestDiffShowsWhatDiffers(t *testing.T) {
	t.Parallel()
	got := strings.Join(cli.DiffLines([]string{"a", "b", "c"}, []string{"a", "x", "c", "d"}), "|")
	if got != "  a|- b|+ x|  c|+ d" {
		t.Error(got)
	}
}

func TestARefusedRequestIsExplainedInFull(t *testing.T) {
	t.Parallel()
	s := cli.NewScreen("http://hooks.example.com")
	s.Connect("stripe", "http://localhost:3000/")
	s.Arrive("stripe", "a.one", `{"n":1}`, 500, "no")
	why := "No change of the body, the address or the spelling of the secret makes the signature fit: the secret is most likely another one."
	s.Refuse("stripe", "req_1", "signature_mismatch", "No signature fits the request under the secret.", why)
	onScreen(t, s, " ▶ ", "stripe    ✕ refused  signature_mismatch  401")
	press(s, "enter")
	if got := strings.Join(strings.Fields(s.Text()), " "); !strings.Contains(got, why) {
		t.Errorf("the diagnosis is not whole on\n%s", s.Text())
	}
	onScreen(t, s, "grapnel requests show req_1", "esc back")
	if strings.Contains(s.Text(), "tab next") {
		t.Error("keys are offered that do nothing here")
	}
	press(s, "esc", "r")
	onScreen(t, s, "refused, so it is not here: grapnel requests show req_1")
	press(s, "R")
	if got := strings.Join(s.Did(), " "); got != "replay:a.one" {
		t.Errorf("R with the cursor at a refused request did %q", got)
	}
	press(s, "?", "?")
	onScreen(t, s, "✕ refused")
}
