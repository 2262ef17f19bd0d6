package jwks

import (
	"time"

	"edgejwt/verify/ascii"
)

// header gives the values of the named field, joined as RFC 9110 §5.3 allows.
func header(headers [][2]string, name string) (string, bool) {
	value, has := "", false
	for _, h := range headers {
		if !ascii.EqualFold(h[0], name) {
			continue
		}
		if has {
			value += ", "
		}
		value, has = value+h[1], true
	}
	return value, has
}

// untold is the lifetime of an answer that says nothing about it.
const noLifetime = -1

// longestTold bounds every number of seconds that a provider may tell.
const maxSeconds = 365 * 24 * 3600

// lifetime gives for how many seconds the answer calls itself fresh (RFC 9111
// §4.2), or untold. What it says unclearly counts as stale, as §4.2.1 advises.
func freshnessLifetime(headers [][2]string, now time.Time) int64 {
	life := int64(noLifetime)
	if control, has := header(headers, "cache-control"); has {
		for more := true; more; {
			var directive string
			directive, control, more = ascii.Cut(control, ',')
			name, value, _ := ascii.Cut(directive, '=')
			switch ascii.Lower(ascii.TrimSpace(name)) {
			case "no-store", "no-cache":
				return 0
			case "max-age":
				seconds, ok := parseSeconds(unquote(value))
				if !ok {
					return 0
				}
				if life == noLifetime || seconds < life {
					life = seconds // two values: the shorter one is safe
				}
			}
		}
	}
	if life == noLifetime {
		expires, has := header(headers, "expires")
		if !has {
			return noLifetime
		}
		until, ok := parseDate(expires)
		if !ok {
			return 0 // "0" is a common way to say "already expired" (§5.3)
		}
		// The provider's own clock, if it tells it, so that ours need not agree.
		from := now
		if date, has := header(headers, "date"); has {
			if d, ok := parseDate(date); ok {
				from = d
			}
		}
		life = min(max(int64(until.Sub(from)/time.Second), 0), maxSeconds)
	}
	if age, has := header(headers, "age"); has {
		if seconds, ok := parseSeconds(age); ok {
			life = max(life-seconds, 0)
		}
	}
	return life
}

// unquote takes the white space and the quotes around a directive's value away:
// max-age="60" is not the form that RFC 9111 §5.2 prefers, but its meaning is plain.
func unquote(value string) string {
	value = ascii.TrimSpace(value)
	for value != "" && value[0] == '"' {
		value = value[1:]
	}
	for value != "" && value[len(value)-1] == '"' {
		value = value[:len(value)-1]
	}
	return value
}

// retryAfter gives how long the provider asks to be left alone (RFC 9110
// §10.2.3): 0 when it does not ask, at most longestHold.
func parseRetryAfter(headers [][2]string, now time.Time) time.Duration {
	value, has := header(headers, "retry-after")
	if !has {
		return 0
	}
	if seconds, ok := parseSeconds(value); ok {
		return min(time.Duration(seconds)*time.Second, maxRetryAfter)
	}
	if until, ok := parseDate(value); ok {
		return min(max(until.Sub(now), 0), maxRetryAfter)
	}
	return 0
}

// parseSeconds reads delta-seconds (RFC 9111 §1.2.2), capped at a year.
func parseSeconds(s string) (int64, bool) {
	s = ascii.TrimSpace(s)
	if s == "" || len(s) > 64 {
		return 0, false
	}
	n := int64(0)
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return 0, false
		}
		n = min(10*n+int64(s[i]-'0'), maxSeconds)
	}
	return n, true
}

// parseDate reads an HTTP-date in the form that senders must use, IMF-fixdate
// (RFC 9110 §5.6.7): "Sun, 06 Nov 1994 08:49:37 GMT". The two obsolete forms
// count as unclear. time.Parse would do it for 100 KB of module.
func parseDate(s string) (time.Time, bool) {
	const form, months = "ddd, 00 mmm 0000 00:00:00 GMT", "JanFebMarAprMayJunJulAugSepOctNovDec"
	s = ascii.TrimSpace(s)
	if len(s) != len(form) {
		return time.Time{}, false
	}
	for i := range len(form) {
		switch c := form[i]; c {
		case 'd', '0', 'm':
			if c == '0' && (s[i] < '0' || s[i] > '9') {
				return time.Time{}, false
			}
		default:
			if s[i] != c {
				return time.Time{}, false
			}
		}
	}
	number := func(from, to int) (n int) {
		for _, c := range s[from:to] {
			n = 10*n + int(c-'0')
		}
		return n
	}
	month := 0 // January; 12 is none
	for month < 12 && months[3*month:3*month+3] != s[8:11] {
		month++
	}
	day, hour, minute, second := number(5, 7), number(17, 19), number(20, 22), number(23, 25)
	if month == 12 || day < 1 || day > 31 || hour > 23 || minute > 59 || second > 60 {
		return time.Time{}, false
	}
	days := daysSinceEpoch(number(12, 16), month+1, day)
	return time.Unix(int64(((days*24+hour)*60+minute)*60+second), 0), true
}

// daysSinceEpoch counts the days since 1 January 1970 in the Gregorian calendar.
// A day that the month does not have is one of the next month. time.Date would
// bring the time zones along, 45 KB of module.
func daysSinceEpoch(year, month, day int) int {
	// Years begin in March here, so that a leap day is a year's last, and 400
	// years earlier, so that none is negative.
	month = (month + 9) % 12
	year += 400 - month/10
	return 365*year + year/4 - year/100 + year/400 + (month*306+5)/10 + day - 865566
}

// validator gives a header's value if it may be sent back as it came; anything
// strange is dropped and costs one unconditional request.
func validator(headers [][2]string, name string) string {
	const longest = 256
	value, _ := header(headers, name)
	if len(value) > longest {
		return ""
	}
	for i := 0; i < len(value); i++ {
		if value[i] < ' ' || value[i] >= 0x7f {
			return ""
		}
	}
	return value
}
