package demo

import (
	"fmt"
	"net"
	"strconv"
)

// address is host:port.
type address string

func (a address) number() int {
	_, port, _ := net.SplitHostPort(string(a))
	n, _ := strconv.Atoi(port)
	return n
}

// ports are what the demonstration listens on.
type ports struct {
	edge, admin, api, auth0 address
}

// freePorts fails with a sentence when another program holds one of the ports.
// Otherwise the failure would show up later as somebody else's log.
func (s *stage) freePorts(standIn bool) error {
	list := []struct {
		who string
		at  address
	}{{"Envoy", s.ports.edge}, {"Envoy's admin pages", s.ports.admin}, {"the API", s.ports.api}}
	if standIn {
		list = append(list, struct {
			who string
			at  address
		}{"the stand-in Auth0", s.ports.auth0}, struct {
			who string
			at  address
		}{"the stand-in's control port", address(s.Control)})
	}
	for _, p := range list {
		l, err := net.Listen("tcp", string(p.at))
		if err != nil {
			return fmt.Errorf("port %d, which %s needs, is busy. Stop the program that listens there (lsof -i :%[1]d shows it), or change the port in %[3]s. (%[4]v)",
				p.at.number(), p.who, s.short(s.Config), err)
		}
		l.Close()
	}
	return nil
}
