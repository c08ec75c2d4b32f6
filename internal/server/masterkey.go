package server

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/grapnelhq/grapnel/internal/auth"
	"github.com/grapnelhq/grapnel/internal/hook"
	"github.com/grapnelhq/grapnel/internal/seal"
)

const masterKeyFile = "master.key"

// masterKey gives the key for secrets at rest: that of the settings, which
// PostgreSQL needs, else the one in the file beside the SQLite file, which is made
// with it.
func (s *Server) masterKey(ctx context.Context) (*seal.Keyring, error) {
	if text := s.cfg.MasterKey.Reveal(); text != "" {
		keys, err := seal.ParseKeys(text)
		if err != nil {
			return nil, err
		}
		if len(keys) > 1 {
			s.log.InfoContext(ctx, "several master keys are given: the first encrypts, all of them open", "first", keys[0].ID(), "keys", len(keys))
		}
		return seal.NewKeyring(keys[0], keys[1:]...)
	}
	database := s.cfg.SQLitePath()
	path := filepath.Join(filepath.Dir(database), masterKeyFile)
	if exists(database) && !exists(path) {
		return nil, &MasterKeyError{Path: path, Database: database}
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, &DataFolderError{Path: filepath.Dir(path), Err: err}
	}
	loaded, err := seal.LoadOrCreate(path)
	if err != nil {
		return nil, err
	}
	if loaded.Created {
		s.log.InfoContext(ctx, "created master key", "path", path, "note", "back this up: secrets cannot be read without it")
	}
	if loaded.Note != "" {
		s.log.WarnContext(ctx, loaded.Note, "path", path)
	}
	if len(loaded.Older) > 0 {
		s.log.WarnContext(ctx, "the key file has several keys: a change of the master key has not come to its end; stop the server and run grapnel admin rotate-master-key again",
			"path", path, "first", loaded.Key.ID(), "keys", 1+len(loaded.Older))
	}
	return seal.NewKeyring(loaded.Key, loaded.Older...)
}

// appsPage is how many applications are read at a time in the search for a secret.
const appsPage = 250

// tryMasterKey opens one of the secrets in the database, so that a wrong key is
// found at the start and not at the first delivery. Applications without
// endpoints are passed over, however many there are: a start with a wrong key
// would seal new secrets with it.
func (s *Server) tryMasterKey(ctx context.Context, open hook.SealFunc) error {
	envs, err := s.store.ListEnvironments(ctx)
	if err != nil {
		return fmt.Errorf("listing environments: %w", err)
	}
	for _, env := range envs {
		e, err := s.anyEndpoint(ctx, env.ID)
		if err != nil {
			return err
		}
		if e != nil {
			_, err := open(hook.PurposeSecret, e.ID, e.Secrets[0].Sealed)
			return err
		}
		sources, err := s.store.ListSources(ctx, env.ID, hook.Page{Limit: 1, Ascending: true})
		if err != nil {
			return fmt.Errorf("listing sources: %w", err)
		}
		if len(sources.Items) > 0 && len(sources.Items[0].Tokens) > 0 {
			one := sources.Items[0]
			_, err := open(hook.PurposeSourceToken, one.ID, one.Tokens[0].Sealed)
			return err
		}
	}
	return nil
}

// anyEndpoint gives an endpoint of the environment, of the oldest application
// that has one; nil if none has.
func (s *Server) anyEndpoint(ctx context.Context, env hook.ID) (*hook.Endpoint, error) {
	p := hook.Page{Limit: appsPage, Ascending: true}
	for {
		apps, err := s.store.ListApplications(ctx, env, p)
		if err != nil {
			return nil, fmt.Errorf("listing applications: %w", err)
		}
		for _, app := range apps.Items {
			endpoints, err := s.store.ListEndpoints(ctx, env, app.ID, hook.Page{Limit: 1})
			if err != nil {
				return nil, fmt.Errorf("listing endpoints: %w", err)
			}
			if len(endpoints.Items) > 0 && len(endpoints.Items[0].Secrets) > 0 {
				return &endpoints.Items[0], nil
			}
		}
		if !apps.More {
			return nil, nil
		}
		p.From = apps.Items[len(apps.Items)-1].ID
	}
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return !errors.Is(err, fs.ErrNotExist)
}

// sealer binds what is sealed to its purpose and object.
func sealer(k *seal.Keyring) (sealIt, open hook.SealFunc) {
	sealIt = func(purpose string, id hook.ID, data []byte) ([]byte, error) {
		return k.Seal(data, sealContext(purpose, id)), nil
	}
	open = func(purpose string, id hook.ID, data []byte) ([]byte, error) {
		return k.Open(data, sealContext(purpose, id))
	}
	return sealIt, open
}

func sealContext(purpose string, id hook.ID) []byte {
	return append(append([]byte(purpose), 0), id[:]...)
}

// NewAPIKey makes the text of an API key.
func NewAPIKey() string {
	token, _ := auth.NewToken(false)
	return token
}
