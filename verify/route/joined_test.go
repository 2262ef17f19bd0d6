package route_test

import (
	"testing"

	"edgejwt/verify/route"
)

// TestJoinedLine: one line with commas is the same message as several lines (RFC 9110
// §5.3), so it comes to no laxer rule.
func TestJoinedLine(t *testing.T) {
	table := newTable(t, []route.Route{
		{Name: "admin", Headers: []route.Header{{Name: "x-mode", Values: []string{"admin"}}}, Requirements: route.Requirements{Permissions: []string{"admin"}}},
		{Name: "closed", Headers: []route.Header{{Name: "x-debug", Values: []string{"1"}}}, Auth: route.Deny},
		{Name: "open", Headers: []route.Header{{Name: "x-version", Values: []string{"1"}}}, Auth: route.None},
	}, route.Options{})
	for _, c := range []struct {
		headers [][2]string
		want    string
	}{
		{[][2]string{{"x-mode", "user"}, {"x-mode", "admin"}}, "admin"},
		{[][2]string{{"x-mode", "user, admin"}}, "admin"},
		{[][2]string{{"x-mode", "user,admin\t"}}, "admin"},
		{[][2]string{{"x.mode", "user,admin"}}, "admin"},
		{[][2]string{{"x-debug", "0"}, {"x-debug", "1"}}, "closed"},
		{[][2]string{{"x-debug", "0,1"}}, "closed"},
		{[][2]string{{"x-version", "1,2"}}, ""},
		{[][2]string{{"x-mode", "user,administrator"}}, ""},
	} {
		var m route.Match
		if err := table.Find(&route.Request{Method: "GET", Host: "h", Path: "/", Headers: c.headers}, &m); err != nil || m.Route.Name != c.want {
			t.Errorf("%q: %v, %v; want route %q", c.headers, m.Route, err, c.want)
		}
	}
}
