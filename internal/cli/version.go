package cli

import (
	"fmt"
	"runtime"

	"github.com/spf13/cobra"
)

type versionOut struct {
	Version  string `json:"version"`
	Go       string `json:"go"`
	Platform string `json:"platform"`
}

func thisVersion() versionOut {
	return versionOut{version, runtime.Version(), runtime.GOOS + "/" + runtime.GOARCH}
}

// String is what people read, one line.
func (v versionOut) String() string {
	return fmt.Sprintf("grapnel %s (%s, %s)\n", v.Version, v.Go, v.Platform)
}

func (a *app) versionCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Args:  noArgs,
		RunE: func(*cobra.Command, []string) error {
			v := thisVersion()
			return a.print(v, func() error {
				_, err := fmt.Fprint(a.Out, v)
				return err
			}, v.Version)
		},
	}
	a.outputFlag(cmd)
	return cmd
}

// print writes one result in the form of -o: as people read it, as a document,
// or its name alone.
func (a *app) print(v any, people func() error, name string) error {
	switch a.output {
	case formatJSON:
		return writeJSON(a.Out, v, false)
	case formatJSONL:
		return writeJSON(a.Out, v, true)
	case formatYAML:
		return writeYAML(a.Out, v)
	case formatName:
		_, err := fmt.Fprintln(a.Out, name)
		return err
	}
	return people()
}
