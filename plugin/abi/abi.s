// This empty file lets native.go declare a function without a body.
