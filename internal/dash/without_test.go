//go:build noui

package dash_test

import (
	"testing"

	"github.com/grapnelhq/grapnel/internal/dash"
)

func TestBinaryWithoutPagesSaysSo(t *testing.T) {
	t.Parallel()
	if _, builtIn := dash.BuiltIn(); builtIn {
		t.Error("there are files")
	}
}
