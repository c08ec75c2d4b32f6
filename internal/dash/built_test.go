//go:build !noui

package dash_test

import (
	"testing"

	"github.com/grapnelhq/grapnel/internal/dash"
	"github.com/grapnelhq/grapnel/internal/testx"
)

func TestFilesOfTheBinaryCanBeServed(t *testing.T) {
	t.Parallel()
	files, builtIn := dash.BuiltIn()
	testx.Equal(t, builtIn, true)
	s := testx.Must(dash.New(dash.Options{Files: files}))(t)
	for _, path := range []string{"/", "/portal"} {
		if resp := ask(s, "GET", path, "Accept", "text/html"); resp == nil || resp.StatusCode != 200 {
			t.Errorf("%s: no page", path)
		}
	}
}
