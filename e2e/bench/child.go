package bench

import (
	"encoding/json"
	"fmt"
	"net"
	"os"

	"edgejwt/e2e/bench/authz"
)

// childVariable carries the options of the ext_authz server to the process that
// is to be it.
const childVariable = "EDGEJWT_BENCH_AUTHZ"

type childOptions struct {
	Address string
	CAFile  string
	Check   authz.Options // without CA
}

// Child turns this process into the ext_authz server if it was started to be
// that, and then does not return. The server needs a process of its own so that it can be
// kept on a core and its processor time be read; programs that call Run call
// this first.
func Child() {
	text := os.Getenv(childVariable)
	if text == "" {
		return
	}
	fmt.Fprintln(os.Stderr, "ext_authz:", serveChild(text))
	os.Exit(1)
}

func serveChild(text string) error {
	var o childOptions
	if err := json.Unmarshal([]byte(text), &o); err != nil {
		return err
	}
	ca, err := os.ReadFile(o.CAFile)
	if err != nil {
		return err
	}
	o.Check.CA = ca
	l, err := net.Listen("tcp", o.Address)
	if err != nil {
		return err
	}
	return authz.Serve(l, o.Check)
}
