//go:build !linux

package load

import "time"

// until returns at a time, or at once when it is past.
func until(t time.Time) { time.Sleep(time.Until(t)) }
