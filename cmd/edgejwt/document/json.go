package document

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"sort"
	"strings"

	"edgejwt/verify/strictjson"
)

// ParseJSON reads a JSON text that stands in a file, such as the value of a
// StringValue. line is the file's line on which the text begins. The error names
// the line, and quotes nothing.
func ParseJSON(text string, line int) (*Node, error) {
	value, err := strictjson.Parse(text, strictjson.Limits{Bytes: MaxBytes, Depth: 100, Values: maxNodes})
	if err != nil {
		offset := 0
		var repeated *strictjson.Repeated
		if errors.As(err, &repeated) {
			offset = repeated.Offset
		} else if err == strictjson.ErrSyntax {
			offset = strictjson.SyntaxOffset(text)
		}
		return nil, fmt.Errorf("line %d: %w", line+strings.Count(text[:offset], "\n"), err)
	}
	var breaks []int
	for i := range len(text) {
		if text[i] == '\n' {
			breaks = append(breaks, i)
		}
	}
	return fromJSON(&value, "", func(offset int) int { return line + sort.SearchInts(breaks, offset) }), nil
}

func fromJSON(value *strictjson.Value, path string, lineOf func(offset int) int) *Node {
	n := &Node{Name: value.Name, Path: path, Line: lineOf(value.Offset)}
	switch value.Kind {
	case strictjson.False, strictjson.True:
		n.Kind, n.Text = Bool, value.Raw
	case strictjson.Number:
		n.Kind, n.Text = Number, value.Raw
	case strictjson.String:
		n.Kind, n.Text = Text, value.Text
	case strictjson.Array:
		n.Kind = List
		for i := range value.Children {
			n.Children = append(n.Children, fromJSON(&value.Children[i], element(path, i), lineOf))
		}
	case strictjson.Object:
		n.Kind = Map
		for i := range value.Children {
			child := &value.Children[i]
			n.Children = append(n.Children, fromJSON(child, below(path, child.Name), lineOf))
		}
	}
	return n
}

// Inner reads a Text that holds a JSON text, as the value of a StringValue does.
// Its lines are the file's where the text stands in a literal block, and all the
// first one otherwise.
func (n *Node) Inner() (*Node, error) {
	line := n.Line
	if n.block {
		line++
	}
	return ParseJSON(n.Str(), line)
}

// JSON writes the value as JSON, one line, members in their order.
func (n *Node) JSON() []byte {
	var b bytes.Buffer
	n.write(&b)
	return b.Bytes()
}

func (n *Node) write(b *bytes.Buffer) {
	switch {
	case n == nil || n.Kind == Null:
		b.WriteString("null")
	case n.Kind == Text:
		b.Write(quote(n.Text))
	case n.Kind == List:
		b.WriteByte('[')
		for i, child := range n.Children {
			if i > 0 {
				b.WriteByte(',')
			}
			child.write(b)
		}
		b.WriteByte(']')
	case n.Kind == Map:
		b.WriteByte('{')
		for i, child := range n.Children {
			if i > 0 {
				b.WriteByte(',')
			}
			b.Write(quote(child.Name))
			b.WriteByte(':')
			child.write(b)
		}
		b.WriteByte('}')
	default:
		b.WriteString(n.Text)
	}
}

func quote(s string) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(s) // a string always has a form
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}
