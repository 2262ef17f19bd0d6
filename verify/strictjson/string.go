package strictjson

import (
	"unicode/utf16"
	"unicode/utf8"
)

// str reads a string, whose opening quote is at hand (RFC 8259 §7). One without
// escapes is a part of the text.
func (p *parser) str() (string, error) {
	p.at++
	start := p.at
	p.at = plain(p.text, start)
	var decoded []byte
	for p.at < len(p.text) {
		switch c := p.text[p.at]; {
		case c == '"':
			end := p.at
			p.at++
			if decoded == nil {
				return p.text[start:end], nil
			}
			return string(append(decoded, p.text[start:end]...)), nil
		case c == '\\':
			if decoded == nil {
				decoded = make([]byte, 0, len(p.text[start:p.at])+32)
			}
			decoded = append(decoded, p.text[start:p.at]...)
			r, err := p.escape()
			if err != nil {
				return "", err
			}
			decoded = utf8.AppendRune(decoded, r)
			start = p.at
		case c < ' ':
			return "", ErrSyntax
		default:
			p.at = plain(p.text, p.at)
		}
	}
	return "", ErrSyntax
}

// plain gives the end of the run of bytes from at on that stand for themselves.
func plain(text string, at int) int {
	for at < len(text) {
		if c := text[at]; c == '"' || c == '\\' || c < ' ' {
			break
		}
		at++
	}
	return at
}

// escape reads one escape, whose backslash is at hand, or the two of a surrogate
// pair.
func (p *parser) escape() (rune, error) {
	p.at++
	c := p.next()
	if c == 0 {
		return 0, ErrSyntax // the end, or a byte that is no escape
	}
	p.at++
	switch c {
	case '"', '\\', '/':
		return rune(c), nil
	case 'b':
		return '\b', nil
	case 'f':
		return '\f', nil
	case 'n':
		return '\n', nil
	case 'r':
		return '\r', nil
	case 't':
		return '\t', nil
	case 'u':
	default:
		p.at-- // the wrong byte
		return 0, ErrSyntax
	}
	unit, ok := p.hex4()
	if !ok {
		return 0, ErrSyntax
	}
	if !utf16.IsSurrogate(unit) {
		return unit, nil
	}
	if p.next() != '\\' {
		return 0, ErrSurrogate
	}
	if p.at++; p.next() != 'u' {
		return 0, ErrSurrogate
	}
	p.at++
	low, ok := p.hex4()
	if !ok {
		return 0, ErrSyntax
	}
	pair := utf16.DecodeRune(unit, low)
	if pair == utf8.RuneError {
		return 0, ErrSurrogate
	}
	return pair, nil
}

// hex4 reads four hexadecimal digits.
func (p *parser) hex4() (unit rune, ok bool) {
	for range 4 {
		c := rune(p.next())
		switch {
		case '0' <= c && c <= '9':
			c -= '0'
		case 'a' <= c && c <= 'f':
			c -= 'a' - 10
		case 'A' <= c && c <= 'F':
			c -= 'A' - 10
		default:
			return 0, false
		}
		unit = unit<<4 | c
		p.at++
	}
	return unit, true
}
