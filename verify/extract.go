package verify

import (
	"strings"

	"edgejwt/verify/ascii"
)

// Place is the part of a request in which a token may stand.
type Place uint8

const (
	// InHeader is a request header; the zero value.
	InHeader Place = iota
	// InCookie is a cookie (RFC 6265 §4.2).
	InCookie
	// InQuery is a parameter of the URL's query. RFC 6750 §2.3 advises against it.
	InQuery
)

// Location is where in a request a token may stand.
type Location struct {
	// In is the part of the request.
	In Place
	// Name is a header's in lower case, or a cookie's or parameter's with its case.
	Name string
	// Prefix is for headers only. It stands before the token and is compared without case. One that
	// ends with a space is a scheme (RFC 9110 §11.1), after which any number of
	// spaces may follow.
	Prefix string
}

// Authorization is where RFC 6750 §2.1 puts the token.
var Authorization = Location{Name: "authorization", Prefix: "Bearer "}

// Found is a token and where it stood.
type Found struct {
	Token string
	// Locations are indexes into the locations given to Extract: all at which
	// this token stood, at least one. They are not to be changed.
	Locations []int
}

// Extract finds the request's one token. Values are the headers' values in the
// order in which they came, names in lower case, with :path for a query. A token
// that stands in two places is ambiguous unless it is the same, except in
// authorization, which may come only once; so is one beside a cookie or a
// parameter that some servers, but not all, would take for the token's. An empty
// value is no token. Bodies are never read. Reasons: TokenMissing,
// TokenAmbiguous.
func Extract(headers [][2]string, locations []Location) (Found, error) {
	var found Found
	for i := range locations {
		location := &locations[i]
		name := location.header()
		inThisHeader, first := 0, ""
		for h := range headers {
			value := headers[h][1]
			if headers[h][0] != name {
				if location.In == InHeader && value != "" && looksLike(headers[h][0], name) {
					return Found{}, refuse(TokenAmbiguous, "a header that only some servers take for the token's")
				}
				continue
			}
			var err error
			switch {
			case location.In == InCookie:
				err = found.addCookies(value, location.Name, i)
			case location.In == InQuery:
				err = found.addParams(value, location.Name, i)
			default:
				inThisHeader++
				switch {
				case name == Authorization.Name && (inThisHeader > 1 || joinsBearer(value)):
					// A proxy joins repeated headers with a comma.
					return Found{}, refuse(TokenAmbiguous, "authorization stands twice")
				case inThisHeader > 1 && value != first:
					return Found{}, refuse(TokenAmbiguous, "a header of the token's stands twice")
				case location.nearly(value):
					return Found{}, refuse(TokenAmbiguous, "only some servers find the scheme")
				}
				first = value
				err = found.add(location.token(value), i)
			}
			if err != nil {
				return Found{}, err
			}
		}
	}
	if found.Token == "" {
		return Found{}, refuse(TokenMissing, "no token where one may stand")
	}
	return found, nil
}

// header is the name of the header in which the location lies.
func (l *Location) header() string {
	switch l.In {
	case InCookie:
		return "cookie"
	case InQuery:
		return ":path"
	}
	return l.Name
}

// token cuts the token out of a header's value; empty when there is none.
func (l *Location) token(value string) string {
	if !hasPrefixFold(value, l.Prefix) {
		return ""
	}
	token := value[len(l.Prefix):]
	if strings.HasSuffix(l.Prefix, " ") {
		for token != "" && token[0] == ' ' {
			token = token[1:]
		}
	}
	return token
}

// nearly reports whether the scheme stands there with white space behind it that
// is no space: to those who split at any (Python) that is a token.
func (l *Location) nearly(value string) bool {
	n := len(l.Prefix) - 1
	if n < 1 || l.Prefix[n] != ' ' || len(value) <= n || value[n] == ' ' {
		return false
	}
	c := value[n]
	return (0 < c && c < ' ' || c == 0x85 || c == 0xa0) && hasPrefixFold(value, l.Prefix[:n])
}

// looksLike reports whether servers of the CGI family (WSGI, PHP, Rack), to which
// all that is neither letter nor digit is an underscore, take one name for the
// other. Both are in lower case.
func looksLike(name, like string) bool {
	if len(name) != len(like) || name[0] == ':' {
		return false
	}
	for i := range len(name) {
		if name[i] != like[i] && (isAlphanumeric(name[i]) || isAlphanumeric(like[i])) {
			return false
		}
	}
	return true
}

// single has slices of one index each, so that the usual request needs none of
// its own. Their capacity is one, too: appending copies.
var single = [...]int{0, 1, 2, 3, 4, 5, 6, 7}

// add takes note of a token, if it is one.
func (f *Found) add(token string, at int) error {
	if token == "" {
		return nil
	}
	if f.Token != "" && f.Token != token {
		return refuse(TokenAmbiguous, "two different tokens")
	}
	if strings.IndexByte(token, ',') >= 0 {
		return refuse(TokenAmbiguous, "the value is joined of several")
	}
	f.Token = token
	switch n := len(f.Locations); {
	case n > 0 && f.Locations[n-1] == at: // once more at the same place
	case n == 0 && at < len(single):
		f.Locations = single[at : at+1 : at+1]
	default:
		f.Locations = append(f.Locations, at)
	}
	return nil
}

// joinsBearer reports whether one of several credentials, joined by a comma, is
// a bearer token. Commas by themselves are no sign: Digest and others use them.
func joinsBearer(value string) bool {
	for i := strings.IndexByte(value, ','); i >= 0; {
		value = strings.TrimLeft(value[i+1:], ascii.Space)
		if hasPrefixFold(value, Authorization.Prefix) || ascii.EqualFold(value, "bearer") {
			return true
		}
		i = strings.IndexByte(value, ',')
	}
	return false
}
