package search_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/grapnelhq/grapnel/internal/search"
)

var now = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

// row is a row of a list made for these tests: it has a field of every kind.
type row struct {
	kind    string
	tags    []string
	state   string
	size    int64
	tries   int64
	untried bool
	at      time.Time
	headers map[string]string
	body    string
}

var list = &search.List[*row]{
	Name: "rows",
	Fields: []search.Field[*row]{
		{Def: search.Def{Name: "type", Kind: search.Text}, Texts: func(r *row) []string { return []string{r.kind} }},
		{Def: search.Def{Name: "name", Kind: search.Text, Exact: true}, Texts: func(r *row) []string { return []string{r.kind} }},
		{Def: search.Def{Name: "tag", Kind: search.Text}, Texts: func(r *row) []string { return r.tags }},
		{Def: search.Def{Name: "state", Kind: search.Word, Values: []string{"good", "bad"}}, Texts: func(r *row) []string { return []string{r.state} }},
		{Def: search.Def{Name: "size", Kind: search.Size}, Count: func(r *row) (int64, bool) { return r.size, true }},
		{Def: search.Def{Name: "tries", Kind: search.Number}, Count: func(r *row) (int64, bool) { return r.tries, !r.untried }},
		{Def: search.Def{Name: "at", Kind: search.Time}, When: func(r *row) time.Time { return r.at }},
		search.After("after", func(r *row) time.Time { return r.at }),
		search.Before("before", func(r *row) time.Time { return r.at }),
		{Def: search.Def{Name: "header.", Kind: search.Text}, Named: func(r *row, name string) []string { return []string{r.headers[strings.ToLower(name)]} }},
		{Def: search.Def{Name: "body.", Kind: search.JSON, Body: true}, Document: func(r *row) *search.Document { return search.NewDocument([]byte(r.body)) }},
	},
	Word:            func(r *row, w search.Needle) bool { return w.In(r.kind + " " + r.body) },
	WordsReadBodies: true,
}

func sample() *row {
	return &row{
		kind: "invoice.paid", tags: []string{"eu", "Big Order"}, state: "good", size: 1500, tries: 3, at: now.Add(-90 * time.Minute),
		headers: map[string]string{"x-event": "push", "content-type": "application/json"},
		body:    `{"amount":1200.50,"n":1e3,"big":12345678901234567890,"ok":true,"none":null,"text":"Hello, World","when":"2026-11-02T10:00:00Z","price":"9.90","items":[{"sku":"a-1","qty":2},{"sku":"b-2","qty":5}],"tags":["x","y"],"a.b":{"c d":7},"s":"true"}`,
	}
}

