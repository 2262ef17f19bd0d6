package parts

import (
	"net"
	"sync"
)

// given are the addresses that FreeAddress has handed out.
var given sync.Map

// FreeAddress is host:port on loopback, a port that nobody holds at this moment.
// Whoever asks binds it a moment later, so none is handed out twice by a process:
// the system likes to offer the same one again.
func FreeAddress() (string, error) {
	for {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return "", err
		}
		address := l.Addr().String()
		if err := l.Close(); err != nil {
			return "", err
		}
		if _, again := given.LoadOrStore(address, true); !again {
			return address, nil
		}
	}
}
