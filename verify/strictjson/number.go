package strictjson

// number follows RFC 8259 §6: -? (0 | [1-9][0-9]*) (. [0-9]+)? ([eE] [+-]? [0-9]+)?
func (p *parser) number(v *Value) error {
	start := p.at
	if p.next() == '-' {
		p.at++
	}
	if p.next() == '0' {
		p.at++
	} else if p.digits() == 0 {
		return ErrSyntax
	}
	if p.next() == '.' {
		p.at++
		if p.digits() == 0 {
			return ErrSyntax
		}
	}
	if c := p.next(); c == 'e' || c == 'E' {
		p.at++
		if c := p.next(); c == '+' || c == '-' {
			p.at++
		}
		if p.digits() == 0 {
			return ErrSyntax
		}
	}
	v.Num = float(p.text[start:p.at])
	return nil
}

func (p *parser) digits() (n int) {
	for c := p.next(); '0' <= c && c <= '9'; c = p.next() {
		p.at++
		n++
	}
	return n
}

// float gives the value of a text that is a number.
//
// It rounds once, and so right, where up to 18 digits make an integer, and where
// up to 15 with a fraction or an exponent up to 22 make any other: all that dates
// are. Further digits do not count; larger exponents are off by some units in
// the last place. strconv.ParseFloat is right always, and 30 KB of module.
func float(text string) float64 {
	var digits, exponent, shift int64 // digits × 10^(exponent+shift)
	inFraction, inExponent, isSmall := false, false, false
	for _, c := range []byte(text) {
		switch {
		case c == '.':
			inFraction = true
		case c == 'e' || c == 'E':
			inExponent = true
		case c < '0': // a sign
			isSmall = inExponent && c == '-'
		case inExponent:
			exponent = min(10*exponent+int64(c-'0'), 1<<40)
		case digits < 1e17:
			digits = 10*digits + int64(c-'0')
			if inFraction {
				shift--
			}
		case !inFraction:
			shift++
		}
	}
	if isSmall {
		exponent = -exponent
	}
	value := scale(float64(digits), exponent+shift)
	if text[0] == '-' {
		return -value
	}
	return value
}

// scale gives value × 10^exponent; value is 0, or at least 1.
func scale(value float64, exponent int64) float64 {
	const (
		exact  = 22  // powers up to this one are float64s
		beyond = 400 // and from this one on, nothing is left, or infinity
	)
	left := min(max(exponent, -exponent), beyond)
	for left > 0 && value != 0 {
		power := 1.0
		for range min(left, exact) {
			power *= 10
		}
		if exponent < 0 {
			value /= power
		} else {
			value *= power
		}
		left -= exact
	}
	return value
}