func TestAQueryFitsARowOrNot(t *testing.T) {
	t.Parallel()
	for query, want := range map[string]bool{
		"": true, "   ": true,
		// words
		"invoice": true, "INVOICE.paid": true, "invoice*": true, "hello": true, "nothing": false, "-nothing": true, "-hello": false,
		`"Hello, World"`: true, `"hello world"`: false, `"OR"`: true, `"-"`: true, "https://x": false,
		// joined
		"invoice hello": true, "invoice nothing": false, "nothing OR hello": true, "nothing OR hello nothing": false,
		"(nothing OR hello) invoice": true, "-(nothing OR none2)": true, "-(nothing hello)": true, "-(hello)": false, "((hello))": true,
		"type:invoice.paid OR nothing": true,
		// texts
		"type:invoice.paid": true, "type:Invoice.PAID": true, "TYPE:invoice.paid": true, "type:invoice": false, "type:invoice.*": true, "type:invoice*": true, "type:*": true,
		"type:~voice": true, "type:~VOICE": true, "type:~x": false, `type:"invoice.*"`: false, "-type:invoice.*": false, "type:order.*,invoice.*": true, "type:order.*,user.*": false,
		"name:invoice.paid": true, "name:Invoice.paid": false, "name:invoice.*": true, "name:Invoice.*": false, "name:~VOICE": true,
		"tag:eu": true, `tag:"big order"`: true, "tag:~order": true, "tag:us": false, "tag:*": true, "tag:us,eu": true, "tag:~us,big*": true,
		// words of a set
		"state:good": true, "state:bad": false, "state:bad,GOOD": true, "-state:good": false,
		// numbers
		"tries:3": true, "tries:2": false, "tries:>2": true, "tries>2": true, "tries:>3": false, "tries:>=3": true, "tries:<4": true, "tries<=3": true, "tries:<3": false,
		"tries:1..3": true, "tries:4..": false, "tries:..3": true, "tries:4..9,3": true, "tries:*": true, "tries:-5..5": true,
		// sizes
		"size:1500": true, "size:1.5kB": true, "size:>1kB": true, "size:>1.5KB": false, "size:1kib..2KiB": true, "size:<1MiB": true, "size:1500b": true, "size:>1GB": false,
		// times
		"at:2h": true, "at:1h": false, "after:2h": true, "after:1h": false, "before:1h": true, "before:2h": false, "at:>2h": true, "at:<2h": false, "at:>=2h": true, "at:<=1h": true,
		"at:2026-11-24": true, "at:2026-11-23": false, "at:today": true, "at:yesterday": false, "at:2026-11": true, "at:2026-10": false,
		"at:2026-11-24T10:30": true, "at:2026-11-24T10:31": false, "at:2026-11-24T10:30:00Z": true, "at:2026-11-24T12:30+02:00": true,
		"at:2026-11-20..2026-11-24": true, "at:2026-11-20..2026-11-23": false, "at:..2026-11-24": true, "at:2026-11-25..": false, "at:2h..1h": true, "at:1h..now": false,
		"after:2026-11-24": true, "before:2026-11-24": false, "before:2026-11-25": true, "at:>2026-11-24": false, "at:>2026-11-23": true, "at:>=2026-11-24": true,
		"at:<2026-11-24": false, "at:<=2026-11-24": true, "after:1d12h": true, "at:*": true, "at:now": false,
		// headers
		"header.x-event:push": true, "header.X-Event:PUSH": true, "header.x-event:pull": false, "header.content-type:~json": true, "header.x-none:*": false, "header.x-event:*": true,
		// documents
		"body.amount:1200.5": true, "body.amount:1200.50": true, "body.amount:12005e-1": true, "body.amount:1200": false, "body.amount>1000": true, "body.amount:>1200.5": false,
		"body.amount:>=1200.5": true, "body.amount:<1200.51": true, "body.amount:1000..2000": true, "body.amount:..1000": false, "body.n:1000": true, "body.n:1e3": true,
		"body.big:12345678901234567890": true, "body.big:12345678901234567891": false, "body.big:>12345678901234567889": true,
		"body.ok:true": true, "body.ok:false": false, `body.ok:"true"`: false, `body.s:"true"`: true, "body.s:true": true, "body.none:null": true, "body.none:*": true, "body.missing:*": false,
		"-body.missing:*": true, "body.text:hello*": true, `body.text:"hello, world"`: true, "body.text:~WORLD": true, "body.when:>2026-11-01": true, "body.when:<2026-11-01": false,
		"body.price:>9": true, "body.price:>9.90": false, "body.price:9.90": true, `body.amount:"1200.50"`: false,
		"body.items.0.sku:a-1": true, "body.items.1.sku:a-1": false, "body.items.sku:b-2": true, "body.items.qty:>4": true, "body.items.qty:>5": false, "body.items.9.sku:*": false,
		"body.tags:y": true, "body.tags:z": false, "body.tags:*": true, "body.items:*": true, `body."a.b"."c d":7`: true, "body.a.b:*": false, "body.amount.x:*": false,
		"body.AMOUNT:1200.5": false, "BODY.amount:1200.5": true, "body.text:1..2": false, "body.ok:>0": false,
	} {
		q, err := list.Parse(query, now)
		if err != nil {
			t.Errorf("%s: %v", query, err)
			continue
		}
		if got := q.Match(sample()); got != want {
			t.Errorf("%s fits: %v, want %v", query, got, want)
		}
	}
}

func TestWhatIsNotThereFitsNoValue(t *testing.T) {
	t.Parallel()
	empty := &row{untried: true}
	for _, query := range []string{"tries:0", "tries:<9", "at:*", "at:<now", "tag:*", "type:*", "body.a:*", "header.x:*"} {
		q, err := list.Parse(query, now)
		if err != nil {
			t.Fatal(err)
		}
		if q.Match(empty) {
			t.Errorf("%s fits a row that has nothing", query)
		}
	}
}

