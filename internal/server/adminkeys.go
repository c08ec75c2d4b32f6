package server

import (
	"path/filepath"

	"github.com/grapnelhq/grapnel/internal/config"
	"github.com/grapnelhq/grapnel/internal/hook"
	"github.com/grapnelhq/grapnel/internal/seal"
)

// MasterKeys gives the keys that a server with these settings opens secrets with,
// the one that it seals with first. They are those of the settings, else those of
// the file beside the SQLite database; file is its path then, else empty. Unlike a
// start it makes no key: the error is then an *[seal.Error] with fs.ErrNotExist.
func MasterKeys(cfg *config.Config) (keys []seal.Key, file string, err error) {
	if cfg.Explicit("master-key") {
		keys, err = seal.ParseKeys(cfg.MasterKey.Reveal())
		return keys, "", err
	}
	file = filepath.Join(filepath.Dir(cfg.SQLitePath()), masterKeyFile)
	loaded, err := seal.Load(file)
	if err != nil {
		return nil, file, err
	}
	return append([]seal.Key{loaded.Key}, loaded.Older...), file, nil
}

// Sealer gives the functions with which a server seals and opens secrets.
func Sealer(k *seal.Keyring) (sealIt, open hook.SealFunc) { return sealer(k) }
