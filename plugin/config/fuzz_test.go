package config_test

import (
	"encoding/json"
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	"edgejwt/plugin/config"
	"edgejwt/verify"
	"edgejwt/verify/route"
)

// FuzzParse holds every text to the promises of Config and Error.
func FuzzParse(f *testing.F) {
	seeds := 0
	for _, group := range [][]refusalCase{wholeRefusals, typeRefusals, ruleRefusals, addressRefusals, headerRefusals, keysRefusals, routeRefusals, claimRefusals, topRefusals} {
		for _, c := range group {
			if len(c.document) < 8<<10 {
				f.Add([]byte(c.document))
				seeds++
			}
		}
	}
	for _, members := range []string{
		`"realm":"r"`, `"secret":"0123456789abcdef0123456789abcdef"`, `"keys":{"refresh":"1m","maxStale":"300h","deny":["a"]}`,
		`"jwtRules":[{` + goodRule + `,"clockSkew":"6m","fromHeaders":[{"name":"X-T","prefix":"T "}],"forwardOriginalToken":false}]`,
		`"jwtRules":[{"issuer":"https://i.example/a","anyAudience":true,"outputClaimToHeaders":[{"header":"x-a","claim":"sub"}]}]`,
		`"routes":[{"path":{"template":"/orgs/{org}/{rest=**}"},"claimMatches":[{"claim":["a","b"],"variable":"org"}],"scopes":["a"]}]`,
		`"routes":[{"path":{"regex":"/v[0-9]+/.*"},"methods":["GET"],"hosts":["*.example.com"],"headers":[{"name":"x"}]}],"ignorePathCase":true`,
		`"jwtRules":[{"issuer":"i","audiences":["a"],"jwks":{"keys":[` + inlineKey + `]},"outputPayloadToHeader":"x-p"}]`,
	} {
		f.Add([]byte(top(members)))
		seeds++
	}
	f.Add([]byte(everything()))
	if seeds < 200 {
		f.Fatalf("only %d seeds", seeds)
	}
	f.Fuzz(func(t *testing.T, document []byte) {
		kept := slices.Clone(document)
		c, err := config.Parse(document)
		if !slices.Equal(kept, document) {
			t.Fatal("the text was changed")
		}
		if err != nil {
			checkRefusal(t, c, err)
			return
		}
		checkConfig(t, c)
		again, err := config.Parse(document)
		if err != nil || !reflect.DeepEqual(again, c) {
			t.Errorf("read again: %+v, %v", again, err)
		}
	})
}

// FuzzParsePolicy holds every text to the promises of ParsePolicy.
func FuzzParsePolicy(f *testing.F) {
	for _, c := range policyRefusals {
		f.Add(c.document)
	}
	for _, group := range [][]refusalCase{routeRefusals, claimRefusals} {
		for _, c := range group {
			if _, members, ok := strings.Cut(c.document, `"routes":[`); ok && len(members) < 4<<10 {
				f.Add(strings.TrimSuffix(members, "]}"))
			}
		}
	}
	f.Add("{" + everyDemand + "}")
	f.Fuzz(func(t *testing.T, text string) {
		policy, err := config.ParsePolicy(text)
		r := policy.Route
		if err != nil {
			var e *config.Error
			if !errors.As(err, &e) || len(e.Faults) == 0 || policy.Spellings != 0 || !reflect.DeepEqual(r, route.Route{}) {
				t.Fatalf("refused with %v and %+v", r, err)
			}
			for line := range strings.SplitSeq(err.Error(), "\n") {
				checkLine(t, line)
			}
			return
		}
		checkRoutes(t, []route.Route{r}, route.Options{})
		if r.Path.Kind != route.Any || r.Methods != nil || r.Hosts != nil || r.Headers != nil {
			t.Errorf("a condition: %+v", r)
		}
		if policy.Spellings != 0 {
			return // which is no route's
		}
		// As a route it is read alike, where no header is removed that it judges.
		c, err := config.Parse([]byte(top(`"overrideHeaders":"keep","routes":[` + text + `]`)))
		if err != nil || !reflect.DeepEqual(c.Routes, []route.Route{r}) {
			t.Errorf("as a route: %v", err)
		}
	})
}

