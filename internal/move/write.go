package move

import (
	"bufio"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/grapnelhq/grapnel/internal/hook"
)

const (
	formatName = "grapnel-backup"
	// formatVersion counts what a program before would not understand: 2 has sources
	// and requests.
	formatVersion = 2
)

// Header is the first line of a backup.
type Header struct {
	Format  string    `json:"format"`  // always "grapnel-backup"
	Version int       `json:"version"` // of the format, from 1 on
	MadeAt  time.Time `json:"made_at"`
	Grapnel string    `json:"grapnel"` // the version that made it
	Store   string    `json:"store"`   // what it was made from: "sqlite" or "postgres"
	// MasterKeys are the ids of the keys that whoever made it had; those that sealed
	// the secrets in it are in the trailer.
	MasterKeys []string `json:"master_keys,omitempty"`
}

// trailer is the last line of a backup.
type trailer struct {
	Kinds []kindSum `json:"kinds"`
	// MasterKeys are the ids of the keys that sealed the secrets in it.
	MasterKeys []string `json:"master_keys"`
	// SHA256 is about all lines before this one, with their ends.
	SHA256 string `json:"sha256"`
}

type kindSum struct {
	Kind  string `json:"kind"`
	Count int64  `json:"count"`
	Sum   string `json:"sum"`
}

func (s Sums) forTrailer() []kindSum {
	out := make([]kindSum, len(s))
	for i := range s {
		out[i] = kindSum{s[i].Kind.String(), s[i].Count, s[i].Text()}
	}
	return out
}

// forTrailerOf is forTrailer as a program wrote it that knew only so many kinds: those
// that came later are at the end, and its backups have none of them.
func (s Sums) forTrailerOf(kinds int) []kindSum {
	all := s.forTrailer()
	for len(all) > kinds && all[len(all)-1].Count == 0 {
		all = all[:len(all)-1]
	}
	return all
}

// Source gives everything that a store holds.
type Source interface {
	Dump(ctx context.Context, emit func(hook.Record) error) error
}

// Contents is what went through a backup or a copy.
type Contents struct {
	Sums Sums
	// MasterKeys are the ids of the keys that sealed the secrets.
	MasterKeys []string
}

// Write writes a backup of everything that from holds. Of the header it takes all
// but format and version.
func Write(ctx context.Context, to io.Writer, h Header, from Source, tell Progress) (Contents, error) {
	zip, err := gzip.NewWriterLevel(to, gzip.BestSpeed)
	if err != nil {
		return Contents{}, err
	}
	w := &lineWriter{out: bufio.NewWriterSize(zip, 1<<16), sum: sha256.New()}
	h.Format, h.Version = formatName, formatVersion
	if err := w.json(h); err != nil {
		return Contents{}, err
	}
	m := newMeter(tell)
	if err := from.Dump(ctx, func(rec hook.Record) error {
		line, err := m.count(rec)
		if err != nil {
			return err
		}
		return w.line(line)
	}); err != nil {
		return Contents{}, err
	}
	out := m.contents()
	last := trailer{Kinds: out.Sums.forTrailer(), MasterKeys: out.MasterKeys, SHA256: hex.EncodeToString(w.sum.Sum(nil))}
	return out, firstOf(w.json(last), w.out.Flush(), zip.Close())
}

// lineWriter writes lines and sums them up.
type lineWriter struct {
	out *bufio.Writer
	sum hash.Hash
}

func (w *lineWriter) line(text []byte) error {
	w.sum.Write(text)
	w.sum.Write([]byte{'\n'})
	_, err := w.out.Write(text)
	return firstOf(err, w.out.WriteByte('\n'))
}

func (w *lineWriter) json(value any) error {
	text, err := json.Marshal(value)
	if err != nil {
		return fmt.Errorf("write a line of the backup: %w", err)
	}
	return w.line(text)
}

// WriteFile writes a backup to a file that appears under its name when it is whole
// and on disk, and that only its owner can read. A file that exists is replaced
// only if force says so, else the error is FileExists; what is no file, such as
// /dev/null, never is: the error is NotAFile. It gives the size in bytes.
func WriteFile(ctx context.Context, path string, force bool, h Header, from Source, tell Progress) (_ Contents, size int64, err error) {
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		return Contents{}, 0, &Error{Problem: NotAFile, Detail: path}
	}
	if _, err := os.Lstat(path); !force && !errors.Is(err, fs.ErrNotExist) {
		return Contents{}, 0, firstOf(err, &Error{Problem: FileExists, Detail: path})
	}
	// CreateTemp opens with O_EXCL and mode 0600.
	file, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".new-*")
	if err != nil {
		return Contents{}, 0, err
	}
	defer func() {
		if err != nil {
			_ = file.Close()
			_ = os.Remove(file.Name()) // unless it has its name already
		}
	}()
	out, err := Write(ctx, file, h, from, tell)
	if err != nil {
		return Contents{}, 0, err
	}
	info, err := file.Stat()
	if err != nil {
		return Contents{}, 0, err
	}
	if err := errors.Join(file.Sync(), file.Close()); err != nil {
		return Contents{}, 0, err
	}
	return out, info.Size(), errors.Join(os.Rename(file.Name(), path), syncFolder(filepath.Dir(path)))
}

// syncFolder makes a new name in the folder survive a power cut.
func syncFolder(path string) error {
	folder, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}
