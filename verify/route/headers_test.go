package route

import "testing"

func TestHeaderHolds(t *testing.T) {
	for _, c := range []struct {
		name         string
		values       []string
		lines        []string // name, value …
		sent, folded bool
	}{
		{"absent", nil, []string{"x-b", "1"}, false, false},
		{"there", nil, []string{"x-a", ""}, true, true},
		{"there, respelled", nil, []string{"x.a", ""}, false, true},
		{"there, in both spellings", nil, []string{"x.a", "", "x-a", ""}, true, true},
		{"a value", []string{"1", "2"}, []string{"x-a", "2"}, true, true},
		{"another value", []string{"1", "2"}, []string{"x-a", "3"}, false, false},
		{"a value, respelled", []string{"1", "2"}, []string{"x~a", "2"}, false, true},
		{"another value, respelled", []string{"1"}, []string{"x~a", "3"}, false, false},
		{"two values", []string{"1", "2"}, []string{"x-a", "2", "x_a", "1"}, true, true},
		{"a value, and another respelled", []string{"1"}, []string{"x-a", "1", "x_a", "2"}, true, false},
		{"a value respelled, and another", []string{"1"}, []string{"x-a", "2", "x_a", "1"}, false, true},
		{"two respelled values", []string{"1"}, []string{"x.a", "2", "x_a", "1"}, false, true},
		{"two lines, one of another value", []string{"1"}, []string{"x-a", "1", "x-a", "2"}, false, true},
		{"a pseudo header", []string{"1"}, []string{":x-a", "1", "x-a", "1"}, true, true},
	} {
		var headers [][2]string
		for i := 0; i < len(c.lines); i += 2 {
			headers = append(headers, [2]string{c.lines[i], c.lines[i+1]})
		}
		h := Header{Name: "x-a", Values: c.values}
		if sent, folded := h.holds(headers); sent != c.sent || folded != c.folded {
			t.Errorf("%s: sent %v, folded %v; want %v, %v", c.name, sent, folded, c.sent, c.folded)
		}
	}
}
