package e2e

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"edgejwt/e2e/differential"
	"edgejwt/e2e/harness"
)

// differentialPage is the committed list of differences.
const differentialPage = "e2e/DIFFERENTIAL.md"

// takenForOne has the pairs of requests that edgejwt takes for one, and the other
// filters do not: where it lets one through, they let the other through.
var takenForOne = []struct {
	title, why string
	others     func(q *differential.Request) []*differential.Request
	// stricter is true for what may be refused, and may not let a request through.
	stricter bool
}{
	{title: "a slash at the end of the path",
		why:    "servers redirect from one to the other or take them for the same: of the two, the stricter rule holds",
		others: (*differential.Request).Slashed, stricter: true},
	{title: "HEAD, and GET",
		why:    "what answers HEAD is in most servers the handler of GET: of the two, the stricter rule holds",
		others: (*differential.Request).AsGet, stricter: true},
	{title: "the case of the scheme",
		why:    "schemes are compared without case (RFC 9110 §11.1)",
		others: func(q *differential.Request) []*differential.Request { return []*differential.Request{q.Schemed()} }},
	{title: "a CORS preflight, and the same request that is none",
		why:    "jwt_authn lets preflights pass unread where it is told to (bypass_cors_preflight), and RBAC behind it finds no claims: together they become corsPreflight: judge",
		others: func(q *differential.Request) []*differential.Request { return []*differential.Request{q.Plain()} }},
	{title: "a token in the parameter access_token, and none there",
		why:    "where nobody named a place for tokens, jwt_authn looks into this parameter, and edgejwt does not: tokens in URLs end up in logs",
		others: func(q *differential.Request) []*differential.Request { return []*differential.Request{q.Unread()} }},
	{title: "the host with port, dot or in another case, and without",
		why:    "of all that servers may take the host for, the strictest rule holds",
		others: (*differential.Request).Respelled, stricter: true},
	{title: "a claim that is a value, and one that is a list with it",
		why:    "providers write a single role either way; RBAC has a matcher for each",
		others: (*differential.Request).Reshaped},
	{title: "several of these at once", why: "as above", others: func(q *differential.Request) (all []*differential.Request) {
		for _, spelled := range []*differential.Request{q, q.Unread()} {
			for _, spelled := range []*differential.Request{spelled, spelled.Schemed(), spelled.Plain(), spelled.Plain().Schemed()} {
				all = append(append(all, spelled), spelled.Reshaped()...)
			}
		}
		return all
	}},
}

// stricter says, for the reasons that edgejwt gives, why the other filters let
// such a request through.
var stricter = map[string]string{
	"path_ambiguous":        "servers read the path in different ways, so no rule can be told to hold for it",
	"request_ambiguous":     "servers read host, path, method or headers in different ways, and of two rules neither asks for more",
	"token_ambiguous":       "several tokens, or one that stands in two places: it is not known which one the API takes",
	"token_opaque":          "what is sent as a token is none, and a bad token is refused even where none is needed (allow_missing_or_failed)",
	"token_malformed":       "what is sent as a token is none, and a bad token is refused even where none is needed (allow_missing_or_failed)",
	"token_expired":         "a bad token is refused even where none is needed (allow_missing_or_failed)",
	"token_not_yet_valid":   "a bad token is refused even where none is needed (allow_missing_or_failed)",
	"signature_invalid":     "a bad token is refused even where none is needed (allow_missing_or_failed)",
	"key_unknown":           "a bad token is refused even where none is needed (allow_missing_or_failed)",
	"audience_mismatch":     "a bad token is refused even where none is needed (allow_missing_or_failed), or audiences that differ by issuer cannot be said",
	"issuer_unknown":        "a token of an issuer that is not named is refused even where none is needed, or what convert could not say is refused",
	"algorithm_not_allowed": "a bad token is refused even where none is needed (allow_missing_or_failed)",
	"claim_invalid":         "a token without audience where it is checked",
	"route_denied":          "what convert could not say is refused (auth: deny)",
	"token_missing":         "what convert could not say asks for a token, such as a rule for requests with a query parameter that asks for none",
	"claim_mismatch":        "of several policies for one request only one could be said",
	"scope_missing":         "of several policies for one request only one could be said",
}

// differences counts what became of the requests.
type differences struct {
	refused, requests, passed, agreed, laxer int
	one                                      map[string]int    // let through, by title of takenForOne
	two                                      map[string]int    // refused, likewise
	strict                                   map[string]int    // by reason
	examples                                 map[string]string // by reason
}

