package route

import (
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"edgejwt/verify/strictjson"
)

// bearer is what decides whether somebody satisfies a demand: who he is, written
// down without a token.
type bearer struct {
	token, opaque bool
	words         []string // scopes, permissions, issuer, audience, …: each of one kind's
	org           string
	age           int64
}

var bearers = func() (all []bearer) {
	words := []string{"a", "b", "c"}
	for subset := range 1 << len(words) {
		var some []string
		for i, word := range words {
			if subset>>i&1 == 1 {
				some = append(some, word)
			}
		}
		for _, org := range []string{"", "x", "y", "x y"} {
			for age := range int64(4) {
				all = append(all, bearer{token: true, words: some, org: org, age: age})
			}
		}
	}
	return append(all, bearer{}, bearer{opaque: true})
}()

func (b *bearer) satisfies(d demand) bool {
	n := &d.route.Requirements
	one := func(list []string) bool {
		return len(list) == 0 || slices.ContainsFunc(list, func(s string) bool { return slices.Contains(b.words, s) })
	}
	every := func(list []string) bool {
		return !slices.ContainsFunc(list, func(s string) bool { return !slices.Contains(b.words, s) })
	}
	switch {
	case d.report, d.route.Auth == None:
		return true
	case d.route.Auth == Deny:
		return false
	case b.opaque:
		return d.route.AllowOpaque
	case !b.token:
		return d.route.Auth == Optional
	}
	for _, claim := range n.Claims {
		texts := []string{b.org}
		if claim.SpaceDelimited {
			texts = strings.Fields(b.org)
		}
		if b.org == "" || !slices.ContainsFunc(claim.Values, func(v strictjson.Value) bool { return slices.Contains(texts, v.Text) }) {
			return false
		}
	}
	for i := range n.ClaimMatches {
		if b.org == "" || b.org != d.boundTexts[i] {
			return false
		}
	}
	return every(n.Scopes) && one(n.AnyScope) && every(n.Permissions) && one(n.AnyPermission) && one(n.Issuers) && one(n.Audiences) &&
		one(n.Subjects) && one(n.Clients) && one(n.TokenTypes) && (len(n.RequiredClaims) == 0 || b.org != "") &&
		one(n.ACR) && (n.MaxAuthAge == 0 || b.age <= int64(n.MaxAuthAge)) && (n.MaxAge == 0 || b.age <= int64(n.MaxAge)) && (n.MaxLifetime == 0 || b.age <= int64(n.MaxLifetime))
}

func randomDemand(r *rand.Rand) demand {
	words := func() (list []string) {
		if r.IntN(3) > 0 {
			return nil
		}
		for _, word := range []string{"a", "b", "c"} {
			if r.IntN(2) == 0 {
				list = append(list, word)
			}
		}
		return list
	}
	some := func(list *[]string) {
		if r.IntN(6) == 0 {
			*list = words()
		}
	}
	d := demand{route: &Route{Auth: Auth(r.IntN(4))}, report: r.IntN(5) == 0}
	if d.route.Auth > Optional {
		return d
	}
	d.route.AllowOpaque = r.IntN(5) == 0
	n := &d.route.Requirements
	for _, list := range []*[]string{&n.Scopes, &n.AnyScope, &n.Permissions, &n.AnyPermission, &n.Issuers, &n.Audiences, &n.Subjects, &n.Clients, &n.TokenTypes, &n.ACR} {
		some(list)
	}
	values := []strictjson.Value{{Kind: strictjson.String, Text: "x"}, {Kind: strictjson.String, Text: "y"}}
	switch r.IntN(10) {
	case 0:
		n.Claims = []Claim{{Name: []string{"org"}, Values: values[r.IntN(2):], SpaceDelimited: r.IntN(2) == 0}}
	case 1:
		n.Claims = []Claim{{Name: []string{"org"}, Values: values[:1]}}
	case 2:
		n.RequiredClaims = [][]string{{"org"}}
	case 3:
		n.ClaimMatches, d.boundTexts = []Binding{{Claim: []string{"org"}, Host: true}}, []string{[]string{"x", "y", ""}[r.IntN(3)]}
	case 4:
		n.MaxAge = 1
	case 5:
		n.MaxLifetime = 2
	case 6:
		n.MaxAuthAge = time.Duration(1 + r.IntN(2))
	}
	return d
}

// TestEveryRequirementCounts: whatever a route can require makes it stricter than one
// that requires nothing, and cannot stand beside auth: none, where nothing is required.
func TestEveryRequirementCounts(t *testing.T) {
	claim, free := []string{"org"}, demand{route: &Route{}}
	for i := range reflect.TypeFor[Requirements]().NumField() {
		var n Requirements
		field, name := reflect.ValueOf(&n).Elem().Field(i), reflect.TypeOf(n).Field(i).Name
		strict := demand{route: &Route{}}
		switch v := field.Addr().Interface().(type) {
		case *[]string:
			*v = []string{"a"}
		case *[]Claim:
			*v = []Claim{{Name: claim, Values: []strictjson.Value{{Kind: strictjson.String, Text: "x"}}}}
		case *[]Binding:
			*v, strict.boundTexts = []Binding{{Claim: claim, Host: true}}, []string{"x"}
		case *[][]string:
			*v = [][]string{claim}
		case *time.Duration:
			*v = time.Hour
		default:
			t.Fatalf("this test needs a value for %s, a %s", name, field.Type())
		}
		strict.route.Requirements = n
		if !free.asksNoMoreThan(strict) || strict.asksNoMoreThan(free) {
			t.Errorf("asksNoMoreThan does not look at %s", name)
		}
		if _, faults := NewTable([]Route{{Auth: None, Requirements: n}}, Options{}); faults == nil {
			t.Errorf("auth: none beside %s is accepted", name)
		}
	}
}

// TestAsksNoMoreThanIsAPartialOrder, and sound: who satisfies the stricter demand
// satisfies the other.
func TestAsksNoMoreThanIsAPartialOrder(t *testing.T) {
	r := rand.New(rand.NewPCG(31, 32))
	ordered, strict := 0, 0
	for range 200000 {
		a, b, c := randomDemand(r), randomDemand(r), randomDemand(r)
		if !a.asksNoMoreThan(a) {
			t.Fatalf("%+v asks for more than itself", *a.route)
		}
		ab, bc := a.asksNoMoreThan(b), b.asksNoMoreThan(c)
		if ab && bc && !a.asksNoMoreThan(c) {
			t.Fatalf("not transitive: %+v %v, %+v %v, %+v %v", *a.route, a.boundTexts, *b.route, b.boundTexts, *c.route, c.boundTexts)
		}
		if !ab {
			continue
		}
		ordered++
		back := b.asksNoMoreThan(a)
		for i := range bearers {
			one, other := bearers[i].satisfies(a), bearers[i].satisfies(b)
			if other && !one {
				t.Fatalf("%+v satisfies %+v (report %v), and not %+v (report %v), which is said to ask no more", bearers[i], *b.route, b.report, *a.route, a.report)
			}
			if back && one != other {
				t.Fatalf("%+v tells %+v from %+v, which are said to ask the same", bearers[i], *a.route, *b.route)
			}
			if one != other {
				strict++
			}
		}
	}
	if ordered < 20000 || strict < 20000 {
		t.Errorf("%d ordered, %d told apart: too few to show anything", ordered, strict)
	}
}
