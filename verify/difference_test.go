package verify_test

import (
	"testing"

	"edgejwt/verify"
)

func TestDifference(t *testing.T) {
	for _, c := range []struct{ a, b, want string }{
		{"https://i.example/", "https://i.example/", ""},
		{"https://i.example", "https://i.example/", "only by the slash at the end"},
		{"https://i.example/", "https://i.example", "only by the slash at the end"},
		{"http://i.example/", "https://i.example/", "only by the scheme"},
		{"i.example", "https://i.example", "only by the scheme"},
		{"HTTPS://i.example", "https://i.example", "only by upper and lower case"},
		{"https://I.Example", "https://i.example", "only by upper and lower case"},
		{"http://I.Example", "https://i.example/", "only by the scheme and by the slash at the end and by upper and lower case"},
		{"api", "api/", "only by the slash at the end"},
		{"https://i.example/a", "https://i.example/b", ""},
		{"https://i.example//", "https://i.example", ""},
		{"", "https://", "only by the scheme"},
		{"", "/", "only by the slash at the end"},
		{"", "a", ""},
		{"ftp://i.example", "https://i.example", ""},
		{"https://É.example", "https://é.example", ""},
	} {
		if got := verify.Difference(c.a, c.b); got != c.want {
			t.Errorf("%q, %q: %q, want %q", c.a, c.b, got, c.want)
		}
		if got := verify.Difference(c.b, c.a); got != c.want {
			t.Errorf("%q, %q: %q, want %q", c.b, c.a, got, c.want)
		}
	}
}
