package verify

import (
	"strings"

	"edgejwt/verify/ascii"
)

// RequestPart is the part of a request in which a token may stand.
type RequestPart uint8

const (
	// InHeader is a request header; the zero value.
	InHeader RequestPart = iota
	// InCookie is a cookie (RFC 6265 §4.2).
	InCookie
	// InQuery is a parameter of the URL's query. RFC 6750 §2.3 advises against it.
	InQuery
)

// TokenLocation is where in a request a token may stand.
type TokenLocation struct {
	// In is the part of the request.
	In RequestPart
	// Name is a header's in lower case, or a cookie's or parameter's with its case.
	Name string
	// Prefix is for headers only. It stands before the token and is compared without case. One that
	// ends with a space is a scheme (RFC 9110 §11.1), after which any number of
	// spaces may follow.
	Prefix string
}

// Authorization is where RFC 6750 §2.1 puts the token.
var Authorization = TokenLocation{Name: "authorization", Prefix: "Bearer "}

// Found is a token and where it stood.
type Found struct {
	Token string
	// Locations are indexes into the locations given to Extract: all at which
	// this token stood, at least one, in ascending order. They are not to be changed.
	Locations []int
}

// Extract finds the request's one token. Values are the headers' values in the
// order in which they came, names in lower case, with :path for a query. A token
// that stands in two places is ambiguous unless it is the same, except in
// authorization, which may come only once; so is one beside a cookie or a
// parameter that some servers, but not all, would take for the token's, and so are
// more cookies or a longer query than MaxListBytes and MaxListSigns allow, if a
// token may stand there. An empty value is no token. Bodies are never read.
// Reasons: TokenMissing, TokenAmbiguous.
func Extract(headers [][2]string, locations []TokenLocation) (Found, error) {
	var found Found
	var has [InQuery + 1]bool
	for i := range locations {
		location := &locations[i]
		if has[location.In] = true; location.In != InHeader {
			continue
		}
		name := location.Name
		inThisHeader, first := 0, ""
		for h := range headers {
			value := headers[h][1]
			if headers[h][0] != name {
				if value != "" && ascii.SameHeader(headers[h][0], name) {
					return Found{}, refuse(TokenAmbiguous, "a header that only some servers take for the token's")
				}
				continue
			}
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
			if err := found.add(location.token(value), i); err != nil {
				return Found{}, err
			}
		}
	}
	for in := InCookie; in <= InQuery; in++ {
		if !has[in] {
			continue
		}
		s := search{found: &found, locations: locations, in: in}
		if err := s.all(headers); err != nil {
			return Found{}, err
		}
	}
	if found.Token == "" {
		return Found{}, refuse(TokenMissing, "no token where one may stand")
	}
	return found, nil
}

// token cuts the token out of a header's value; empty when there is none.
func (l *TokenLocation) token(value string) string {
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
func (l *TokenLocation) nearly(value string) bool {
	n := len(l.Prefix) - 1
	if n < 1 || l.Prefix[n] != ' ' || len(value) <= n || value[n] == ' ' {
		return false
	}
	c := value[n]
	return (0 < c && c < ' ' || c == 0x85 || c == 0xa0) && hasPrefixFold(value, l.Prefix[:n])
}

// single has slices of one index each, so that the usual request needs none of
// its own. Their capacity is one, too: inserting copies.
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
	i := 0
	for i < len(f.Locations) && f.Locations[i] < at {
		i++
	}
	switch {
	case i < len(f.Locations) && f.Locations[i] == at: // once more at the same place
	case len(f.Locations) == 0 && at < len(single):
		f.Locations = single[at : at+1 : at+1]
	default:
		all := append(f.Locations[:i:i], at)
		f.Locations = append(all, f.Locations[i:]...)
	}
	return nil
}

// joinsBearer reports whether one of several credentials, joined by a comma, is
// a bearer token. Commas by themselves are no sign: Digest and others use them.
func joinsBearer(value string) bool {
	first := strings.IndexByte(value, ',')
	if first < 0 {
		return false
	}
	value = value[first:]
	behind := false // a comma, and white space at most
	for i := range len(value) {
		switch c := value[i]; {
		case c == ',':
			behind = true
		case !behind, c == ' ', c == '\t', c == '\n', c == '\r':
		case c|0x20 == 'b' && (hasPrefixFold(value[i:], Authorization.Prefix) || ascii.EqualFold(value[i:], "bearer")):
			return true
		default:
			behind = false
		}
	}
	return false
}
