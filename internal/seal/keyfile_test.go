package seal_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/grapnelhq/grapnel/internal/seal"
)

func TestLoadOrCreateMakesAPrivateFileOnce(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "master.key")
	first, err := seal.LoadOrCreate(path)
	if err != nil || !first.Created || first.Note != "" {
		t.Fatalf("first start: created %t, note %q, %v", first.Created, first.Note, err)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("mode %v, %v", info.Mode(), err)
	}
	second, err := seal.LoadOrCreate(path)
	if err != nil || second.Created || !second.Key.Equal(first.Key) || second.Note != "" {
		t.Fatalf("second start: created %t, same key %t, %v", second.Created, second.Key.Equal(first.Key), err)
	}
	text, err := os.ReadFile(path)
	if err != nil || string(text) != first.Key.Reveal()+"\n" {
		t.Errorf("the file does not hold the key: %v", err)
	}
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(entries) != 1 {
		t.Errorf("%d files are left in the directory, %v", len(entries), err)
	}
}

func TestLoadOrCreateGivesOneKeyToAllThatStartAtOnce(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "master.key")
	const starters = 16
	loaded := make([]seal.Loaded, starters)
	var group sync.WaitGroup
	for i := range starters {
		group.Go(func() {
			var err error
			if loaded[i], err = seal.LoadOrCreate(path); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	created := 0
	for _, one := range loaded {
		if !one.Key.Equal(loaded[0].Key) {
			t.Error("two keys are in use")
		}
		if one.Created {
			created++
		}
	}
	if created != 1 {
		t.Errorf("%d created the file", created)
	}
}

func TestLoadWarnsOfAFileThatOthersReach(t *testing.T) {
	t.Parallel()
	for mode, warned := range map[fs.FileMode]bool{0o600: false, 0o400: false, 0o640: true, 0o604: true, 0o644: true, 0o620: true} {
		path := filepath.Join(t.TempDir(), "master.key")
		if err := os.WriteFile(path, []byte(canaryKey), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		loaded, err := seal.LoadOrCreate(path)
		if err != nil || !loaded.Key.Equal(mustKey(t, canaryKey)) {
			t.Errorf("mode %o: %v", mode, err)
		}
		if (loaded.Note != "") != warned || warned && !strings.Contains(loaded.Note, "chmod 600") {
			t.Errorf("mode %o: note %q", mode, loaded.Note)
		}
	}
}

func TestLoadOrCreateNeverReplacesAFile(t *testing.T) {
	t.Parallel()
	for name, content := range map[string]string{"empty": "", "cut": canaryKey[:20], "foreign": "hello\n", "huge": strings.Repeat("A", 1<<20)} {
		path := filepath.Join(t.TempDir(), "master.key")
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := seal.LoadOrCreate(path)
		if !errors.Is(err, seal.KeyText) || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: %v", name, err)
		}
		if left, err := os.ReadFile(path); err != nil || string(left) != content {
			t.Errorf("%s: the file was changed, %v", name, err)
		}
	}
}

func TestLoadOrCreateSaysWhatItCannotUse(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, path := range map[string]string{"no directory": filepath.Join(dir, "absent", "master.key"), "a directory": dir} {
		_, err := seal.LoadOrCreate(path)
		problem, ok := errors.AsType[*seal.Error](err)
		if !ok || problem.Problem != seal.KeyFile || problem.Hint() == "" || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := seal.Load(filepath.Join(dir, "master.key")); !errors.Is(err, fs.ErrNotExist) || !errors.Is(err, seal.KeyFile) {
		t.Errorf("Load without a file: %v", err)
	}
}

func TestReplaceChangesTheKeysOfAFileAtOnce(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "master.key")
	a, b := seal.NewKey(), seal.NewKey()
	for _, keys := range [][]seal.Key{{a}, {b, a}, {b}} {
		if err := seal.Replace(path, keys[0], keys[1:]...); err != nil {
			t.Fatal(err)
		}
		loaded, err := seal.Load(path)
		if err != nil || loaded.Note != "" || !loaded.Key.Equal(keys[0]) || len(loaded.Older) != len(keys)-1 {
			t.Fatalf("%d older keys, note %q, %v", len(loaded.Older), loaded.Note, err)
		}
		if len(keys) > 1 && !loaded.Older[0].Equal(keys[1]) {
			t.Error("the older key is another one")
		}
		if entries, err := os.ReadDir(filepath.Dir(path)); err != nil || len(entries) != 1 {
			t.Errorf("%d files are left, %v", len(entries), err)
		}
	}
	err := seal.Replace(filepath.Join(path, "no folder", "master.key"), a)
	if !errors.Is(err, seal.KeyFile) {
		t.Errorf("no folder: %v", err)
	}
}

func TestAFileWithSeveralKeysIsNeverReplacedByAStart(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "master.key")
	a, b := seal.NewKey(), seal.NewKey()
	if err := seal.Replace(path, a, b); err != nil {
		t.Fatal(err)
	}
	loaded, err := seal.LoadOrCreate(path)
	if err != nil || loaded.Created || !loaded.Key.Equal(a) || len(loaded.Older) != 1 || !loaded.Older[0].Equal(b) {
		t.Errorf("created %t, %d older keys, %v", loaded.Created, len(loaded.Older), err)
	}
}
