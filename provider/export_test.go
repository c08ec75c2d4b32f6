package provider

// Opened for the tests of this package.
var (
	JSONText     = jsonText
	JSONWith     = jsonWith
	ParseContent = func(template string) error { _, err := parseContent(template); return err }
	SettingNames = func() (names []string) {
		for _, field := range fields {
			names = append(names, field.name)
		}
		return names
	}
	TableProviders = func() (names []string) {
		for _, p := range hmacProviders {
			names = append(names, p.Name)
		}
		return names
	}
)

// ReadPairs gives what the reader of key-value headers finds.
func ReadPairs(line string) (stamp string, signatures []string, ok bool) {
	p := pairs{separator: ",", time: "t", signature: "v1"}
	var e evidence
	refused := p.read("X", line, true, &e)
	return e.stamp, e.signatures, refused.Reason == ""
}
