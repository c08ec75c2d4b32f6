//go:build !noui

package dash

import (
	"embed"
	"io/fs"
)

//go:embed all:dist
var dist embed.FS

// BuiltIn gives the files that the binary holds; false: it was built without.
func BuiltIn() (fs.FS, bool) {
	files, err := fs.Sub(dist, "dist")
	return files, err == nil
}
