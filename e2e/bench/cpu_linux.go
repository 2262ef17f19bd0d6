package bench

import (
	"fmt"
	"os"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// pin keeps all threads of a process, and those that they start later, on one
// core. 0 is this process.
func pin(pid, core int) error {
	if pid == 0 {
		pid = os.Getpid()
	}
	var set unix.CPUSet
	set.Set(core)
	// A thread may be born while the list is read: it inherits from its maker,
	// which may not have been reached yet. The second pass finds it.
	for range 2 {
		threads, err := os.ReadDir(fmt.Sprintf("/proc/%d/task", pid))
		if err != nil {
			return err
		}
		for _, t := range threads {
			tid, err := strconv.Atoi(t.Name())
			if err != nil {
				return err
			}
			if err := unix.SchedSetaffinity(tid, &set); err != nil && err != unix.ESRCH {
				return fmt.Errorf("thread %d cannot be kept on core %d: %w", tid, core, err)
			}
		}
	}
	return nil
}

// cpuTime is the processor time that a process has used, in user and kernel
// mode, to the nanosecond.
func cpuTime(pid int) (time.Duration, error) {
	// The clock of another process: clock_getcpuclockid(3). 2 is CPUCLOCK_SCHED.
	clock := int32(^pid<<3 | 2)
	var ts unix.Timespec
	if err := unix.ClockGettime(clock, &ts); err != nil {
		return 0, fmt.Errorf("processor time of process %d: %w", pid, err)
	}
	return time.Duration(ts.Nano()), nil
}
