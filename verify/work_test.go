package verify

import (
	"math/rand"
	"strings"
	"testing"
)

// TestSearchWork: the work of a search is bounded by the bytes of the lists,
// whatever is in them, and by the names that are compared at MaxListSigns places;
// beyond the bounds there is none. Work is counted, not timed.
func TestSearchWork(t *testing.T) {
	const bytesOnce = 4 // there, back to where the name begins, back to the separator, and the value or spaces
	random := rand.New(rand.NewSource(1))
	names := []string{"access_token", "access_token2", "token"}
	parts := []string{"access_token", "access_toke", "%61ccess_token", "a", "=", "=", "x=1", "&", ";", "; ", " ", "+", "%20", ",", "#", "t", strings.Repeat(" ", 99), strings.Repeat("&", 99), strings.Repeat("a;", 99)}
	most := 0.0
	for _, in := range []RequestPart{InCookie, InQuery} {
		var locations []TokenLocation
		letters := 0
		for _, name := range names {
			locations = append(locations, TokenLocation{In: in, Name: name})
			letters += len(name)
		}
		check := func(list string, pairs bool) {
			t.Helper()
			s := search{found: new(Found), locations: locations, in: in}
			err := s.list(list, pairs)
			if len(list) > MaxListBytes {
				if s.steps > 0 || ReasonOf(err) != TokenAmbiguous {
					t.Fatalf("%.40q…, %d bytes: %d steps, %v", list, len(list), s.steps, err)
				}
				return
			}
			bound := bytesOnce*len(list) + min(s.signs, MaxListSigns)*letters
			if most = max(most, float64(s.steps)/float64(bound)); s.steps > bound {
				t.Fatalf("%.40q…, %d bytes, %d signs: %d steps, more than %d", list, len(list), s.signs, s.steps, bound)
			}
		}
		for round := range 3000 {
			// A few parts over and over are what slow searches fall for.
			few := parts[:0:0]
			for range 1 + random.Intn(4) {
				few = append(few, parts[random.Intn(len(parts))])
			}
			size := 1 << random.Intn(17)
			if round%4 == 0 {
				size = MaxListBytes - random.Intn(3) + 1
			}
			var list strings.Builder
			for list.Len() < size {
				list.WriteString(few[random.Intn(len(few))])
			}
			check(list.String()[:size], round%8 > 0)
		}
	}
	if most < 0.5 {
		t.Errorf("no list comes near the bound: %.2f of it at most", most)
	}
}
