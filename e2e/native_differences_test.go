package e2e

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"edgejwt/e2e/harness"
	"edgejwt/internal/attacks"
)

var update = flag.Bool("update", false, "write NATIVE_DIFFERENCES.md anew")

// differencesPage is the committed list of what jwt_authn decides otherwise.
const differencesPage = "e2e/NATIVE_DIFFERENCES.md"

// nativeSettings gives jwt_authn the same issuer, audience, keys and skew.
func nativeSettings() string {
	return `providers:
  hostile:
    issuer: ` + attacks.Issuer + `
    audiences: [` + attacks.Audience + `]
    local_jwks: {inline_string: '` + string(attacks.KeySet()) + `'}
    clock_skew_seconds: 60
    forward: true
rules:
- match: {prefix: /}
  requires: {provider_name: hostile}
`
}

// compared is what both filters made of one case.
type compared struct {
	attacks.Case
	ours, theirs bool // the request reached the API
	theirAnswer  harness.Answer
}

// explanation says why the two filters differ in some cases of the table.
type explanation struct {
	title string
	why   string   // one sentence
	cases []string // beginnings of group/name
}

// Why edgejwt refuses what jwt_authn lets through.
var stricterHere = []explanation{
	{"Algorithms", "jwt_authn takes any algorithm that it knows and the key does not rule out; " +
		"edgejwt takes those that the rule names, by default RS256 alone (RFC 8725 §3.1).",
		[]string{"algorithm/"}},
	{"Critical extensions", "A token whose crit names what the reader does not understand must be refused (RFC 7515 §4.1.11), " +
		"and b64 must not be used in a JWT (RFC 7797, abstract); jwt_authn looks at neither.",
		[]string{"header/crit", "header/b64"}},
	{"Types in the header", "typ and cty are strings (RFC 7515 §4.1.9, §4.1.10); jwt_authn does not read them.",
		[]string{"header/typ", "header/cty"}},
	{"Tokens without end", "To jwt_authn a missing exp, and one that rounds to 0, means a token that never ends; " +
		"an access token must have one (RFC 9068 §2.2), and 1970 has passed (RFC 7519 §4.1.4).",
		[]string{"claim/exp: 0", "claim/exp: -0", "claim/exp: 1e-5", "claim/exp missing", "claim/exp in another case", "claim/exp only inside"}},
	{"Numbers that readers round", "Beyond 2^53 not every reader sees the same second (RFC 7493 §2.2); edgejwt takes no such date.",
		[]string{"claim/exp: 9007199254740994", "claim/exp: 1700000000000000000"}},
	{"Tokens from the future", "RFC 7519 §4.1.6 leaves iat to the application: jwt_authn ignores it, " +
		"edgejwt refuses one that lies ahead by more than the skew, because no sound issuer writes it.",
		[]string{"claim/iat far ahead", "time/iat"}},
	{"Audiences", "jwt_authn compares audiences without their scheme and their last slash; " +
		"RFC 7519 §2 (StringOrURI) and §4.1.3 have them compared as they are.",
		[]string{"audience/"}},
	{"Spellings of JSON", "A trailing comma, single quotes and raw line breaks in strings are not JSON (RFC 8259 §4, §7); " +
		"jwt_authn reads them all the same, and the API behind it may not.",
		[]string{"encoding/header in single", "encoding/payload in single", "encoding/header with a trailing comma", "encoding/payload with a trailing comma",
			"encoding/header with a raw line", "encoding/payload with a raw line"}},
	{"Bounds", "RFC 8259 §9 lets a reader set limits; edgejwt bounds length, depth and number of values, so that no token is dear to read.",
		[]string{"encoding/header nested", "encoding/payload nested", "encoding/header with too many values", "encoding/payload with too many values",
			"form/16 KiB", "form/20 KB"}},
	{"Spellings of base64url", "RFC 7515 §2 knows neither padding nor white space, and RFC 4648 §3.5 lets a reader refuse stray bits; " +
		"jwt_authn takes them, so that one token has many spellings, which caches and revocation lists take for different tokens.",
		[]string{"encoding/header with ", "encoding/payload with ", "encoding/signature with "}},
	{"Parts", "A compact JWS is three parts and two dots (RFC 7515 §7.1); jwt_authn skips empty parts around them.",
		[]string{"form/a part before", "form/a dot after"}},
	{"Where the token stands", "The value is the scheme, spaces and the token (RFC 6750 §2.1); jwt_authn finds \"Bearer \" anywhere in it, " +
		"also behind another credential, and skips foreign characters before the token.",
		[]string{"transport/tab before", "transport/two headers, the first is Basic", "transport/Basic and Bearer", "transport/a comma before"}},
}

