package strictjson

// number follows RFC 8259 §6: -? (0 | [1-9][0-9]*) (. [0-9]+)? ([eE] [+-]? [0-9]+)?
func (p *parser) number() (float64, error) {
	start := p.at
	if p.next() == '-' {
		p.at++
	}
	first := p.at
	if p.next() == '0' {
		p.at++
	} else if p.digits() == 0 {
		return 0, ErrSyntax
	}
	if digits := p.text[first:p.at]; len(digits) <= 18 && !p.goesOn() {
		return integer(digits, start < first), nil
	}
	if p.next() == '.' {
		p.at++
		if p.digits() == 0 {
			return 0, ErrSyntax
		}
	}
	if c := p.next(); c == 'e' || c == 'E' {
		p.at++
		if c := p.next(); c == '+' || c == '-' {
			p.at++
		}
		if p.digits() == 0 {
			return 0, ErrSyntax
		}
	}
	return float(p.text[start:p.at]), nil
}

// goesOn reports whether a number's integer part is followed by another.
func (p *parser) goesOn() bool {
	c := p.next()
	return c == '.' || c == 'e' || c == 'E'
}

// integer gives the value of up to 18 digits.
func integer(digits string, isNegative bool) float64 {
	n := int64(0)
	for i := range len(digits) {
		n = 10*n + int64(digits[i]-'0')
	}
	if isNegative {
		return -float64(n) // also -0
	}
	return float64(n)
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
