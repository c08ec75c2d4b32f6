package server_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v4"
)

const deployFolder = "../../deploy"

func deployFile(t *testing.T, name string) []byte {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(deployFolder, name))
	if err != nil {
		t.Fatal(err)
	}
	return content
}

// scraped are the series of a server, and what Prometheus adds to them.
type scraped struct {
	series map[string][]selector // by metric
	jobs   []string              // of prometheus.yml
}

// addedLabels are put on every series by Prometheus.
var addedLabels = []string{"job", "instance"}

func scrape(t *testing.T) *scraped {
	t.Helper()
	n := start(t, t.TempDir(), map[string]string{"metrics-listen": "127.0.0.1:0"})
	answer, err := http.Get(n.MetricsURL() + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	s := &scraped{series: map[string][]selector{"up": {{metric: "up"}}}}
	for line := range strings.Lines(string(text)) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		line = line[:strings.LastIndexByte(line, ' ')]
		q, err := scanPromQL(line)
		if err != nil || len(q.selectors) != 1 {
			t.Fatalf("line %q of /metrics: %v", line, err)
		}
		s.series[q.selectors[0].metric] = append(s.series[q.selectors[0].metric], q.selectors[0])
	}
	for _, c := range prometheusExample(t).Scrapes {
		s.jobs = append(s.jobs, c.Job)
	}
	return s
}

// check finds what in an expression does not exist, and gives the labels that its
// result has.
func (s *scraped) check(expr string) (labels []string, err error) {
	q, err := scanPromQL(expr)
	if err != nil {
		return nil, err
	}
	known := map[string]bool{"job": true, "instance": true}
	var faults []error
	for _, use := range q.selectors {
		series := s.series[use.metric]
		if len(series) == 0 {
			faults = append(faults, fmt.Errorf("there is no metric %s", use.metric))
		}
		for _, one := range series {
			for _, m := range one.matchers {
				known[m.label] = true
			}
		}
		for _, m := range use.matchers {
			faults = append(faults, s.checkMatcher(use.metric, m))
		}
	}
	for _, label := range q.grouping {
		if !known[label] {
			faults = append(faults, fmt.Errorf("no metric of it has the label %s", label))
		}
	}
	if len(q.grouping) > 0 {
		return q.grouping, errors.Join(faults...)
	}
	return slices.Collect(maps.Keys(known)), errors.Join(faults...)
}

func (s *scraped) checkMatcher(metric string, m matcher) error {
	if slices.Contains(addedLabels, m.label) {
		if m.value != "$"+m.label && (m.label != "job" || !slices.Contains(s.jobs, m.value)) {
			return fmt.Errorf("%s %s is not one of prometheus.yml", m.label, m.value)
		}
		return nil
	}
	for _, one := range s.series[metric] {
		value, has := one.label(m.label)
		if fits, err := m.fits(value); err != nil || has && fits {
			return err
		}
	}
	return fmt.Errorf("no series of %s has %s%s%q", metric, m.label, m.op, m.value)
}

var (
	legendLabel     = regexp.MustCompile(`\{\{\s*([a-z_]+)\s*\}\}`)
	annotationLabel = regexp.MustCompile(`\$labels\.([a-z_]+)`)
)

// checkTexts finds labels in texts that a result does not have.
func checkTexts(pattern *regexp.Regexp, labels []string, texts ...string) error {
	for _, text := range texts {
		for _, found := range pattern.FindAllStringSubmatch(text, -1) {
			if !slices.Contains(labels, found[1]) {
				return fmt.Errorf("%q: the result has no label %s", text, found[1])
			}
		}
	}
	return nil
}

// dashboard is the part of a Grafana dashboard that asks for data.
type dashboard struct {
	UID        string  `json:"uid"`
	Panels     []panel `json:"panels"`
	Templating struct {
		List []struct {
			Name, Definition string
			Type             string `json:"type"`
		} `json:"list"`
	} `json:"templating"`
}

type panel struct {
	ID      int     `json:"id"`
	Type    string  `json:"type"`
	Title   string  `json:"title"`
	Panels  []panel `json:"panels"`
	GridPos struct{ H, W, X, Y int }
	Targets []struct {
		Expr         string `json:"expr"`
		LegendFormat string `json:"legendFormat"`
	} `json:"targets"`
}

func TestDashboardAsksForWhatTheServerShows(t *testing.T) {
	t.Parallel()
	s := scrape(t)
	var d dashboard
	if err := json.Unmarshal(deployFile(t, "grafana/grapnel.json"), &d); err != nil {
		t.Fatal(err)
	}
	expressions := 0
	ids := map[int]bool{}
	for _, p := range d.Panels {
		if ids[p.ID] || p.Title == "" || p.GridPos.X+p.GridPos.W > 24 || len(p.Panels) > 0 {
			t.Errorf("panel %d %q: its id or title is not its own, or it does not fit", p.ID, p.Title)
		}
		ids[p.ID] = true
		if (p.Type == "row") != (len(p.Targets) == 0) {
			t.Errorf("panel %q shows nothing", p.Title)
		}
		for _, target := range p.Targets {
			expressions++
			labels, err := s.check(target.Expr)
			if err := errors.Join(err, checkTexts(legendLabel, labels, target.LegendFormat)); err != nil {
				t.Errorf("panel %q: %s: %v", p.Title, target.Expr, err)
			}
		}
	}
	if expressions < 40 {
		t.Errorf("only %d expressions were found", expressions)
	}
	checkVariables(t, s, &d)
}

