// Package jwks holds the keys of one issuer: it reads key sets (RFC 7517), and
// it decides when to fetch them, what to keep and what to say while there are
// none.
//
// The package does nothing by itself. Machine is a state machine: events go in
// (a tick, a record read from shared data, an answer from the provider), and
// the actions to carry out come back. Time, random numbers and bytes are
// arguments. The plugin's adapter carries actions to the host; the tests carry
// them to a model of the host, with thousands of rotations, outages, dead
// workers and clock jumps.
//
// Who knows what:
//
//   - Set and Parse: which keys of a document are usable.
//   - Record: what all workers of a process know together, as bytes that are
//     changed by compare-and-swap only.
//   - Machine: what one worker knows, and whose turn it is to fetch.
//
// README.md draws the states. Left to others: HTTP and TLS (the host), the
// check of signatures (verify), which requests wait (the adapter).
package jwks
