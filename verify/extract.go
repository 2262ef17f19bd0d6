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
	// this token stood, at least one.
	Locations []int
}

// Extract finds the request's one token. Values are the headers' values in the
// order in which they came, names in lower case. A token that stands in two
// places is ambiguous unless it is the same, except in authorization, which may
// come only once. Reasons: TokenMissing, TokenAmbiguous.
func Extract(headers [][2]string, locations []Location) (Found, error) {
	var found Found
	for i, location := range locations {
		inThisHeader := 0
		for _, header := range headers {
			if header[0] != location.Name {
				continue
			}
			if header[0] == Authorization.Name {
				// A proxy joins repeated headers with a comma.
				if inThisHeader++; inThisHeader > 1 || joinsBearer(header[1]) {
					return Found{}, refuse(TokenAmbiguous, "authorization stands twice")
				}
			}
			token, ok := location.token(header[1])
			if !ok {
				continue
			}
			if found.Token != "" && found.Token != token {
				return Found{}, refuse(TokenAmbiguous, "two different tokens")
			}
			if strings.IndexByte(token, ',') >= 0 {
				return Found{}, refuse(TokenAmbiguous, "the value is joined of several")
			}
			found.Token = token
			found.Locations = append(found.Locations, i)
		}
	}
	if found.Token == "" {
		return Found{}, refuse(TokenMissing, "no token where one may stand")
	}
	return found, nil
}

// token cuts the token out of a header's value; ok is false when there is none.
func (l Location) token(value string) (token string, ok bool) {
	if !hasPrefixFold(value, l.Prefix) {
		return "", false
	}
	token = value[len(l.Prefix):]
	if strings.HasSuffix(l.Prefix, " ") {
		for token != "" && token[0] == ' ' {
			token = token[1:]
		}
	}
	return token, token != ""
}

// joinsBearer reports whether one of several credentials, joined by a comma, is
// a bearer token. Commas by themselves are no sign: Digest and others use them.
func joinsBearer(value string) bool {
	for i := strings.IndexByte(value, ','); i >= 0; {
		value = ascii.TrimLeft(value[i+1:])
		if hasPrefixFold(value, Authorization.Prefix) || ascii.EqualFold(value, "bearer") {
			return true
		}
		i = strings.IndexByte(value, ',')
	}
	return false
}
