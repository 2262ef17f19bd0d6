package document

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/big"
	"path/filepath"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"edgejwt/verify/ascii"
)

// maxNodes bounds the values of a file, and maxAliased what aliases make of it.
const (
	maxNodes   = 2_000_000
	maxAliased = 50_000
)

// maxDepth bounds how deep a tree is.
const maxDepth = 200

// Read reads every document of a YAML or JSON file; empty ones are left out. The
// error names the line.
func Read(text []byte) ([]*Node, error) {
	if len(text) > MaxBytes {
		return nil, fmt.Errorf("the file is longer than %d bytes", MaxBytes)
	}
	if start := strings.TrimLeft(string(text), ascii.Space); start != "" && start[0] == '{' {
		if n, err := ParseJSON(string(text), 1); err == nil {
			return []*Node{n}, nil
		}
		// Flow style YAML begins like that too. What is wrong with both is best told
		// by whoever is right about what the file was meant to be: YAML takes nearly
		// all JSON, so its words will do.
	}
	r := &reader{}
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	var all []*Node
	for {
		var document yaml.Node
		err := decoder.Decode(&document)
		if errors.Is(err, io.EOF) {
			return all, nil
		}
		if err != nil {
			return nil, errors.New(strings.TrimPrefix(err.Error(), "yaml: "))
		}
		if len(document.Content) == 0 {
			continue
		}
		n, err := r.node(document.Content[0], "", 0)
		if err != nil {
			return nil, err
		}
		if n.Kind != Null {
			all = append(all, n)
		}
	}
}

// IsJSONName reports whether a file's name says that it is JSON.
func IsJSONName(name string) bool { return strings.EqualFold(filepath.Ext(name), ".json") }

// ReadNamed is Read for a file of that name: one whose name ends in .json must be JSON.
func ReadNamed(name string, text []byte) ([]*Node, error) {
	if !IsJSONName(name) {
		return Read(text)
	}
	if len(text) > MaxBytes {
		return nil, fmt.Errorf("the file is longer than %d bytes", MaxBytes)
	}
	n, err := ParseJSON(string(text), 1)
	if err != nil {
		return nil, fmt.Errorf("%w (the file's name says that it is JSON)", err)
	}
	return []*Node{n}, nil
}

// reader makes nodes of YAML's.
type reader struct {
	nodes, aliased int
	inAlias        int // aliases that are being followed
}

func (r *reader) node(y *yaml.Node, path string, depth int) (*Node, error) {
	r.nodes++
	if r.inAlias > 0 {
		r.aliased++
	}
	if r.nodes > maxNodes || r.aliased > maxAliased || depth > maxDepth {
		return nil, at(y, "the file is nested too deeply, or its aliases make too much of it")
	}
	if y.Kind == yaml.AliasNode {
		r.inAlias++
		n, err := r.node(y.Alias, path, depth+1)
		r.inAlias--
		if err == nil {
			n.Line = y.Line
		}
		return n, err
	}
	n := &Node{Path: path, Line: y.Line, block: y.Style&yaml.LiteralStyle != 0}
	switch y.Kind {
	case yaml.SequenceNode:
		n.Kind = List
		for i, item := range y.Content {
			child, err := r.node(item, element(path, i), depth+1)
			if err != nil {
				return nil, err
			}
			n.Children = append(n.Children, child)
		}
		return n, nil
	case yaml.MappingNode:
		n.Kind = Map
		return n, r.members(n, y, depth)
	}
	return n, n.scalar(y)
}

// members reads a mapping. Its own members go before merged ones
// (https://yaml.org/type/merge.html).
func (r *reader) members(n *Node, y *yaml.Node, depth int) error {
	own := map[string]bool{}
	var merged []*yaml.Node
	for i := 0; i < len(y.Content); i += 2 {
		key, value := y.Content[i], y.Content[i+1]
		if key.Kind == yaml.AliasNode {
			key = key.Alias
		}
		if key.Kind != yaml.ScalarNode {
			return at(key, "a member's name is not a text")
		}
		if key.Tag == "!!merge" {
			merged = append(merged, value)
			continue
		}
		if own[key.Value] {
			return at(key, "the member "+strconv.Quote(key.Value)+" stands twice")
		}
		own[key.Value] = true
		child, err := r.node(value, below(n.Path, key.Value), depth+1)
		if err != nil {
			return err
		}
		child.Name = key.Value
		child.Line = key.Line // a value may begin below its name
		n.Children = append(n.Children, child)
	}
	for _, source := range merged {
		from, err := r.node(source, n.Path, depth+1)
		if err != nil {
			return err
		}
		sources := []*Node{from}
		if from.Kind == List {
			sources = from.Children
		}
		for _, source := range sources {
			if source.Kind != Map {
				return at(y, "what is merged (<<) is not a mapping")
			}
			for _, child := range source.Children {
				if !own[child.Name] {
					own[child.Name] = true
					n.Children = append(n.Children, child)
				}
			}
		}
	}
	return nil
}

// scalar reads everything that is neither list nor map.
func (n *Node) scalar(y *yaml.Node) error {
	switch y.Tag {
	case "!!null":
		n.Kind = Null
	case "!!bool":
		n.Kind = Bool
		n.Text = strings.ToLower(y.Value)
	case "!!int", "!!float":
		n.Kind = Number
		var ok bool
		if n.Text, ok = jsonNumber(y.Value); !ok {
			return at(y, "is a number that JSON cannot spell")
		}
	case "!!str", "!!timestamp": // JSON has no dates: they are what they look like
		n.Kind, n.Text = Text, y.Value
	default:
		return at(y, "the tag "+strconv.Quote(y.Tag)+" is not known")
	}
	return nil
}

// jsonNumber spells a YAML number as JSON, and leaves alone what JSON could have
// spelled: "1.0" stays "1.0".
func jsonNumber(text string) (string, bool) {
	if isNumber(text) {
		return text, true
	}
	plain := strings.ReplaceAll(text, "_", "")
	if whole, ok := new(big.Int).SetString(plain, 0); ok {
		return whole.String(), true
	}
	f, err := strconv.ParseFloat(plain, 64)
	if err != nil {
		return "", false
	}
	spelled := strconv.FormatFloat(f, 'g', -1, 64)
	return spelled, isNumber(spelled)
}

// isNumber is RFC 8259 §6.
func isNumber(s string) bool {
	s = strings.TrimPrefix(s, "-")
	digits := func() (n int) {
		for n < len(s) && '0' <= s[n] && s[n] <= '9' {
			n++
		}
		return n
	}
	n := digits()
	if n == 0 || n > 1 && s[0] == '0' {
		return false
	}
	if s = s[n:]; strings.HasPrefix(s, ".") {
		s = s[1:]
		if n = digits(); n == 0 {
			return false
		}
		s = s[n:]
	}
	if s != "" && s[0]|0x20 == 'e' {
		if s = s[1:]; s != "" && (s[0] == '+' || s[0] == '-') {
			s = s[1:]
		}
		if n = digits(); n == 0 {
			return false
		}
		s = s[n:]
	}
	return s == ""
}

func at(y *yaml.Node, text string) error { return fmt.Errorf("line %d: %s", y.Line, text) }
