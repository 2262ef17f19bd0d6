//go:build !linux

package parts

import "syscall"

// diesWithParent has no counterpart here: a killed parent leaves its children.
func diesWithParent(*syscall.SysProcAttr) {}
