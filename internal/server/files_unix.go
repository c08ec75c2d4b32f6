//go:build unix

package server

import "syscall"

// openFiles is how many files, connections among them, this process may have open.
func openFiles() int {
	const plenty = 1 << 20
	var l syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &l); err != nil {
		return plenty
	}
	return int(min(uint64(l.Cur), plenty)) //nolint:unconvert // signed on some systems
}
