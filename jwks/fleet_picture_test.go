package jwks

import (
	"fmt"
	"strings"
	"time"
)

// picture draws the rate of requests to the provider over time.
func (f *fleet) picture() string {
	const (
		width, height, left, top = 900.0, 260.0, 50.0, 30.0
		bin                      = 10 * time.Second
		most                     = 60.0 // requests a second at the top
	)
	x := func(t time.Duration) float64 { return left + width*float64(t)/float64(fleetEnd) }
	y := func(rate float64) float64 { return top + height*(1-min(rate, most)/most) }
	counts := make([]float64, fleetEnd/bin+1)
	for _, at := range f.asked {
		counts[at/bin] += 1 / bin.Seconds()
	}
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %.0f %.0f" font-family="sans-serif" font-size="11">`+"\n", left+width+20, top+height+50)
	fmt.Fprintf(&b, `<rect width="100%%" height="100%%" fill="white"/>`+"\n")
	for _, p := range []struct {
		from, to    time.Duration
		fill, label string
	}{
		{0, fleetStart, "#eef", "start"}, {outageFrom, outageTo, "#fdd", "outage"}, {announcedAt, announcedAt + time.Minute, "#dfd", "announced"},
		{unannouncedAt, unannouncedAt + time.Minute, "#dfd", "unannounced"}, {emergencyAt, emergencyAt + time.Minute, "#fea", "emergency"},
	} {
		fmt.Fprintf(&b, `<rect x="%.1f" y="%.1f" width="%.1f" height="%.1f" fill="%s"/><text x="%.1f" y="%.1f">%s</text>`+"\n",
			x(p.from), top, x(p.to)-x(p.from), height, p.fill, x(p.from), top-8, p.label)
	}
	for rate := 0.0; rate <= most; rate += 10 {
		fmt.Fprintf(&b, `<line x1="%.1f" x2="%.1f" y1="%.1f" y2="%.1f" stroke="#ddd"/><text x="%.1f" y="%.1f" text-anchor="end">%.0f</text>`+"\n",
			left, left+width, y(rate), y(rate), left-6, y(rate)+4, rate)
	}
	for m := time.Duration(0); m <= fleetEnd; m += 15 * time.Minute {
		fmt.Fprintf(&b, `<text x="%.1f" y="%.1f" text-anchor="middle">%.0f min</text>`+"\n", x(m), top+height+16, m.Minutes())
	}
	fmt.Fprintf(&b, `<line x1="%.1f" x2="%.1f" y1="%.1f" y2="%.1f" stroke="#c33" stroke-dasharray="4 3"/>`+"\n", left, left+width, y(providerLimit), y(providerLimit))
	b.WriteString(`<polyline fill="none" stroke="#246" points="`)
	for i, rate := range counts {
		fmt.Fprintf(&b, "%.1f,%.1f ", x(time.Duration(i)*bin), y(rate))
	}
	fmt.Fprintf(&b, `"/>`+"\n"+`<text x="%.1f" y="%.1f">requests/s to the provider, in steps of 10 s: %d sidecars of %d workers, refresh %v; dashed: what the provider bears</text>`+"\n</svg>\n",
		left, top+height+38, sidecars, workersEach, fleetRefresh)
	return b.String()
}
