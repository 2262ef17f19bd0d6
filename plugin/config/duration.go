package config

import "time"

// parseDuration reads a duration in Go's syntax, such as "1h30m" or "1.5s". It
// accepts what time.ParseDuration does, whose errors alone are 10 KB of module.
func parseDuration(s string) (time.Duration, bool) {
	const most = 1 << 63 // nanoseconds of the longest negative one
	negative := s != "" && s[0] == '-'
	if negative || s != "" && s[0] == '+' {
		s = s[1:]
	}
	if s == "0" {
		return 0, true
	}
	total, bad := uint64(0), s == ""
	for s != "" && !bad {
		whole, part, scale := uint64(0), uint64(0), uint64(1) // whole + part/scale
		hasDigit, hasPoint, i := false, false, 0
		for ; i < len(s) && (isDigit(s[i]) || s[i] == '.' && !hasPoint); i++ {
			digit := uint64(s[i] - '0')
			switch {
			case s[i] == '.':
				hasPoint = true
				continue
			case !hasPoint:
				bad = bad || whole > (most-digit)/10
				whole = 10*whole + digit
			case scale < 1e17: // further digits are less than a nanosecond
				part, scale = 10*part+digit, 10*scale
			}
			hasDigit = true
		}
		name := i
		for i < len(s) && s[i] != '.' && !isDigit(s[i]) {
			i++
		}
		unit := unitOf(s[name:i])
		if bad || !hasDigit || unit == 0 || whole > most/unit || whole*unit > most-total {
			return 0, false
		}
		total += whole*unit + uint64(float64(part)*(float64(unit)/float64(scale)))
		bad = total > most
		s = s[i:]
	}
	if negative {
		return -time.Duration(total), !bad
	}
	return time.Duration(total), !bad && total < most
}

// unitOf gives the unit's length in nanoseconds; 0 when there is none of the name.
func unitOf(name string) uint64 {
	switch name {
	case "ns":
		return uint64(time.Nanosecond)
	case "us", "µs", "μs":
		return uint64(time.Microsecond)
	case "ms":
		return uint64(time.Millisecond)
	case "s":
		return uint64(time.Second)
	case "m":
		return uint64(time.Minute)
	case "h":
		return uint64(time.Hour)
	}
	return 0
}

// short writes a duration of no fewer than 1 ms as one would by hand: 10m for
// what time.Duration calls 10m0s, and otherwise as that does.
func short(d time.Duration) string {
	hours, minutes, rest := d/time.Hour, d%time.Hour/time.Minute, d%time.Minute
	text := ""
	if hours > 0 {
		text = itoa(int(hours)) + "h"
	}
	if minutes > 0 || hours > 0 && rest > 0 {
		text += itoa(int(minutes)) + "m"
	}
	switch {
	case rest > 0 && rest < time.Second && text == "":
		return decimal(rest, time.Millisecond) + "ms"
	case rest > 0 || text == "":
		text += decimal(rest, time.Second) + "s"
	}
	return text
}

// decimal writes how many units d is.
func decimal(d, unit time.Duration) string {
	text := itoa(int(d / unit))
	if d %= unit; d > 0 {
		text += "."
	}
	for ; d > 0; d %= unit {
		d *= 10
		text += itoa(int(d / unit))
	}
	return text
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }
