//go:build !linux

package bench

import (
	"errors"
	"time"
)

var errLinux = errors.New("the benchmark needs Linux: it pins processes to cores and reads their clocks")

func pin(pid, core int) error                { return errLinux }
func cpuTime(pid int) (time.Duration, error) { return 0, errLinux }
