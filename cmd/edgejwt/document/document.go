// Package document reads the files that the command line is given, YAML or JSON, into
// one kind of tree that knows where each value stands.
//
// JSON is read by the plugin's own strict parser; YAML by go.yaml.in/yaml, with
// what would make a file mean two things refused: a member that stands twice, an
// unknown tag, a number that JSON cannot spell. Aliases and merge keys are
// followed, so that whoever walks the tree need not know of them.
//
// The package knows nothing of what the files say.
package document

import (
	"strconv"
	"strings"
)

// MaxBytes is the greatest size of a file. Bootstraps of large meshes, dumped
// with all their clusters, have some megabytes.
const MaxBytes = 32 << 20

// Kind is the kind of a Node.
type Kind uint8

// The kinds, as JSON has them (RFC 8259 §3).
const (
	Null Kind = iota
	Bool
	Number
	Text
	List
	Map
)

// Node is one value of a file. It is not changed after Read.
//
// All methods may be called on nil, which stands for a value that is not there.
type Node struct {
	Kind Kind
	// Name is the member's name when the value stands in a Map.
	Name string
	// Text is a Text's text, "true" or "false" of a Bool, and a Number as JSON
	// spells it.
	Text string
	// Path is where the value stands: "static_resources.listeners[0]"; "" for the
	// whole document.
	Path string
	// Line is where it begins, from 1.
	Line int
	// Children are the members of a Map and the elements of a List, in order.
	Children []*Node

	block bool // a text whose own first line is the line after Line
}

// Get follows names of members; nil when there is no such way. Protobuf has two
// names for each field (https://protobuf.dev/programming-guides/json), so a name
// in snake_case finds its camelCase too.
func (n *Node) Get(names ...string) *Node {
	for _, name := range names {
		if n = n.member(name); n == nil {
			return nil
		}
	}
	return n
}

func (n *Node) member(name string) *Node {
	if n == nil || n.Kind != Map {
		return nil
	}
	for _, child := range n.Children {
		if child.Name == name || strings.Contains(name, "_") && child.Name == camel(name) {
			return child
		}
	}
	return nil
}

// camel gives a field's name in JSON for its name in a .proto file.
func camel(name string) string {
	first, rest, _ := strings.Cut(name, "_")
	for _, word := range strings.Split(rest, "_") {
		if word != "" {
			first += strings.ToUpper(word[:1]) + word[1:]
		}
	}
	return first
}

// Items gives the elements of a List, and none of anything else.
func (n *Node) Items() []*Node {
	if n == nil || n.Kind != List {
		return nil
	}
	return n.Children
}

// Members gives the members of a Map, and none of anything else.
func (n *Node) Members() []*Node {
	if n == nil || n.Kind != Map {
		return nil
	}
	return n.Children
}

// Str gives the text of a Text, and "" of anything else.
func (n *Node) Str() string {
	if n == nil || n.Kind != Text {
		return ""
	}
	return n.Text
}

// Is reports whether the value is the given scalar: a text, a number as JSON
// spells it, "true" or "false".
func (n *Node) Is(text string) bool {
	return n != nil && n.Kind != Null && n.Kind != List && n.Kind != Map && n.Text == text
}

// At follows a path as the faults of package config write it, "jwtRules[0].issuer",
// as far as it leads; the last node on the way comes back, at least n itself.
func (n *Node) At(path string) *Node {
	for n != nil && path != "" {
		next := n.step(&path)
		if next == nil {
			break
		}
		n = next
	}
	return n
}

// step takes the first step off the path.
func (n *Node) step(path *string) *Node {
	text := strings.TrimPrefix(*path, ".")
	if rest, ok := strings.CutPrefix(text, "["); ok {
		index, rest, _ := strings.Cut(rest, "]")
		*path = rest
		if i, err := strconv.Atoi(index); err == nil && i >= 0 && i < len(n.Items()) {
			return n.Children[i]
		}
		return nil
	}
	name := text
	if quoted, err := strconv.QuotedPrefix(text); err == nil {
		*path = text[len(quoted):]
		name, _ = strconv.Unquote(quoted)
	} else {
		end := strings.IndexAny(text, ".[")
		if end < 0 {
			end = len(text)
		}
		*path, name = text[end:], text[:end]
	}
	return n.member(name)
}

// Walk calls visit for the node and for everything below it, outermost first,
// until visit says not to go below.
func (n *Node) Walk(visit func(*Node) (below bool)) {
	if n == nil || !visit(n) {
		return
	}
	for _, child := range n.Children {
		child.Walk(visit)
	}
}

// below is the path of a member. A name that could be misread is quoted.
func below(path, name string) string {
	plain := name != ""
	for _, c := range name {
		plain = plain && (c == '_' || c == '-' || c == '@' || '0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'z')
	}
	if !plain {
		name = strconv.Quote(name)
	}
	if path == "" {
		return name
	}
	return path + "." + name
}

func element(path string, index int) string { return path + "[" + strconv.Itoa(index) + "]" }