func TestAFaultIsNamedWithItsPlace(t *testing.T) {
	t.Parallel()
	for query, want := range map[string]string{
		"statsu:good":                       "at character 1: there is no field \"statsu\" here",
		"hello statsu:good":                 "at character 7: there is no field",
		"héllo wörld statsu:good":           "at character 13: there is no field",
		"state:odd":                         "at character 7: state is one of good, bad",
		"state:good,odd":                    "at character 12: state is one of",
		"state:~good":                       "at character 8: state is one of",
		"state:":                            "at character 7: state needs a value",
		"state:good, x":                     "at character 12: state needs a value",
		"type:>a":                           "at character 6: type is a text and has no order",
		"tries:x":                           "at character 7: tries is a whole number",
		"tries:1.5":                         "at character 7: tries is a whole number",
		"tries:~1":                          "at character 7: tries is a number, which has no parts",
		"tries:5..1":                        "at character 7: the range ends before it begins",
		"tries:1..x":                        "at character 10: tries is a whole number",
		"tries:..":                          "at character 7: a range needs a beginning or an end",
		"tries:99999999999999999999":        "at character 7: tries is a whole number",
		"size:10xB":                         "at character 6: size is a size, such as",
		"size:1e9GB":                        "at character 6: size is a size",
		"at:soon":                           "at character 4: at is a time",
		"at:2":                              "at character 4: at is a time",
		"at:2026-13-01":                     "at character 4: at is a time",
		"at:2026-11-02..2026-11-01":         "at character 4: the range ends before it begins",
		"at:2026-11-02..x":                  "at character 16: at is a time",
		"at:~2026":                          "at character 5: at is a time",
		"at:~2h":                            "at character 4: at is a time, which has no parts",
		"after:>2h":                         "at character 7: after takes one time",
		"after:2h..1h":                      "at character 7: after takes one time",
		"at:9999999d":                       "at character 4: at is a time",
		"body.:1":                           "at character 1: body. is followed by a path",
		"body.a..b:1":                       "at character 1: body. is followed by a path",
		"body.a:1..x":                       "at character 8: a range is between two numbers or between two texts",
		"header.:x":                         "at character 1: header. is followed by a name",
		"type=x":                            "at character 5: write a colon in place of =",
		`"open`:                             "at character 1: the quotes that begin here do not end",
		`type:"open`:                        "at character 6: the quotes that begin here do not end",
		`type:"a"b`:                         "at character 9: a blank is missing here",
		`a"b"`:                              "at character 2: a blank is missing here",
		"a,b":                               "at character 2: a blank is missing here",
		"(a":                                "at character 1: there is no ) that closes this (",
		"a)":                                "at character 2: there is no ( that this ) closes",
		")":                                 "at character 1: there is no ( that this ) closes",
		"()":                                "at character 2: something is missing before this )",
		"OR a":                              "at character 1: something is missing before OR",
		"a OR":                              "at character 3: something is missing after OR",
		"a OR OR b":                         "at character 6: something is missing before OR",
		"(a OR )":                           "at character 4: something is missing after OR",
		"a AND b":                           "at character 3: terms that follow each other must all fit",
		"NOT b":                             "at character 1: write a minus sign",
		"a - b":                             "at character 3: a minus sign stands directly before",
		"--b":                               "at character 2: one minus sign is enough",
		"*":                                 "at character 1: there is nothing to look for",
		`""`:                                "at character 1: there is nothing to look for",
		strings.Repeat("(", 11) + "a":       "at character 11: parentheses nest at most 10 deep",
		strings.Repeat("a ", 51):            "at character 101: a query has at most 50 terms",
		"tries:" + strings.Repeat("1,", 60): "at character 108: a field has at most 50 values",
		strings.Repeat("a", 1001):           "at character 1001: a query has at most 1000 characters",
	} {
		_, err := list.Parse(query, now)
		var fault *search.Error
		if !errors.As(err, &fault) {
			t.Errorf("%s is taken: %v", query, err)
			continue
		}
		if !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%s: %v, want %s", query, err, want)
		}
	}
}

func TestWhatAnIndexCanDecideIsReadOff(t *testing.T) {
	t.Parallel()
	for query, want := range map[string]string{
		"type:a.b":               "a.b",
		"type:A.b x":             "A.b",
		"x type:a,b*":            "a b*",
		"type:a OR type:b":       "a b",
		"type:a OR tag:b":        "-",
		"type:a OR x":            "-",
		"-type:a":                "-",
		"type:~a":                "-",
		"type:*":                 "-",
		"x":                      "-",
		"":                       "-",
		"(type:a OR type:b) x":   "a b",
		"tag:x type:a":           "a",
		"-(type:a) type:b":       "b",
		"type:a,~b":              "-",
		"(x OR type:a) (type:b)": "b",
	} {
		q, err := list.Parse(query, now)
		if err != nil {
			t.Fatal(err)
		}
		got := "-"
		if values, ok := q.Demanded("type"); ok {
			var words []string
			for _, v := range values {
				if v.Prefix {
					v.Text += "*"
				}
				words = append(words, v.Text)
			}
			got = strings.Join(words, " ")
		}
		if got != want {
			t.Errorf("%q demands %s, want %s", query, got, want)
		}
	}
}

