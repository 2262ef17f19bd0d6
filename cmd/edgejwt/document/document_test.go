package document

import (
	"fmt"
	"strings"
	"testing"
)

func TestRead(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"scalars", "a: 1.0\nb: 1e3\nc: 0x10\nd: 0o17\ne: null\nf: ~\ng: yes\nh: 'x'\ni: 2020-01-01\nj: True\nk: 123456789012345678901234567890\nl: .5\nm: +7\nn: 1_000",
			`{"a":1.0,"b":1e3,"c":16,"d":15,"e":null,"f":null,"g":"yes","h":"x","i":"2020-01-01","j":true,"k":123456789012345678901234567890,"l":0.5,"m":7,"n":1000}`},
		{"flow and JSON", "{\"a\": [1, {\"b\": \"x\\/y\"}],\n\t\"c\": \"<&>\"}", `{"a":[1,{"b":"x/y"}],"c":"<&>"}`},
		{"alias", "a: &x {b: 1}\nc: *x", `{"a":{"b":1},"c":{"b":1}}`},
		{"merge", "a: &x {b: 1, c: 2}\nd: {<<: *x, b: 3}", `{"a":{"b":1,"c":2},"d":{"b":3,"c":2}}`},
		{"merge of several", "a: &x {b: 1}\nc: &y {b: 2, d: 3}\ne:\n  <<: [*x, *y]", `{"a":{"b":1},"c":{"b":2,"d":3},"e":{"b":1,"d":3}}`},
		{"empty documents between others", "---\n---\na: 1\n---\n# nothing\n---\nb: 2\n", `{"a":1} {"b":2}`},
		{"nothing", "", ``},
		{"tagged", "a: !!str 5", `{"a":"5"}`},
		{"colons", `"a:b": "c: d"`, `{"a:b":"c: d"}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			documents, err := Read([]byte(c.text))
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, d := range documents {
				got = append(got, string(d.JSON()))
			}
			if got := strings.Join(got, " "); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

func TestReadRefuses(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"member twice", "a: 1\nb: 2\na: 3", `line 3: the member "a" stands twice`},
		{"member twice in JSON", "{\"a\": 1,\n\"a\": 2}", `line 2: the member "a" stands twice`},
		{"not a number", "a: .inf", "line 1: is a number that JSON cannot spell"},
		{"unknown tag", "a: !env HOME", `line 1: the tag "!env" is not known`},
		{"name that is no text", "? [a]\n: b", "line 1: a member's name is not a text"},
		{"alias to itself", "a: &x [*x]", "line 1: the file is nested too deeply, or its aliases make too much of it"},
		{"unknown alias", "a: *x", "unknown anchor 'x' referenced"},
		{"merged list", "a: {<<: [1]}", "line 1: what is merged (<<) is not a mapping"},
		{"bomb", "a: &a [1,1,1,1,1,1,1,1,1]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\n" +
			"d: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c]\ne: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d]\nf: &f [*e,*e,*e,*e,*e,*e,*e,*e,*e]\n" +
			"g: &g [*f,*f,*f,*f,*f,*f,*f,*f,*f]\n", "aliases make too much of it"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, err := Read([]byte(c.text)); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %s", err, c.want)
			}
		})
	}
}

// TestReadNamed: a name that ends in .json allows JSON only.
func TestReadNamed(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"a.yaml", "a: 1", `{"a":1}`},
		{"a.yaml", `{"a": 1}`, `{"a":1}`},
		{"a", "a: 1", `{"a":1}`},
		{"a.json", `{"a": 1}`, `{"a":1}`},
		{"a.json", "a: 1", ""},
		{"a.JSON", "{a: 1}", ""},
		{"a.json", `{"a": 1,}`, ""},
		{"a.json", "{\"a\": 1} # x", ""},
		{"a.json", "", ""},
	} {
		documents, err := ReadNamed(c.name, []byte(c.text))
		switch {
		case c.want == "":
			if err == nil || !strings.Contains(err.Error(), "JSON") {
				t.Errorf("%s with %q: %v, %v; want an error", c.name, c.text, documents, err)
			}
		case err != nil || len(documents) != 1 || string(documents[0].JSON()) != c.want:
			t.Errorf("%s with %q: %v, %v", c.name, c.text, documents, err)
		}
	}
}

func TestWhere(t *testing.T) {
	documents, err := Read([]byte("a:\n  b:\n  - c: 1\n  - \"x y\": 2\n  text: |\n    {\n      \"k\": [\n        0, 7]}\n  line: '{\"k\": 1}'\n"))
	if err != nil {
		t.Fatal(err)
	}
	root := documents[0]
	var got strings.Builder
	root.Walk(func(n *Node) bool {
		fmt.Fprintf(&got, "%s:%d ", n.Path, n.Line)
		return true
	})
	if want := `:1 a:1 a.b:2 a.b[0]:3 a.b[0].c:3 a.b[1]:4 a.b[1]."x y":4 a.text:5 a.line:9 `; got.String() != want {
		t.Errorf("got  %s\nwant %s", got.String(), want)
	}
	inner, err := root.Get("a", "text").Inner()
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]int{"": 6, "k": 7, "k[1]": 8, "k[9]": 7, "nope.k": 6} {
		if got := inner.At(path).Line; got != want {
			t.Errorf("%q: line %d, want %d", path, got, want)
		}
	}
	if got := root.At(`a.b[1]."x y"`); !got.Is("2") {
		t.Errorf("a quoted name: %+v", got)
	}
}

func TestNames(t *testing.T) {
	documents, err := Read([]byte("httpFilters: 1\nvm_config: 2\nab_cd_ef: 3\nabCd: x"))
	if err != nil {
		t.Fatal(err)
	}
	root := documents[0]
	for name, want := range map[string]string{"http_filters": "1", "vm_config": "2", "ab_cd_ef": "3"} {
		if !root.Get(name).Is(want) {
			t.Errorf("%s: %+v", name, root.Get(name))
		}
	}
	if root.Get("vmConfig") != nil || root.Get("nope", "further") != nil {
		t.Error("found what is not there")
	}
	var none *Node
	if none.Str() != "" || none.Is("") || none.Items() != nil || none.Members() != nil || none.At("x") != nil || string(none.JSON()) != "null" {
		t.Error("nil is not nothing")
	}
}

// FuzzRead holds that what is read can be written and read again.
func FuzzRead(f *testing.F) {
	for _, seed := range []string{"a: 1", "a: &x {b: 1}\nc: *x", `{"a": [1, null, true, "\u00e9"]}`, "- 1\n- 0x1F\n", "a: |\n  x\n  y\n", "a: .5\nb: 1e+3\n---\n- ~"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		documents, err := Read(text)
		if err != nil {
			return
		}
		for _, d := range documents {
			first := string(d.JSON())
			again, err := ParseJSON(first, 1)
			if err != nil {
				t.Fatalf("%q: %v", first, err)
			}
			if second := string(again.JSON()); second != first {
				t.Fatalf("%q became %q", first, second)
			}
		}
	})
}
