package route

import (
	"strings"
	"testing"

	"edgejwt/verify"
)

func TestHeadersFit(t *testing.T) {
	for _, c := range []struct {
		name   string
		values []string
		lines  []string // name, value …
		want   fit
	}{
		{"absent", nil, []string{"x-b", "1"}, never},
		{"there", nil, []string{"x-a", ""}, always},
		{"there, respelled", nil, []string{"x.a", ""}, inSome},
		{"there, in both spellings", nil, []string{"x.a", "", "x-a", ""}, always},
		{"a value", []string{"1", "2"}, []string{"x-a", "2"}, always},
		{"another value", []string{"1", "2"}, []string{"x-a", "3"}, never},
		{"a value, respelled", []string{"1", "2"}, []string{"x~a", "2"}, inSome},
		{"another value, respelled", []string{"1"}, []string{"x~a", "3"}, never},
		{"two values", []string{"1", "2"}, []string{"x-a", "2", "x_a", "1"}, always},
		{"two lines of one name", []string{"1", "2"}, []string{"x-a", "2", "x-a", "1"}, inSome},
		{"a value, and another respelled", []string{"1"}, []string{"x-a", "1", "x_a", "2"}, inSome},
		{"a value respelled, and another", []string{"1"}, []string{"x-a", "2", "x_a", "1"}, inSome},
		{"two respelled values", []string{"1"}, []string{"x.a", "2", "x_a", "1"}, inSome},
		{"two lines, one of another value", []string{"1"}, []string{"x-a", "1", "x-a", "2"}, inSome},
		{"a pseudo header", []string{"1"}, []string{":x-a", "1", "x-a", "1"}, always},
	} {
		var headers [][2]string
		for i := 0; i < len(c.lines); i += 2 {
			headers = append(headers, [2]string{c.lines[i], c.lines[i+1]})
		}
		table, faults := NewTable([]Route{{Headers: []Header{{Name: "x-a", Values: c.values}}}}, Options{})
		if faults != nil {
			t.Fatalf("%s: %v", c.name, faults)
		}
		l := lookup{table: table, request: Request{Headers: headers}}
		if got := l.headersFit(&table.rules[0]); got != c.want {
			t.Errorf("%s: %03b; want %03b", c.name, got, c.want)
		}
	}
}

// TestFindIsBounded: what one request may cost is bounded, and beyond the bound it is
// refused.
func TestFindIsBounded(t *testing.T) {
	find := func(path string, routes []Route) error {
		table, faults := NewTable(routes, Options{})
		if faults != nil {
			t.Fatal(faults)
		}
		return table.Find(&Request{Method: "GET", Host: "h", Path: path}, &Match{})
	}
	// Each of these matches a reading of /x, and none matches /x as it was sent.
	var routes []Route
	for range maxCandidates + 1 {
		routes = append(routes, Route{Path: Path{Kind: Exact, Text: "/x/"}})
	}
	if err := find("/x", routes[1:]); err != nil {
		t.Errorf("%d candidates: %v", maxCandidates, err)
	}
	if err := find("/x", routes); verify.ReasonOf(err) != verify.RequestAmbiguous {
		t.Errorf("one candidate more: %v", err)
	}

	// An expression is run for the canonical path and for the bytes that were sent.
	expression := []Route{{Path: Path{Kind: Regex, Text: "/[a-z]+"}}}
	table, _ := NewTable(expression, Options{})
	bytes := verify.MaxRegexWork / table.rules[0].path.instructions
	if err := find("/"+strings.Repeat("a", bytes/2-1), expression); err != nil {
		t.Errorf("an expression within the bound: %v", err)
	}
	if err := find("/"+strings.Repeat("a", bytes/2+1), expression); verify.ReasonOf(err) != verify.PathAmbiguous {
		t.Errorf("an expression beyond the bound: %v", err)
	}
}
