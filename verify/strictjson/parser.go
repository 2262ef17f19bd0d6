package strictjson

import "sync/atomic"

type parser struct {
	text   string
	at     int
	lim    Limits
	depth  int
	values int
	// open are the children, read so far, of the objects and arrays that are open;
	// there have been that many at most.
	open []Value
	most int
	lent *[mostOpen]Value
	// Of a member that stands again: where, and the way to it, innermost step first.
	repeated int
	path     []Step
}

// room is where the parser that comes next may put what is open; nil while one
// has it.
var room atomic.Pointer[[mostOpen]Value]

// mostOpen is how many values lie open at once in all but odd texts.
const mostOpen = 32

func (p *parser) borrow() {
	if p.lent = room.Swap(nil); p.lent == nil {
		p.lent = new([mostOpen]Value)
	}
	p.open = p.lent[:0]
}

func (p *parser) giveBack() {
	clear(p.lent[:min(p.most, mostOpen)]) // it must not keep texts
	room.Store(p.lent)
}

// next is the byte at hand; 0, which stands nowhere outside of strings, at the end.
func (p *parser) next() byte {
	if p.at < len(p.text) {
		return p.text[p.at]
	}
	return 0
}

func (p *parser) space() {
	if p.at < len(p.text) && p.text[p.at] <= ' ' {
		p.spaces()
	}
}

//go:noinline // space stands in a score of places
func (p *parser) spaces() {
	for p.at < len(p.text) {
		switch p.text[p.at] {
		case ' ', '\t', '\n', '\r':
			p.at++
		default:
			return
		}
	}
}

func (p *parser) value() (v Value, err error) {
	if p.values++; p.values > p.lim.Values {
		return v, ErrTooMany
	}
	v.Offset = p.at
	switch c := p.next(); {
	case c == '{':
		v.Kind = Object
		v.Children, err = p.children('}')
	case c == '[':
		v.Kind = Array
		v.Children, err = p.children(']')
	case c == '"':
		v.Kind = String
		v.Text, err = p.str()
	case c == 't':
		v.Kind = True
		err = p.word("true")
	case c == 'f':
		v.Kind = False
		err = p.word("false")
	case c == 'n':
		v.Kind = Null
		err = p.word("null")
	default:
		v.Kind = Number
		v.Num, err = p.number()
	}
	v.Raw = p.text[v.Offset:p.at]
	return v, err
}

// children reads an object or an array, whose opening bracket is at hand.
func (p *parser) children(end byte) ([]Value, error) {
	if p.depth++; p.depth > p.lim.Depth {
		return nil, ErrTooDeep
	}
	p.at++
	p.space()
	if p.next() == end {
		p.at++
		p.depth--
		return nil, nil
	}
	isObject := end == '}'
	first := len(p.open)
	for {
		var name string
		if isObject {
			var err error
			if name, err = p.name(); err != nil {
				return nil, err
			}
		}
		index := len(p.open) - first
		child, err := p.value()
		if err != nil {
			if p.path != nil {
				p.path = append(p.path, Step{name, index, !isObject})
			}
			return nil, err
		}
		child.Name = name
		p.open = append(p.open, child)
		p.most = max(p.most, len(p.open))
		p.space()
		switch p.next() {
		case ',':
			p.at++
			p.space()
		case end:
			p.at++
			p.depth--
			children := append([]Value(nil), p.open[first:]...)
			p.open = p.open[:first]
			if isObject {
				return children, p.unique(children)
			}
			return children, nil
		default:
			return nil, ErrSyntax
		}
	}
}

// name reads a member's name and the colon behind it.
func (p *parser) name() (name string, err error) {
	if p.next() != '"' {
		return "", ErrSyntax
	}
	if name, err = p.str(); err != nil {
		return "", err
	}
	p.space()
	if p.next() != ':' {
		return "", ErrSyntax
	}
	p.at++
	p.space()
	return name, nil
}

// unique refuses members of which two have one name. Names are decoded by then:
// "a" and "\u0061" are one.
func (p *parser) unique(members []Value) error {
	const few = 16 // where comparing each with each becomes dearer than a map
	var seen map[string]struct{}
	if len(members) > few {
		seen = make(map[string]struct{}, len(members))
	}
	for i := range members {
		again := false
		if seen != nil {
			_, again = seen[members[i].Name]
			seen[members[i].Name] = struct{}{}
		} else {
			for j := range i {
				again = again || members[i].Name == members[j].Name
			}
		}
		if again {
			p.repeated, p.path = members[i].Offset, []Step{{Name: members[i].Name, Index: i}}
			return ErrDuplicate
		}
	}
	return nil
}

func (p *parser) word(word string) error {
	for i := range len(word) {
		if p.next() != word[i] {
			return ErrSyntax
		}
		p.at++
	}
	return nil
}
