package ascii

// FoldHeader gives the one spelling of all header names that servers of the CGI
// family (WSGI, PHP, Rack) make one variable of: letters in lower case, and a hyphen
// for each byte that is neither letter nor digit. X-Jwt-Sub, x_jwt_sub and x.jwt.sub
// are x-jwt-sub. A pseudo header (":path") is no variable there and stays as it is.
//
// Every header that is judged, read as a token or told to the API is compared so:
// see SameHeader.
func FoldHeader(name string) string {
	if name == "" || name[0] == ':' {
		return name
	}
	b := []byte(name)
	for i, c := range b {
		b[i] = foldHeaderByte(c)
	}
	return string(b)
}

// SameHeader reports whether FoldHeader gives one spelling for both names. It
// allocates nothing.
func SameHeader(a, b string) bool {
	if len(a) != len(b) || a == "" || a[0] == ':' || b[0] == ':' {
		return a == b
	}
	for i := range len(a) {
		if a[i] != b[i] && foldHeaderByte(a[i]) != foldHeaderByte(b[i]) {
			return false
		}
	}
	return true
}

func foldHeaderByte(c byte) byte {
	switch {
	case isUpper(c):
		return c + 'a' - 'A'
	case 'a' <= c && c <= 'z' || '0' <= c && c <= '9':
		return c
	}
	return '-'
}