func TestTimesThatAnIndexCanUseAreReadOff(t *testing.T) {
	t.Parallel()
	for query, want := range map[string]string{
		"":                               "- -",
		"x":                              "- -",
		"after:2h":                       "24T10:00 -",
		"before:1h":                      "- 24T11:00",
		"after:2h before:1h":             "24T10:00 24T11:00",
		"after:2h after:1h":              "24T11:00 -",
		"at:2026-11-20":                  "20T00:00 21T00:00",
		"at:2026-11-20,2026-11-22":       "20T00:00 23T00:00",
		"at:2026-11-20 OR at:2026-11-22": "20T00:00 23T00:00",
		"at:2026-11-20 OR x":             "- -",
		"x OR at:2026-11-20":             "- -",
		"-after:2h":                      "- -",
		"at:2026-11-20..":                "20T00:00 -",
		"(after:2h OR after:3h) before:2026-11-24": "24T09:00 24T00:00",
		"at:*": "- -",
	} {
		q, err := list.Parse(query, now)
		if err != nil {
			t.Fatal(err)
		}
		show := func(at time.Time) string {
			if at.IsZero() {
				return "-"
			}
			return at.Format("02T15:04")
		}
		from, to := q.Between("at", "after", "before")
		if got := show(from) + " " + show(to); got != want {
			t.Errorf("%q is between %s, want %s", query, got, want)
		}
	}
}

func TestAQuerySaysWhetherItReadsPayloads(t *testing.T) {
	t.Parallel()
	for query, want := range map[string][2]bool{
		"": {false, false}, "type:a": {false, false}, "hello": {false, true}, "body.a:1": {true, true}, "-body.a:1 x": {true, true}, "(type:a OR body.x:*)": {true, true},
	} {
		q, err := list.Parse(query, now)
		if err != nil {
			t.Fatal(err)
		}
		if got := [2]bool{q.ReadsBodies(), q.WantsBodies()}; got != want {
			t.Errorf("%q reads and wants payloads: %v, want %v", query, got, want)
		}
	}
}

func TestWordsThatEveryRowMustFitAreReadOff(t *testing.T) {
	t.Parallel()
	for query, want := range map[string]string{"": "", "Abc": "Abc", "a type:x b": "a b", "a OR b": "", "-a": "", "(a b)": "a b"} {
		q, err := list.Parse(query, now)
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(q.Words(), " "); got != want {
			t.Errorf("%q has the words %q, want %q", query, got, want)
		}
	}
}

// A hostile document is compared without writing its numbers out.
func TestHugeNumbersCostNothing(t *testing.T) {
	t.Parallel()
	r := &row{body: `{"n":1e999999999999,"m":-1e-999999999999,"z":0e99}`}
	for query, want := range map[string]bool{
		"body.n:>1e308": true, "body.n:1e999999999999": true, "body.m:<0": true, "body.m:>-1": true, "body.z:0": true, "body.z:-0": true, "body.n:<1": false,
	} {
		q, err := list.Parse(query, now)
		if err != nil {
			t.Fatal(err)
		}
		if got := q.Match(r); got != want {
			t.Errorf("%s fits: %v, want %v", query, got, want)
		}
	}
}

func FuzzAQueryIsUnderstoodOrRefusedWithAPlaceInIt(f *testing.F) {
	for _, seed := range []string{
		"", "a", `type:invoice.* -tag:"x y" size:>10kB`, "(a OR b) body.x.0:1..2", "at:2026-11-01..2026-11-02", "header.x:~y", `"`, "((", "a)", "-", "type:", "OR", "at:>2h", `body."a.b":*`, "\x00", "é:ü", "size:1..",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		q, err := list.Parse(text, now)
		if err != nil {
			var fault *search.Error
			if !errors.As(err, &fault) || fault.At < 1 || fault.At > len([]rune(text))+1 {
				t.Fatalf("%q: %v", text, err)
			}
			return
		}
		fits := q.Match(sample())
		q.Match(&row{body: text})
		if from, to := q.Between("at", "after", "before"); fits && (sample().at.Before(from) || !to.IsZero() && !sample().at.Before(to)) {
			t.Fatalf("%q fits a row outside of %v to %v", text, from, to)
		}
		if values, ok := q.Demanded("type"); ok && fits {
			for _, v := range values {
				if v.Prefix && strings.HasPrefix("invoice.paid", strings.ToLower(v.Text)) || strings.EqualFold(v.Text, "invoice.paid") {
					return
				}
			}
			t.Fatalf("%q fits a row without what it demands: %v", text, values)
		}
	})
}
