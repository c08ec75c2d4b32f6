//go:build noui

package dash

import "io/fs"

// BuiltIn gives the files that the binary holds; false: it was built without.
func BuiltIn() (fs.FS, bool) { return nil, false }
