//go:build linux || darwin

package server

import "syscall"

// diskSpace gives the bytes of the disk under a folder, and those that this process
// may still write. ok is false if the system does not tell.
func diskSpace(folder string) (size, free float64, ok bool) {
	var fs syscall.Statfs_t
	if syscall.Statfs(folder, &fs) != nil {
		return 0, 0, false
	}
	block := float64(fs.Bsize)
	return float64(fs.Blocks) * block, float64(fs.Bavail) * block, true
}
