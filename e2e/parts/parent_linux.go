package parts

import "syscall"

// diesWithParent lets the kernel end the child when this process is killed
// without a chance to do so itself.
func diesWithParent(a *syscall.SysProcAttr) { a.Pdeathsig = syscall.SIGTERM }
