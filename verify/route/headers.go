package route

import "edgejwt/verify/ascii"

// holds says whether the condition holds in the two readings of a request's
// headers.
//
// sent is Envoy's reading: only lines of that very name count, there is one, and
// each is one of the values.
//
// folded is the reading of servers of the CGI family (see ascii.FoldHeader): lines
// of every spelling count. Which of several lines such a server takes is not known.
// So where one line satisfies the condition and another does not, folded is what
// sent is not.
//
// The caller must apply the stricter of what both readings demand.
func (h *Header) holds(headers [][2]string) (sent, folded bool) {
	named, all, some := false, true, false
	sent = true
	for i := range headers {
		name, value := headers[i][0], headers[i][1]
		if !ascii.SameHeader(name, h.Name) {
			continue
		}
		fits := len(h.Values) == 0 || contains(h.Values, value)
		if name == h.Name {
			named, sent = true, sent && fits
		}
		all, some = all && fits, some || fits
	}
	sent = sent && named
	if some && !all {
		return sent, !sent
	}
	return sent, some
}

// headersHold reports whether all conditions hold in both readings of each header
// (surely), and whether each holds in one of them (perhaps).
func headersHold(conditions []Header, headers [][2]string) (surely, perhaps bool) {
	surely, perhaps = true, true
	for i := range conditions {
		sent, folded := conditions[i].holds(headers)
		surely, perhaps = surely && sent && folded, perhaps && (sent || folded)
	}
	return surely, perhaps
}
