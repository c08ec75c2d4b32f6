package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"go.yaml.in/yaml/v4"
)

// profile is what the command line remembers of one server.
type profile struct {
	Server string `yaml:"server"`
	APIKey string `yaml:"api_key"`
	App    string `yaml:"app,omitempty"`
}

type profileFile struct {
	Profiles map[string]profile `yaml:"profiles"`
}

// devProfile is what `grapnel dev` saves, and what is used if no profile is
// named and there is none called "default".
const (
	devProfile     = "dev"
	defaultProfile = "default"
)

// profilePath is $XDG_CONFIG_HOME/grapnel/config.yaml, or its like.
func (s *Streams) profilePath() (string, error) {
	dir := s.getenv("XDG_CONFIG_HOME")
	if dir == "" {
		var err error
		if dir, err = os.UserConfigDir(); err != nil {
			return "", errors.New("HOME is not set")
		}
	}
	return filepath.Join(dir, "grapnel", "config.yaml"), nil
}

func (s *Streams) readProfiles() (profileFile, error) {
	var file profileFile
	path, err := s.profilePath()
	if err != nil {
		return file, err
	}
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return file, nil
	}
	if err != nil {
		return file, fmt.Errorf("reading profiles: %w", err)
	}
	if err := yaml.Load(text, &file, yaml.WithKnownFields()); err != nil {
		return file, fmt.Errorf("reading profiles of %s: %w", path, err)
	}
	return file, nil
}

// findProfile gives the named profile; without a name the default one, or none.
func (s *Streams) findProfile(name string) (profile, error) {
	file, err := s.readProfiles()
	if err != nil {
		if name == "" {
			return profile{}, nil
		}
		return profile{}, err
	}
	if name != "" {
		p, ok := file.Profiles[name]
		if !ok {
			return p, usage(fmt.Sprintf("there is no profile %q", name), "`grapnel dev` saves the profile dev.")
		}
		return p, nil
	}
	if p, ok := file.Profiles[defaultProfile]; ok {
		return p, nil
	}
	return file.Profiles[devProfile], nil
}

// saveProfile writes one profile; the file can be read by its owner only.
func (s *Streams) saveProfile(name string, p profile) error {
	path, err := s.profilePath()
	if err != nil {
		return err
	}
	file, err := s.readProfiles()
	if err != nil {
		return err
	}
	if file.Profiles[name] == p {
		return nil
	}
	if file.Profiles == nil {
		file.Profiles = make(map[string]profile)
	}
	file.Profiles[name] = p
	text, err := yaml.Dump(file)
	if err != nil {
		return fmt.Errorf("writing profiles: %w", err)
	}
	return writePrivate(path, text)
}

// writePrivate replaces a file by one that only its owner can read. A reader
// sees the old or the new text, never a part.
func writePrivate(path string, text []byte) error {
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("writing %s: %w", path, err)
	}
	f, err := os.CreateTemp(dir, filepath.Base(path)+".*") // made with mode 0600
	if err != nil {
		return fmt.Errorf("writing %s: %w", path, err)
	}
	_, err = f.Write(text)
	if err := errors.Join(err, f.Close()); err != nil {
		return errors.Join(fmt.Errorf("writing %s: %w", path, err), os.Remove(f.Name()))
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return errors.Join(fmt.Errorf("writing %s: %w", path, err), os.Remove(f.Name()))
	}
	return nil
}
