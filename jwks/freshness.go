package jwks

import (
	"errors"
	"strconv"
	"strings"
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
const untold = -1

// longestTold bounds every number of seconds that a provider may tell.
const longestTold = 365 * 24 * 3600

// lifetime gives for how many seconds the answer calls itself fresh (RFC 9111
// §4.2), or untold. What it says unclearly counts as stale, as §4.2.1 advises.
func lifetime(headers [][2]string, now time.Time) int64 {
	life := int64(untold)
	if control, has := header(headers, "cache-control"); has {
		for directive := range strings.SplitSeq(control, ",") {
			name, value, _ := strings.Cut(directive, "=")
			switch strings.ToLower(strings.TrimSpace(name)) {
			case "no-store", "no-cache":
				return 0
			case "max-age":
				seconds, ok := parseSeconds(unquote(value))
				if !ok {
					return 0
				}
				if life == untold || seconds < life {
					life = seconds // two values: the shorter one is safe
				}
			}
		}
	}
	if life == untold {
		expires, has := header(headers, "expires")
		if !has {
			return untold
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
		life = min(max(int64(until.Sub(from)/time.Second), 0), longestTold)
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
	return strings.Trim(strings.TrimSpace(value), `"`)
}

// retryAfter gives how long the provider asks to be left alone (RFC 9110
// §10.2.3): 0 when it does not ask, at most longestHold.
func retryAfter(headers [][2]string, now time.Time) time.Duration {
	value, has := header(headers, "retry-after")
	if !has {
		return 0
	}
	if seconds, ok := parseSeconds(value); ok {
		return min(time.Duration(seconds)*time.Second, longestHold)
	}
	if until, ok := parseDate(value); ok {
		return min(max(until.Sub(now), 0), longestHold)
	}
	return 0
}

// parseSeconds reads delta-seconds (RFC 9111 §1.2.2), capped at a year.
func parseSeconds(s string) (int64, bool) {
	n, err := strconv.ParseUint(strings.TrimSpace(s), 10, 64)
	if errors.Is(err, strconv.ErrRange) {
		return longestTold, true
	}
	return int64(min(n, longestTold)), err == nil
}

// parseDate reads an HTTP-date in the form that senders must use, IMF-fixdate
// (RFC 9110 §5.6.7): "Sun, 06 Nov 1994 08:49:37 GMT". The two obsolete forms
// count as unclear.
func parseDate(s string) (time.Time, bool) {
	date, err := time.Parse("Mon, 02 Jan 2006 15:04:05 GMT", strings.TrimSpace(s))
	return date, err == nil
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