var labelValues = regexp.MustCompile(`^label_values\((.+), ([a-z_]+)\)$`)

func checkVariables(t *testing.T, s *scraped, d *dashboard) {
	t.Helper()
	for _, v := range d.Templating.List {
		if v.Type != "query" {
			continue
		}
		parts := labelValues.FindStringSubmatch(v.Definition)
		if parts == nil {
			t.Fatalf("variable %s: %q is not read by this test", v.Name, v.Definition)
		}
		labels, err := s.check(parts[1])
		if err != nil || !slices.Contains(labels, parts[2]) {
			t.Errorf("variable %s: %q: labels %v, %v", v.Name, v.Definition, labels, err)
		}
	}
}

type ruleFile struct {
	Groups []struct {
		Name  string `yaml:"name"`
		Rules []struct {
			Alert       string            `yaml:"alert"`
			Expr        string            `yaml:"expr"`
			For         string            `yaml:"for"`
			Labels      map[string]string `yaml:"labels"`
			Annotations map[string]string `yaml:"annotations"`
		} `yaml:"rules"`
	} `yaml:"groups"`
}

func TestAlertRulesAskForWhatTheServerShows(t *testing.T) {
	t.Parallel()
	s := scrape(t)
	var file ruleFile
	if err := yaml.Load(deployFile(t, "prometheus/alerts.yml"), &file, yaml.WithKnownFields()); err != nil {
		t.Fatal(err)
	}
	names := map[string]bool{}
	for _, g := range file.Groups {
		for _, r := range g.Rules {
			labels, err := s.check(r.Expr)
			summary, text := r.Annotations["summary"], r.Annotations["description"]
			if err := errors.Join(err, checkTexts(annotationLabel, labels, summary, text)); err != nil {
				t.Errorf("%s: %v", r.Alert, err)
			}
			if names[r.Alert] || !strings.HasPrefix(r.Alert, "Grapnel") || summary == "" || text == "" ||
				!slices.Contains([]string{"critical", "warning", "info"}, r.Labels["severity"]) {
				t.Errorf("%s: its name, severity, summary or description is missing or not its own", r.Alert)
			}
			if _, err := time.ParseDuration(r.For); r.For != "" && err != nil {
				t.Errorf("%s: %v", r.Alert, err)
			}
			names[r.Alert] = true
		}
	}
	if len(names) < 10 {
		t.Errorf("only %d rules were found", len(names))
	}
}

type prometheusFile struct {
	Global  map[string]string `yaml:"global"`
	Rules   []string          `yaml:"rule_files"`
	Scrapes []struct {
		Job     string `yaml:"job_name"`
		Path    string `yaml:"metrics_path"`
		Targets []struct {
			Targets []string `yaml:"targets"`
		} `yaml:"static_configs"`
	} `yaml:"scrape_configs"`
}

func prometheusExample(t *testing.T) prometheusFile {
	t.Helper()
	var file prometheusFile
	if err := yaml.Load(deployFile(t, "prometheus/prometheus.yml"), &file, yaml.WithKnownFields()); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestPrometheusExampleNamesFilesAndPathsThatExist(t *testing.T) {
	t.Parallel()
	file := prometheusExample(t)
	for _, name := range file.Rules {
		deployFile(t, "prometheus/"+name)
	}
	if len(file.Rules) == 0 || len(file.Scrapes) != 1 || file.Scrapes[0].Path != "/metrics" || len(file.Scrapes[0].Targets) == 0 {
		t.Errorf("%+v, want rules and one job that scrapes /metrics", file)
	}
}

func TestWhatDoesNotExistIsFoundInExpressions(t *testing.T) {
	t.Parallel()
	s := scrape(t)
	for expr, want := range map[string]string{
		`sum(rate(grapnel_event_total[5m]))`:                     "no metric grapnel_event_total",
		`grapnel_attempt_seconds`:                                "no metric grapnel_attempt_seconds",
		`sum by (outcom) (grapnel_attempts_total)`:               "label outcom",
		`grapnel_attempts_total{outcome="succes"}`:               `no series of grapnel_attempts_total has outcome="succes"`,
		`grapnel_attempts_total{class=~".+"}`:                    `no series of grapnel_attempts_total has class=~".+"`,
		`grapnel_build_info{job="other"}`:                        "job other",
		`sum by (result) (rate(grapnel_events_total[5m]))`:       "",
		`grapnel_events_total{result=~"accep.*",job="$job"}`:     "",
		`grapnel_attempt_phase_seconds_bucket{le="0.1"}`:         "",
		`rate(process_cpu_seconds_total{job="grapnel"}[5m]) > 1`: "",
	} {
		_, err := s.check(expr)
		if got := fmt.Sprint(err); (want == "") != (err == nil) || !strings.Contains(got, want) {
			t.Errorf("%s: %v, want %q", expr, err, want)
		}
	}
}
