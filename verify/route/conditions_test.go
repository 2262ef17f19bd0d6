package route

import "testing"

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
