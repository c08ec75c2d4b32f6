package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/grapnelhq/grapnel/internal/config"
	"github.com/grapnelhq/grapnel/provider"
)

// sampleOut is a sample in the forms of -o.
type sampleOut struct {
	Name        string          `json:"name"`
	Provider    string          `json:"provider"`
	Type        string          `json:"type"`
	Method      string          `json:"method"`
	ContentType string          `json:"contentType"`
	Headers     [][2]string     `json:"headers"`
	JSON        json.RawMessage `json:"json,omitempty"`
	Body        string          `json:"body,omitempty"` // of one that is not JSON
}

func (a *app) samplesCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "samples [PROVIDER]",
		Short: "List and show sample events of providers",
		Long: `List the sample events that this program knows, of all providers or of one.
"grapnel send PROVIDER/TYPE --to URL" sends one, signed as the provider signs.`,
		Example: `  grapnel samples stripe
  grapnel samples show stripe/checkout.session.completed`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 1 {
				return oneArg("PROVIDER")(cmd, args)
			}
			return nil
		},
	}
	a.outputFlag(cmd)
	cmd.RunE = func(_ *cobra.Command, args []string) error {
		only := ""
		if len(args) == 1 {
			p, err := findScheme("", args[0])
			if err != nil {
				return err
			}
			only = p.Name
		}
		return a.listSamples(only)
	}
	show := &cobra.Command{
		Use:     "show PROVIDER/TYPE",
		Short:   "Show one sample, its body as it would be sent",
		Example: "  grapnel samples show github/push",
		Args:    oneArg("PROVIDER/TYPE"),
		RunE: func(_ *cobra.Command, args []string) error {
			s, err := findSample(args[0])
			if err != nil {
				return err
			}
			return a.showSample(&s)
		},
	}
	cmd.AddCommand(show)
	return cmd
}

// findSample finds a sample by its name; the name of a provider alone is its only one,
// or the first.
func findSample(name string) (provider.Sample, error) {
	if s, ok := provider.FindSample(name); ok {
		return s, nil
	}
	var names, ofProvider []string
	owner, _, _ := strings.Cut(name, "/")
	for _, s := range provider.Samples() {
		names = append(names, s.Name())
		if s.Provider == owner {
			ofProvider = append(ofProvider, s.Name())
		}
	}
	fix := "`grapnel samples` lists them."
	if near := config.Nearest(name, names); near != "" {
		fix = "Did you mean " + near + "?"
	} else if len(ofProvider) > 0 {
		fix = "There are " + strings.Join(ofProvider, ", ") + "; -d gives another body to any of them."
	}
	return provider.Sample{}, usage("there is no sample "+quotedIfOdd(name), fix)
}

func (a *app) listSamples(only string) error {
	var outs []sampleOut
	t := table{}
	p := a.paintFor(a.color, a.OutTerminal)
	t.add(p.quiet("SAMPLE"), p.quiet("SCHEME"))
	for _, s := range provider.Samples() {
		if only != "" && s.Provider != only {
			continue
		}
		outs = append(outs, sampleOutOf(&s))
		of, _ := provider.Find(s.Provider)
		t.add(s.Name(), of.Scheme)
	}
	switch a.output {
	case formatTable:
		return t.write(a.Out, "")
	case formatJSON:
		return writeJSON(a.Out, outs, false)
	case formatYAML:
		return writeYAML(a.Out, outs)
	}
	for _, out := range outs {
		if a.output == formatName {
			if _, err := fmt.Fprintln(a.Out, out.Name); err != nil {
				return err
			}
		} else if err := writeJSON(a.Out, out, true); err != nil {
			return err
		}
	}
	return nil
}

func sampleOutOf(s *provider.Sample) sampleOut {
	out := sampleOut{
		Name: s.Name(), Provider: s.Provider, Type: s.Type, Method: s.Method, ContentType: s.ContentType, Headers: sortedHeaders(s.Header),
	}
	if json.Valid(s.Body) {
		out.JSON = s.Body
	} else {
		out.Body = string(s.Body)
	}
	return out
}

// showSample prints the body alone, so that it can be taken by -d @FILE.
func (a *app) showSample(s *provider.Sample) error {
	switch a.output {
	case formatTable:
		text := s.Body
		if a.OutTerminal { // a person reads it; a program gets the bytes
			var pretty bytes.Buffer
			if json.Indent(&pretty, s.Body, "", "  ") == nil {
				text = pretty.Bytes()
			}
		}
		if _, err := a.Out.Write(text); err != nil {
			return err
		}
		if a.OutTerminal {
			fmt.Fprintln(a.Out)
		}
		return nil
	case formatYAML:
		return writeYAML(a.Out, sampleOutOf(s))
	case formatName:
		_, err := fmt.Fprintln(a.Out, s.Name())
		return err
	}
	return writeJSON(a.Out, sampleOutOf(s), a.output == formatJSONL)
}
