package route

// What resolve does to a path.
const (
	mergeSlashes uint8 = 1 << iota // first
	removeDots                     // RFC 3986 §5.2.4
)

// resolve gives a path without what the flags name and without a trailing slash.
// ok is false where dot segments lead above the root.
func resolve(path string, flags uint8) (resolved string, ok bool) {
	out := make([]byte, 0, len(path))
	ok = true
	for rest := path; rest != ""; {
		var segment string
		segment, rest = nextSegment(rest)
		switch {
		case segment == "" && flags&mergeSlashes != 0, segment == "." && flags&removeDots != 0:
		case segment == ".." && flags&removeDots != 0:
			last := len(out) - 1
			for last >= 0 && out[last] != '/' {
				last--
			}
			ok = ok && last >= 0
			out = out[:max(last, 0)]
		default:
			out = append(append(out, '/'), segment...)
		}
	}
	return trim(string(out)), ok
}

// nextSegment cuts the first segment off a path that starts with a slash; rest
// starts with the next slash, or is empty.
func nextSegment(path string) (segment, rest string) {
	path = path[1:]
	for i := range len(path) {
		if path[i] == '/' {
			return path[:i], path[i:]
		}
	}
	return path, ""
}

// trim removes trailing slashes; the root keeps its own.
func trim(path string) string {
	for len(path) > 1 && path[len(path)-1] == '/' {
		path = path[:len(path)-1]
	}
	if path == "" {
		return "/"
	}
	return path
}
