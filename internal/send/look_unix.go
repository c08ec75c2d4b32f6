//go:build unix

package send

import (
	"errors"
	"syscall"
)

// looker looks at an idle connection without waiting.
type looker struct {
	control syscall.RawConn
	read    func(fd uintptr) bool // made once, as is its result's place
	silent  bool
}

func newLooker(control syscall.RawConn) *looker {
	l := &looker{control: control}
	l.read = func(fd uintptr) bool {
		var b [1]byte
		// The descriptor does not block. A byte that is read is lost, but then so
		// is the connection.
		_, err := syscall.Read(int(fd), b[:])
		l.silent = errors.Is(err, syscall.EAGAIN)
		return true
	}
	return l
}

// quiet reports that there is nothing to read, neither data nor an end.
func (l *looker) quiet() bool {
	l.silent = false
	return l.control.Read(l.read) == nil && l.silent
}