// Why jwt_authn refuses what edgejwt lets through.
var stricterThere = []explanation{
	{"Case of the scheme", "Schemes are compared without case (RFC 9110 §11.1); jwt_authn looks for \"Bearer \" to the letter.",
		[]string{"transport/scheme in"}},
	{"Times before 1970", "A NumericDate is any JSON number (RFC 7519 §2); jwt_authn takes none below 0.",
		[]string{"valid/nbf is negative"}},
}

// checkDifferences compares the differences with the committed page. One that
// has no explanation fails, and so does a page that no longer tells the truth.
func checkDifferences(t *testing.T, cases []compared) {
	page := map[string][]string{} // rows by title
	same, different := 0, 0
	for _, c := range cases {
		if c.ours == c.theirs {
			same++
			continue
		}
		different++
		name := c.Group + "/" + c.Name
		explanations := stricterHere
		row := fmt.Sprintf("| %s | %s | accepted |", cell(name), c.Proxied)
		if c.ours {
			explanations = stricterThere
			row = fmt.Sprintf("| %s | accepted | %s |", cell(name), cell(strings.TrimSpace(c.theirAnswer.Body)))
		}
		title := explain(name, explanations)
		if title == "" {
			t.Errorf("no explanation for %q: edgejwt lets it through: %v, jwt_authn: %v (%v)", name, c.ours, c.theirs, c.theirAnswer)
			continue
		}
		page[title] = append(page[title], row)
	}
	var b strings.Builder
	fmt.Fprintf(&b, `# Where edgejwt and jwt_authn differ

Each of the %d cases of `+"`internal/attacks`"+` goes through edgejwt and through Envoy's own jwt_authn, in one Envoy, with the same
issuer, audience, keys and clock skew. On %d they agree; on these %d they do not. The list is written and checked by
`+"`go test ./e2e -run TestAttacks`"+` (with `+"`-update`"+` it is written anew): a difference that is not in it fails the test, and so does
one that has gone.
`, len(cases), same, different)
	section := func(heading string, explanations []explanation) {
		fmt.Fprintf(&b, "\n## %s\n", heading)
		for _, e := range explanations {
			if len(page[e.title]) == 0 {
				t.Errorf("the explanation %q explains nothing any more", e.title)
				continue
			}
			fmt.Fprintf(&b, "\n### %s\n\n%s\n\n| case | edgejwt | jwt_authn |\n|---|---|---|\n%s\n", e.title, e.why, strings.Join(page[e.title], "\n"))
		}
	}
	section("edgejwt is stricter", stricterHere)
	section("jwt_authn is stricter", stricterThere)
	t.Logf("%d cases agree, %d differ", same, different)

	path := filepath.Join(harness.Root(), differencesPage)
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
		t.Errorf("not in %s: %s", differencesPage, line)
	}
	for _, line := range missing(string(committed), b.String()) {
		t.Errorf("in %s, but no longer so: %s", differencesPage, line)
	}
}

// explain gives the title of the first explanation that fits a case.
func explain(name string, explanations []explanation) string {
	for _, e := range explanations {
		for _, beginning := range e.cases {
			if strings.HasPrefix(name, beginning) {
				return e.title
			}
		}
	}
	return ""
}

// missing gives the lines of one text that the other lacks.
func missing(text, from string) (lines []string) {
	have := map[string]bool{}
	for line := range strings.Lines(from) {
		have[strings.TrimSpace(line)] = true
	}
	for line := range strings.Lines(text) {
		if !have[strings.TrimSpace(line)] {
			lines = append(lines, strings.TrimSpace(line))
		}
	}
	return lines
}

// cell makes a text fit for a table's cell.
func cell(s string) string {
	return strings.NewReplacer("|", `\|`, "\n", " ", "<", "&lt;").Replace(s)
}
