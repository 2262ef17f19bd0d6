package bench

import (
	"fmt"
	"html"
	"strings"
)

// The picture's measures, in pixels.
const (
	plotWidth = 1000
	labels    = 450 // room for names
	bars      = plotWidth - labels - 100
	lineStep  = 24
	barHeight = 14
)

// colours of the groups; the second of a stacked bar is that of the API.
var colours = map[string]string{
	groupFloor:   "#8a94a6",
	groupOthers:  "#3b6fb6",
	groupEdgejwt: "#1f8a5b",
	groupRefuse:  "#c07a1e",
	groupAPI:     "#3b6fb6",
}

const apiColour = "#b7c4d8"

// Plot draws two sets of bars: throughput where Envoy answers by itself, and
// processor time for each request where FastAPI does.
func (m *Measured) Plot() string {
	p := &picture{}
	p.heading("Requests per second on one core, Envoy answering by itself (line: the middle half of all rounds)")
	top := 0.0
	for _, r := range m.Rows {
		if r.Group != groupAPI && r.Group != groupCost {
			top = max(top, quantile(m.Closed[r.ID], 0.75, rate))
		}
	}
	group := ""
	for _, r := range m.Rows {
		s := m.Closed[r.ID]
		if r.Group == groupAPI || r.Group == groupCost || len(s) == 0 {
			continue
		}
		if group != r.Group {
			group = r.Group
			p.group(group)
		}
		v, low, high := median(s, rate), quantile(s, 0.25, rate), quantile(s, 0.75, rate)
		p.line(r.Name, thousands(v), high/top, bar{v / top, colours[group]})
		p.spread(low/top, high/top)
	}
	p.y += 16
	p.heading("Processor time for each request, µs, FastAPI behind Envoy (dark: Envoy, light: FastAPI)")
	top = 0
	for _, r := range m.Rows {
		if r.Group == groupAPI {
			top = max(top, median(m.Closed[r.ID], cpu))
		}
	}
	for _, r := range m.Rows {
		s := m.Closed[r.ID]
		if r.Group != groupAPI || len(s) == 0 {
			continue
		}
		p.line(r.Name, thousands(median(s, cpu)), 0, bar{median(s, envoy) / top, colours[r.Group]},
			bar{(median(s, cpu) - median(s, envoy)) / top, apiColour})
	}
	return p.svg()
}

// bar is a part of a line: its share of the width and its colour.
type bar struct {
	share  float64
	colour string
}

type picture struct {
	body strings.Builder
	y    int
}

func (p *picture) heading(text string) {
	p.y += lineStep
	fmt.Fprintf(&p.body, `<text x="16" y="%d" font-weight="bold">%s</text>`+"\n", p.y, html.EscapeString(text))
	p.y += 10
}

func (p *picture) group(name string) {
	p.y += lineStep
	fmt.Fprintf(&p.body, `<text x="%d" y="%d" text-anchor="end" fill="%s" font-weight="bold">%s</text>`+"\n",
		labels-8, p.y, colours[name], html.EscapeString(name))
}

// line draws a name, bars end to end, and a value behind them and behind reach.
func (p *picture) line(name, value string, reach float64, parts ...bar) {
	p.y += lineStep
	fmt.Fprintf(&p.body, `<text x="%d" y="%d" text-anchor="end">%s</text>`+"\n", labels-8, p.y, html.EscapeString(name))
	x := float64(labels)
	for _, part := range parts {
		w := part.share * bars
		fmt.Fprintf(&p.body, `<rect x="%.1f" y="%d" width="%.1f" height="%d" fill="%s"/>`+"\n", x, p.y-barHeight+3, w, barHeight, part.colour)
		x += w
	}
	fmt.Fprintf(&p.body, `<text x="%.1f" y="%d">%s</text>`+"\n", max(x, labels+reach*bars)+8, p.y, value)
}

// spread draws the middle half over the line's bar.
func (p *picture) spread(low, high float64) {
	fmt.Fprintf(&p.body, `<line x1="%.1f" x2="%.1f" y1="%d" y2="%d" stroke="#222" stroke-width="2"/>`+"\n",
		labels+low*bars, labels+high*bars, p.y-barHeight/2+3, p.y-barHeight/2+3)
}

func (p *picture) svg() string {
	height := p.y + lineStep
	return fmt.Sprintf(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" height="%d" font-family="system-ui, sans-serif" font-size="13" fill="#222">
<rect width="100%%" height="100%%" fill="#fff"/>
%s</svg>
`, plotWidth, height, plotWidth, height, p.body.String())
}