// checkRoutes demands what the doc comment of Config.Routes promises.
func checkRoutes(t *testing.T, routes []route.Route, options route.Options) {
	t.Helper()
	if _, faults := route.NewTable(routes, options); faults != nil || len(routes) > config.MaxRoutes {
		t.Errorf("routes %+v with faults %+v", routes, faults)
	}
	named := map[string]bool{}
	for _, r := range routes {
		if r.Name != "" && (named[r.Name] || len(r.Name) > 64 || strings.ContainsAny(r.Name, " ;:=,\"\\")) {
			t.Errorf("name %q", r.Name)
		}
		named[r.Name] = true
		if r.Requirements.MaxAge < 0 || r.Requirements.MaxLifetime < 0 || r.Auth >= route.None && r.Requirements.Scopes != nil {
			t.Errorf("need %+v", r.Requirements)
		}
		for _, claim := range r.Requirements.Claims {
			if len(claim.Name) == 0 || len(claim.Name) > 16 || slices.Contains(claim.Name, "") || len(claim.Values) == 0 {
				t.Errorf("claim %+v", claim)
			}
		}
	}
}

func checkRefusal(t *testing.T, c *config.Config, err error) {
	t.Helper()
	var e *config.Error
	if c != nil || !errors.As(err, &e) || len(e.Faults) == 0 {
		t.Fatalf("refused with %v and %+v", c, err)
	}
	for _, f := range e.Faults {
		if f.Path == "" || f.Want == "" {
			t.Errorf("fault %+v says too little", f)
		}
		checkLine(t, f.String())
	}
	for line := range strings.SplitSeq(err.Error(), "\n") {
		checkLine(t, line)
	}
}

// checkLine demands one line for a log that nothing can hide in.
func checkLine(t *testing.T, line string) {
	t.Helper()
	if line == "" || len(line) > 2000 || strings.IndexFunc(line, unicode.IsControl) >= 0 {
		t.Errorf("not fit for a log: %q", line)
	}
}

// checkKeys demands what the doc comments of Keys promise.
func checkKeys(t *testing.T, path string, k *config.Keys) {
	t.Helper()
	if k.Cooldown < time.Second || k.Refresh < k.Cooldown || k.MaxStale < k.Refresh || k.Timeout <= 0 || k.Timeout > time.Minute ||
		k.Wait <= 0 || k.Wait > 30*time.Second || k.Tick < 100*time.Millisecond || k.Tick > time.Second || k.Jitter < 0 || k.Jitter > 10*time.Minute {
		t.Errorf("%s: keys %+v", path, k)
	}
	for _, kid := range k.Deny {
		if kid == "" || len(kid) > config.MaxKIDBytes {
			t.Errorf("%s: denied kid %q", path, kid)
		}
	}
}

