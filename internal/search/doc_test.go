package search_test

import (
	"os"
	"strings"
	"testing"

	"github.com/grapnelhq/grapnel/internal/hook"
	"github.com/grapnelhq/grapnel/internal/search"
)

// The page that people read names every field of every list.
func TestThePageAboutSearchingNamesEveryField(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../docs/search.md")
	if err != nil {
		t.Fatal(err)
	}
	for title, defs := range map[string][]search.Def{
		"messages": search.Messages.Defs(), "requests": search.Requests.Defs(), "endpoints": search.Endpoints.Defs(), "issues": search.Issues.Defs(),
		"applications": search.Applications.Defs(), "event types": search.EventTypes.Defs(), "sources": search.Sources.Defs(),
	} {
		_, line, _ := strings.Cut(string(page), "\n| "+title+" | ")
		line, _, _ = strings.Cut(line, "\n")
		for _, d := range defs {
			name := d.Name
			if strings.HasSuffix(name, ".") {
				name += "…"
			}
			if !strings.Contains(line, "`"+name+"`") {
				t.Errorf("the line of %s does not name %s", title, name)
			}
			if d.Doc == "" {
				t.Errorf("%s of %s says nothing", d.Name, title)
			}
		}
		if got, want := strings.Count(line, "`")/2, len(defs); got != want {
			t.Errorf("the line of %s names %d fields, there are %d", title, got, want)
		}
	}
}

// Whatever row a list has, each of its fields can be asked of it, an empty row too.
func TestEveryFieldOfEveryListCanBeAsked(t *testing.T) {
	t.Parallel()
	ask(t, search.Messages, &search.Message{RecentMessage: &hook.RecentMessage{}})
	ask(t, search.Requests, &search.Request{RecentRequest: &hook.RecentRequest{}})
	ask(t, search.Endpoints, &hook.EndpointOf{})
	ask(t, search.Issues, &hook.Issue{})
	ask(t, search.Applications, &hook.ApplicationOf{})
	ask(t, search.EventTypes, &hook.EventType{})
	ask(t, search.Sources, &hook.Source{})
}

func ask[R any](t *testing.T, list *search.List[R], row R) {
	t.Helper()
	for _, d := range list.Defs() {
		name := d.Name
		if strings.HasSuffix(name, ".") {
			name += "x"
		}
		values := map[search.Kind][]string{
			search.Text: {"x", "x*", "~x", "*"}, search.Word: d.Values, search.Number: {"1", ">1", "1..2"}, search.Size: {"1kB", "<1"}, search.Time: {"2h", "today"}, search.JSON: {"1", "*", ">x"},
		}[d.Kind]
		if len(values) == 0 {
			t.Errorf("%s of %s is one of no words", d.Name, list.Name)
		}
		for _, v := range values {
			q, err := list.Parse(name+":"+v, now)
			if err != nil {
				t.Errorf("%s: %v", list.Name, err)
				continue
			}
			q.Match(row)
		}
		if d.Kind.String() == "unknown" {
			t.Errorf("%s of %s is of no kind", d.Name, list.Name)
		}
	}
	q, err := list.Parse("nothing", now)
	if err != nil || q.Match(row) {
		t.Errorf("a word fits an empty row of %s: %v", list.Name, err)
	}
}
