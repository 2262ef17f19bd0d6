// This empty file lets hostcall_native.go declare a function without a body.
