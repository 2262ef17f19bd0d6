package load

import (
	"time"

	"golang.org/x/sys/unix"
)

// until returns at a time, or at once when it is past. It sleeps in the kernel:
// Go's own timers wake up to a millisecond late when nothing else is to be done,
// which is more than most of the latencies that are measured here.
func until(t time.Time) {
	for d := time.Until(t); d > 0; d = time.Until(t) {
		ts := unix.NsecToTimespec(int64(d))
		unix.Nanosleep(&ts, nil) // an early end is seen by the loop
	}
}
