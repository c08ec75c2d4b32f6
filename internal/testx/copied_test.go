package testx_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/grapnelhq/grapnel/internal/testx"
)

func TestAFileIsMadeOnceAndCopiedOften(t *testing.T) {
	t.Parallel()
	made := 0
	put := testx.Copied(func(path string) error { made++; return os.WriteFile(path, []byte("grapnel"), 0o600) })
	for range 3 {
		path := filepath.Join(t.TempDir(), "copy")
		testx.NoError(t, put(path))
		if got, err := os.ReadFile(path); err != nil || string(got) != "grapnel" {
			t.Errorf("the copy is %q, %v", got, err)
		}
		if err := put(path); !errors.Is(err, os.ErrExist) {
			t.Errorf("a file that is there: %v", err)
		}
	}
	if made != 1 {
		t.Errorf("it was made %d times", made)
	}
	bad := errors.New("no")
	if err := testx.Copied(func(string) error { return bad })("x"); !errors.Is(err, bad) {
		t.Errorf("what cannot be made: %v", err)
	}
}
