package cli_test

import (
	"encoding/json"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v4"

	"github.com/grapnelhq/grapnel/internal/config"
)

const deployFolder = "../../deploy"

func deployFile(t *testing.T, name string) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(deployFolder, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

// deployment is one way in which a file of deploy runs the server.
type deployment struct {
	env      map[string]string
	commands [][]string // with the name of the program
}

// image reads the Dockerfile: its environment is that of every container too.
func image(t *testing.T) deployment {
	t.Helper()
	text := strings.ReplaceAll(deployFile(t, "Dockerfile"), "\\\n", " ")
	last := text[strings.LastIndex(text, "\nFROM "):]
	d := deployment{env: map[string]string{}}
	lists := map[string][]string{}
	for line := range strings.Lines(last) {
		word, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		switch word {
		case "ENV":
			for pair := range strings.FieldsSeq(rest) {
				name, value, _ := strings.Cut(pair, "=")
				d.env[name] = value
			}
		case "ENTRYPOINT", "CMD", "HEALTHCHECK":
			var list []string
			if err := json.Unmarshal([]byte(rest[strings.IndexByte(rest, '['):]), &list); err != nil {
				t.Fatalf("%s: %v", line, err)
			}
			lists[word] = list
		}
	}
	d.commands = [][]string{append(lists["ENTRYPOINT"], lists["CMD"]...), lists["HEALTHCHECK"]}
	return d
}

type composeFile struct {
	Services map[string]struct {
		Image       string            `yaml:"image"`
		Profiles    []string          `yaml:"profiles"`
		Command     []string          `yaml:"command"`
		Environment map[string]string `yaml:"environment"`
		Volumes     []string          `yaml:"volumes"`
		Ports       []string          `yaml:"ports"`
		DependsOn   map[string]any    `yaml:"depends_on"`
	} `yaml:"services"`
	Volumes map[string]any `yaml:"volumes"`
}

// given are the values that compose puts in the place of variables.
var given = map[string]string{
	"GRAPNEL_API_KEY": testKey, "POSTGRES_PASSWORD": "0123abcd", "GRAPNEL_MASTER_KEY": "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=",
}

var composeVariable = regexp.MustCompile(`\$\{([A-Z_]+):-\}`)

// containers gives the services of compose.yaml that run our image, by name.
func containers(t *testing.T) map[string]deployment {
	t.Helper()
	var file composeFile
	if err := yaml.Unmarshal([]byte(deployFile(t, "compose.yaml")), &file); err != nil {
		t.Fatal(err)
	}
	base, found, ports := image(t), map[string]deployment{}, map[string]string{}
	for name, s := range file.Services {
		for _, volume := range s.Volumes {
			if source, _, _ := strings.Cut(volume, ":"); file.Volumes != nil && !has(file.Volumes, source) {
				t.Errorf("%s: there is no volume %s", name, source)
			}
		}
		for other := range s.DependsOn {
			if _, ok := file.Services[other]; !ok {
				t.Errorf("%s depends on %s, which does not exist", name, other)
			}
		}
		for _, port := range s.Ports {
			if ports[port] != "" {
				t.Errorf("%s and %s are published on %s", name, ports[port], port)
			}
			ports[port] = name
		}
		if s.Image != "grapnel" {
			continue
		}
		d := deployment{env: maps.Clone(base.env), commands: base.commands}
		if len(s.Command) > 0 {
			d.commands = [][]string{append([]string{"/grapnel"}, s.Command...)}
		}
		for variable, value := range s.Environment {
			d.env[variable] = composeVariable.ReplaceAllStringFunc(value, func(v string) string { return given[composeVariable.FindStringSubmatch(v)[1]] })
		}
		found[name] = d
	}
	return found
}

func has(m map[string]any, key string) bool { _, ok := m[key]; return ok }

// unit reads the systemd unit.
func unit(t *testing.T) deployment {
	t.Helper()
	credentials := t.TempDir()
	if err := os.WriteFile(filepath.Join(credentials, "api-key"), []byte(testKey), 0o600); err != nil {
		t.Fatal(err)
	}
	d := deployment{env: map[string]string{}}
	for line := range strings.Lines(deployFile(t, "systemd/grapnel.service")) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), "=")
		switch key {
		case "ExecStart":
			d.commands = append(d.commands, strings.Fields(value))
		case "Environment":
			name, text, _ := strings.Cut(value, "=")
			d.env[name] = strings.ReplaceAll(text, "%d", credentials)
		}
	}
	return d
}

func TestDeploymentsRunCommandsThatExistWithSettingsThatLoad(t *testing.T) {
	t.Parallel()
	all := containers(t)
	if names := slices.Sorted(maps.Keys(all)); !slices.Equal(names, []string{"grapnel", "node-a", "node-b"}) {
		t.Errorf("compose.yaml runs %v", names)
	}
	all["the image"], all["the unit"] = image(t), unit(t)
	for name, d := range all {
		if len(d.commands) == 0 || len(d.env) == 0 {
			t.Errorf("%s: nothing was found: %+v", name, d)
		}
		for _, command := range d.commands {
			if path := command[0]; filepath.Base(path) != "grapnel" || !filepath.IsAbs(path) {
				t.Errorf("%s runs %v", name, command)
			}
			// Flags are read before help is shown; for a word that is no command it is that of the whole.
			code, out, errs := bare(t).run(t, append(slices.Clone(command[1:]), "--help")...)
			if code != 0 || !strings.Contains(out, "\n  grapnel "+command[1]) {
				t.Errorf("%s: %v: exit code %d, %s", name, command, code, errs)
			}
		}
		env := make([]string, 0, len(d.env))
		for variable, value := range d.env {
			env = append(env, variable+"="+value)
		}
		cfg, err := config.Load(config.Sources{Env: env})
		if err != nil || len(cfg.Warnings) > 0 {
			t.Errorf("%s: %v %v", name, err, cfg)
		}
	}
}

// What in the files of deploy looks like a setting of ours.
var (
	deployVariable = regexp.MustCompile(`\bGRAPNEL_[A-Z_]+\b`)
	deployFlag     = regexp.MustCompile(`(?:^|[\s"'` + "`" + `(])--([a-z][a-z-]+)`)
)

// foreign are flags of docker, systemctl and the Dockerfile's own instructions.
var foreign = []string{"build", "profile", "now", "from", "chown", "interval", "timeout", "start-period", "retries"}

func TestEverySettingThatDeploymentsNameExists(t *testing.T) {
	t.Parallel()
	flags, variables := map[string]bool{}, map[string]bool{}
	for _, s := range config.Settings() {
		flags[s.Flag()], variables[s.Env()] = true, true
		if s.Secret {
			variables[s.Env()+"_FILE"] = true
		}
	}
	found := 0
	err := filepath.WalkDir(deployFolder, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		for _, name := range deployVariable.FindAllString(string(text), -1) {
			if found++; !variables[name] && name != "GRAPNEL_NAME" {
				t.Errorf("%s names %s, which is no setting", path, name)
			}
		}
		for _, m := range deployFlag.FindAllStringSubmatch(string(text), -1) {
			if found++; !flags[m[1]] && !slices.Contains(foreign, m[1]) {
				t.Errorf("%s names --%s, which is no setting", path, m[1])
			}
		}
		return err
	})
	if err != nil || found < 20 {
		t.Errorf("%d settings were found, %v", found, err)
	}
}
