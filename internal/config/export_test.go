package config

// ReadYAML reads the text of a file and gives what is wrong with it.
func ReadYAML(text string) []Problem {
	l := newLoader(Sources{})
	l.readYAML("fuzz.yaml", []byte(text))
	return l.problems
}
