package config

import (
	"fmt"
	"os"
	"strings"

	"go.yaml.in/yaml/v4"
)

// maxFile is the most that is read of a configuration file, in bytes.
const maxFile = 1 << 20

// readFile takes the settings of a YAML file: one mapping of keys to texts,
// numbers, booleans or lists of them.
func (l *loader) readFile(path string) {
	if path == "" {
		return
	}
	info, err := os.Stat(path)
	if err == nil && info.Size() > maxFile {
		err = fmt.Errorf("it is larger than %d bytes", maxFile)
	}
	var text []byte
	if err == nil {
		text, err = os.ReadFile(path)
	}
	if err != nil {
		l.refuse("--config "+path, "cannot be read: "+err.Error(), "Name a readable YAML file.")
		return
	}
	l.readYAML(path, text)
}

func (l *loader) readYAML(path string, text []byte) {
	var doc yaml.Node
	if err := yaml.Unmarshal(text, &doc); err != nil {
		l.refuse(path, "is not YAML: "+err.Error(), "Write one `key: value` a line.")
		return
	}
	if len(doc.Content) == 0 { // an empty file
		return
	}
	top := doc.Content[0]
	if top.Kind != yaml.MappingNode {
		l.refuse(place(path, top), "is not a mapping", "Write one `key: value` a line.")
		return
	}
	byKey, keys := yamlKeys()
	seen := make(map[string]bool)
	for i := 0; i+1 < len(top.Content); i += 2 {
		key, value := top.Content[i], top.Content[i+1]
		where := place(path, key) + " " + key.Value
		s, known := byKey[key.Value]
		switch {
		case !known:
			fix := "Remove it."
			if near := Nearest(key.Value, keys); near != "" {
				fix = "Did you mean " + near + "?"
			}
			l.refuse(where, "is not a setting", fix)
			continue
		case seen[s.setting.Name]:
			l.refuse(where, "is given twice", "Remove one of the two.")
			continue
		}
		seen[s.setting.Name] = true
		v, err := plainText(value)
		if err != nil {
			l.refuse(where, err.Error(), "Write a text, a number, true or false, or a list of them.")
			continue
		}
		l.values[s.setting.Name] = given{text: v, origin: Origin(where), file: s.file}
	}
}

type yamlKey struct {
	setting Setting
	file    bool
}

// yamlKeys gives every key that a file may hold.
func yamlKeys() (map[string]yamlKey, []string) {
	byKey := make(map[string]yamlKey)
	var keys []string
	for _, s := range settings {
		byKey[s.Key()] = yamlKey{setting: s}
		keys = append(keys, s.Key())
		if s.Secret {
			byKey[s.Key()+"_file"] = yamlKey{setting: s, file: true}
			keys = append(keys, s.Key()+"_file")
		}
	}
	return byKey, keys
}

// plainText gives a value as one would write it behind a flag.
func plainText(n *yaml.Node) (string, error) {
	switch n.Kind {
	case yaml.AliasNode:
		return plainText(n.Alias)
	case yaml.ScalarNode:
		if n.Tag == "!!null" {
			return "", fmt.Errorf("has no value")
		}
		return n.Value, nil
	case yaml.SequenceNode:
		parts := make([]string, len(n.Content))
		for i, item := range n.Content {
			if item.Kind == yaml.AliasNode {
				item = item.Alias
			}
			if item.Kind != yaml.ScalarNode {
				return "", fmt.Errorf("has a list with more than texts in it")
			}
			parts[i] = item.Value
		}
		return strings.Join(parts, ","), nil
	case yaml.DocumentNode, yaml.MappingNode, yaml.StreamNode:
	}
	return "", fmt.Errorf("is a mapping")
}

func place(path string, n *yaml.Node) string {
	return fmt.Sprintf("%s:%d", path, n.Line)
}
