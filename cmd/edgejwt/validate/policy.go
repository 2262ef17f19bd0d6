package validate

import (
	"errors"
	"strings"

	"edgejwt/cmd/edgejwt/document"
	"edgejwt/plugin/config"
)

// judge holds one configuration against the plugin's parser, and then looks at
// what it stands in.
func (w *world) judge(p *plugin) {
	place := Place{File: p.file, Line: p.at.Line, Path: p.at.Path, In: p.in}
	if p.text != nil {
		w.parse(p, &place)
	}
	if p.around != nil {
		p.around(w, p)
	}
	if p.config != nil {
		w.judgeKeys(p)
		w.judgeGaps(p)
		w.judgeOrder(p)
		w.judgeNeeds(p)
		w.judgeIssuers(p)
	}
	w.checkPlaceholders(p)
	w.report.Places = append(w.report.Places, place)
}

// parse runs the plugin's parser.
func (w *world) parse(p *plugin, place *Place) {
	parsed, err := config.Parse(p.text)
	if err != nil {
		for _, fault := range faultsOf(err) {
			w.found(Finding{Severity: Error, What: said(fault),
				Why: "The plugin refuses to start with it; a proxy that has an earlier configuration keeps that."}, p.file, p.where(fault.Path))
		}
		return
	}
	p.config, place.Valid = parsed, true
	for _, warning := range parsed.Warnings {
		path, text, _ := strings.Cut(warning, ": ")
		w.found(Finding{Severity: Warning, What: text}, p.file, p.where(path))
	}
}

// said is a fault without its path.
func said(f config.Fault) string {
	if f.Found == "" {
		return f.Want
	}
	return f.Found + " " + f.Want
}

func faultsOf(err error) []config.Fault {
	var refused *config.Error
	if errors.As(err, &refused) {
		return refused.Faults
	}
	return nil
}

// where is the place of a fault, as near as the tree of the configuration tells.
func (p *plugin) where(path string) *document.Node {
	at := p.at
	if p.inner != nil {
		at = p.inner.At(path)
	}
	return &document.Node{Path: joined(p.at.Path, path), Line: at.Line}
}

// joined is the path of what stands inside of a configuration.
func joined(outer, inner string) string {
	switch {
	case inner == "configuration":
		return outer
	case outer == "":
		return inner
	}
	return outer + " " + inner
}