// checkConfig demands what the doc comments of Config and Rule promise.
func checkConfig(t *testing.T, c *config.Config) {
	t.Helper()
	checkRoutes(t, c.Routes, c.RouteOptions)
	if m := c.ResourceMetadata; m != nil {
		if !json.Valid(m.Document) || !isVisible(m.URL) || strings.ContainsAny(m.URL, `"\`) || !strings.HasSuffix(m.URL, m.Path) || !strings.HasPrefix(m.URL, "https://") {
			t.Errorf("resource metadata %+v", m)
		}
	}
	if c.TokenCache.Entries < 0 || c.TokenCache.Entries > 1_000_000 || c.TokenCache.Bytes < 64<<10 || c.TokenCache.Bytes > 1<<30 || c.Signature > config.SignatureHost {
		t.Errorf("%+v and signature %d", c.TokenCache, c.Signature)
	}
	if len(c.Rules) == 0 || len(c.Rules) > config.MaxRules {
		t.Errorf("%d rules", len(c.Rules))
	}
	if c.Realm == "" || len(c.Realm) > config.MaxRealmBytes || strings.ContainsAny(c.Realm, `"\`) || !isVisible(c.Realm) {
		t.Errorf("realm %q", c.Realm)
	}
	for _, w := range c.Warnings {
		checkLine(t, w)
	}
	checkKeys(t, "", &c.Keys)
	issuers, sources, outputs := map[string]bool{}, map[string]bool{}, map[string]bool{}
	for _, r := range c.Rules {
		if r.Issuer == "" || issuers[r.Issuer] {
			t.Errorf("%s: issuer %q is empty or a second one", r.Path, r.Issuer)
		}
		issuers[r.Issuer] = true
		checkRule(t, r)
		checkKeys(t, r.Path, &r.Keys)
		for _, kid := range c.Keys.Deny {
			if !slices.Contains(r.Keys.Deny, kid) {
				t.Errorf("%s accepts %q, which is denied for all", r.Path, kid)
			}
		}
		if own := r.TokenCache; own != nil && (own.Entries < 0 || own.Entries > 1_000_000 || own.Bytes < 64<<10 || own.Bytes > 1<<30) {
			t.Errorf("%s: %+v", r.Path, own)
		}
		for _, l := range r.Locations {
			if l.In == verify.InHeader {
				checkHeader(t, l.Name)
				sources[l.Name] = true
			} else if l.Name == "" || l.Prefix != "" {
				t.Errorf("location %+v", l)
			}
			if !isVisible(l.Prefix) {
				t.Errorf("prefix %q", l.Prefix)
			}
		}
		for _, o := range r.OutputClaimToFilterState {
			if o.Key == "" || len(o.Key) > 128 || !isVisible(o.Key) || len(o.Claim) == 0 || o.Encoding > verify.Base64URL {
				t.Errorf("%s: state %+v", r.Path, o)
			}
		}
		own := map[string]bool{}
		for _, o := range append([]config.ClaimHeader{{Header: r.OutputPayloadToHeader, Claim: []string{"payload"}}}, r.OutputClaimToHeaders...) {
			if o.Header == "" && len(o.Claim) == 1 && o.Claim[0] == "payload" {
				continue
			}
			checkHeader(t, o.Header)
			if own[o.Header] || len(o.Claim) == 0 {
				t.Errorf("%s: output %+v", r.Path, o)
			}
			own[o.Header], outputs[o.Header] = true, true
		}
	}
	for header := range outputs {
		if sources[header] || header == "authorization" || header == "host" || strings.HasPrefix(header, "content-") {
			t.Errorf("output to %q", header)
		}
	}
}

func checkRule(t *testing.T, r config.Rule) {
	t.Helper()
	for _, alg := range r.Algorithms {
		if !slices.Contains(verify.Algorithms(), alg) {
			t.Errorf("%s: algorithm %q", r.Path, alg)
		}
	}
	if r.AnyAudience != (len(r.Audiences) == 0) || slices.Contains(r.Audiences, "") {
		t.Errorf("%s: audiences %q, any %v", r.Path, r.Audiences, r.AnyAudience)
	}
	if len(r.Algorithms) == 0 || r.ClockSkew < 0 || r.ClockSkew > 10*time.Minute || len(r.Locations) == 0 {
		t.Errorf("%s: %+v", r.Path, r)
	}
	if r.InlineSet != nil {
		if r.InlineSet.Len() == 0 || r.InlineJWKS == nil || r.JWKSURI+r.Cluster+r.Authority+r.RequestPath != "" || r.Discovery {
			t.Errorf("%s: inline set beside %+v", r.Path, r)
		}
		return
	}
	source := r.JWKSURI
	if r.Discovery {
		if r.JWKSURI != "" {
			t.Errorf("%s: discovery beside %q", r.Path, r.JWKSURI)
		}
		source = r.Issuer
	}
	if !strings.HasPrefix(source, "https://") && !(r.AllowHTTP && strings.HasPrefix(source, "http://")) || r.Cluster == "" || r.Authority == "" || !strings.HasPrefix(r.RequestPath, "/") ||
		r.Authority != strings.ToLower(r.Authority) || strings.ContainsAny(r.Authority, "@/?") || strings.ContainsAny(r.Authority+r.RequestPath, " #\\") || !isVisible(r.RequestPath) {
		t.Errorf("%s: keys from %+v", r.Path, r)
	}
}

func checkHeader(t *testing.T, name string) {
	t.Helper()
	if name == "" || name != strings.ToLower(name) || strings.ContainsAny(name, " :\t") || !isVisible(name) {
		t.Errorf("header %q", name)
	}
}

func isVisible(s string) bool {
	return strings.IndexFunc(s, func(c rune) bool { return c < ' ' || c > '~' }) < 0
}
