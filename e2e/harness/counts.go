package harness

import (
	"strings"
	"time"
)

// Stat is the sum of Envoy's counters and gauges whose name contains part.
func (w *World) Stat(part string) (sum int64) {
	w.T.Helper()
	stats, err := w.Envoy.Stats("") // the filter is a regular expression; names hold ; and =
	if err != nil {
		w.T.Fatal(err)
	}
	for name, v := range stats {
		if strings.Contains(name, part) {
			sum += v
		}
	}
	return sum
}

// Requests is a part of the name of the plugin's count of requests decided for one
// reason.
func Requests(reason string) (part string) { return "edgejwt_requests;reason=" + reason + ";" }

// Count is the plugin's count of requests decided for one reason. Refusals are
// counted at once, what passes a second later: see Grows.
func (w *World) Count(reason string) int64 {
	w.T.Helper()
	return w.Stat(Requests(reason))
}

// tickOfPlugin is how long the plugin may keep counts of what passes, and a little more.
const tickOfPlugin = 1200 * time.Millisecond

// Grows fails the test unless what do causes lets Stat grow by just so much within
// 3 s. Before, it waits until what came earlier has been counted.
func (w *World) Grows(part string, by int64, do func()) {
	w.T.Helper()
	before := w.Stat(part)
	for settled := false; !settled; {
		time.Sleep(tickOfPlugin)
		now := w.Stat(part)
		settled, before = now == before, now
	}
	do()
	var grown int64
	for end := time.Now().Add(3 * time.Second); time.Now().Before(end) && grown < by; time.Sleep(20 * time.Millisecond) {
		grown = w.Stat(part) - before
	}
	if grown != by {
		w.T.Errorf("%s grew by %d, want %d", part, grown, by)
	}
}