func newDifferences() *differences {
	return &differences{one: map[string]int{}, two: map[string]int{}, strict: map[string]int{}, examples: map[string]string{}}
}

func (y *differences) add(t *testing.T, i int, w *twin, q *differential.Request, theirs, ours verdict) {
	t.Helper()
	y.requests++
	if theirs.passed {
		y.passed++
	}
	switch {
	case theirs.passed == ours.passed:
		y.agreed++
	case theirs.passed:
		for _, kind := range takenForOne[:6] {
			for _, other := range kind.others(q) {
				if v, err := w.listeners[0].send(other); err == nil && !v.passed {
					y.two[kind.title]++
					return
				}
			}
		}
		reason := ours.reason
		if reason == "" {
			reason = fmt.Sprintf("status %d", ours.status)
		}
		y.strict[reason]++
		y.examples[reason] = fmt.Sprintf("configuration %d: %v", i, q)
	default:
		for _, kind := range takenForOne {
			for _, other := range kind.others(q) {
				if kind.stricter {
					break
				}
				if v, err := w.listeners[0].send(other); err == nil && v.passed {
					y.one[kind.title]++
					return
				}
			}
		}
		y.laxer++
		t.Errorf("laxer, configuration %d: %v: jwt_authn says %d %s, edgejwt lets it through\n%s\n%s", i, q, theirs.status, theirs.reason,
			mustJSON(w.native.Filters), w.converted.YAML)
	}
}

// check holds the counts against the page.
func (y *differences) check(t *testing.T, page bool) {
	t.Helper()
	var b strings.Builder
	fmt.Fprintf(&b, `# jwt_authn and RBAC beside what convert makes of them

Configurations of Envoy's jwt_authn and RBAC are made up, converted by `+"`edgejwt convert`"+`, and put beside the originals in one Envoy;
%d made up requests go through both, tokens good and bad, paths plain and odd. Never does edgejwt let a request through that the
originals refuse, save where it takes two requests for one; then the originals let the other of the two through, which is tried
each time. The page is written and checked by `+"`go test ./e2e -run TestDifferential`"+` (with `+"`-update`"+`, anew).

| | requests |
|---|---|
| both let it through, or both refuse it | %d |
| the originals decide otherwise about another spelling of it (taken for one, below) | %d |
| edgejwt refuses it, the originals do not | %d |
| edgejwt lets it through, the originals do not, in no spelling | %d |

%d configurations could not be converted at all: an error says why, and nothing is written.

## Taken for one

| what | why | let through | refused |
|---|---|---|---|
`, y.requests, y.agreed, sum(y.one)+sum(y.two), sum(y.strict), y.laxer, y.refused)
	for _, kind := range takenForOne {
		if page && y.one[kind.title]+y.two[kind.title] == 0 && kind.why != "as above" {
			t.Errorf("%s: this is never seen any more", kind.title)
		}
		fmt.Fprintf(&b, "| %s | %s | %d | %d |\n", kind.title, kind.why, y.one[kind.title], y.two[kind.title])
	}
	b.WriteString("\n## Stricter\n\n| edgejwt's reason | why the originals do not mind | requests |\n|---|---|---|\n")
	for _, reason := range slices.Sorted(maps.Keys(y.strict)) {
		why := stricter[reason]
		if why == "" {
			t.Errorf("%s: %d requests that only the originals let through, for no reason that is listed (%s)", reason, y.strict[reason], y.examples[reason])
		}
		fmt.Fprintf(&b, "| `%s` | %s | %d |\n", reason, why, y.strict[reason])
	}
	t.Logf("%d requests, %d let through by the originals; %d agree, %d taken for one, %d stricter, %d laxer; %d configurations refused",
		y.requests, y.passed, y.agreed, sum(y.one), sum(y.strict), y.laxer, y.refused)
	t.Logf("taken for one: let through %v, refused %v", y.one, y.two)
	if !page {
		return
	}
	path := filepath.Join(harness.Root(), differentialPage)
	if *update {
		if err := os.WriteFile(path, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	committed, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range missing(b.String(), string(committed)) {
		t.Errorf("not in %s: %s", differentialPage, line)
	}
}

func sum(counts map[string]int) (n int) {
	for _, count := range counts {
		n += count
	}
	return n
}
