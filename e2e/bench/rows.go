package bench

import (
	"slices"
	"strings"

	"edgejwt/e2e/bench/settings"
	"edgejwt/verify"
)

// Listener is one way of checking tokens: a filter in front of Envoy's own
// answer, or of an API.
type Listener struct {
	Name     string
	Filter   string // YAML of one HTTP filter; empty for none
	Upstream string // an API's name; empty lets Envoy answer by itself
	RawPaths bool   // Envoy hands paths on as they come, without normalising them
	Address  string // host:port, set when the listener is up
}

// Row is one line of the table: a listener and what is sent to it.
type Row struct {
	ID       string
	Name     string // for the table
	Listener string
	Traffic  Traffic
	Path     string // default /orders
	// Cookies and Authorization are the values of these headers; "" for none. The
	// token of Traffic has an authorization header of its own.
	Cookies, Authorization string
	Status                 int    // default 200
	Reason                 string // expected in the body of a refusal by edgejwt; "" is not looked at
	Group                  string // heading in the table
	Quick                  bool   // also in the short form
	Latency                bool   // also measured at half of saturation
	// Most is, for a row of groupCost, the processor time that is allowed, as a
	// multiple of a bad signature's.
	Most float64
	// Also names the processes besides Envoy that do this row's work on Envoy's
	// core: an API's name, or "authz".
	Also string
}

// The names of rows that goals and ratios refer to.
const (
	rowNone     = "none"
	rowFloor    = "floor"
	rowEmpty    = "empty"
	rowTrimmed  = "trimmed"
	rowNative   = "native"
	rowUncached = "native-uncached"
	rowAuthz    = "ext_authz"
	rowRepeated = "repeated"
	rowNewGo    = "new-go"
	rowNewHost  = "new-host"
	rowRich     = "rich"
	rowRBAC     = "native-rich"
	rowAPI      = "api"
	rowAPIEdge  = "api-edgejwt"
	rowAPIKeys  = "api-pyjwt"
	rowAPISeed  = "api-seed"
	rowForged   = "forged"
)

// listenerBefore has the module that Options.Before names.
const listenerBefore = "edgejwt-before"

// Groups of rows, in the table's order.
const (
	groupFloor   = "What any filter costs"
	groupOthers  = "Other ways"
	groupEdgejwt = "edgejwt"
	groupCalls   = "What the host's calls alone cost: hand-written modules that look at nothing"
	groupRefuse  = "Refusals"
	groupCost    = "Requests that are made to be dear, without a token"
	groupAPI     = "FastAPI behind Envoy"
)

// What the dear requests are made of. Envoy takes 60 KiB of headers by default,
// of which mostHeaders fit beside the others; edgejwt reads paths of up to 8 KiB.
const (
	mostHeaders = 59 << 10
	mostList    = verify.MaxListBytes - 32 // without the path
	mostPath    = verify.MaxPathBytes
)

// fill repeats a part, as often as the whole fits into n bytes behind start.
func fill(start, part string, n int) string {
	return start + strings.Repeat(part, (n-len(start))/len(part))
}

// nearly is a pair that is the token's but for its last letter. As many as may be
// searched fill a list of the greatest length.
var nearly = fill("%61ccess_toke=", "x", verify.MaxListBytes/verify.MaxListSigns-1)

// What is allowed for a dear request: 0.4 and 0.6 ms where a bad signature takes
// 0.32.
const (
	mostOfPath   = 1.25
	mostOfPlaces = 1.9
)

// rows is the table, in its order.
var rows = []Row{
	{ID: rowNone, Name: "no filter", Listener: "none", Group: groupFloor, Quick: true, Latency: true},
	{ID: rowFloor, Name: "hand-written module: one callback, one header read", Listener: "floor", Group: groupFloor, Quick: true},
	{ID: rowEmpty, Name: "empty SDK plugin", Listener: "empty", Group: groupFloor, Quick: true},
	{ID: rowTrimmed, Name: "empty SDK plugin, exports trimmed", Listener: "trimmed", Group: groupFloor, Quick: true, Latency: true},

	{ID: rowNative, Name: "jwt_authn with its cache, repeated token", Listener: "native", Group: groupOthers, Quick: true, Latency: true},
	{ID: "native-new", Name: "jwt_authn with its cache, new token each time", Listener: "native", Traffic: New, Group: groupOthers},
	{ID: rowUncached, Name: "jwt_authn without cache", Listener: "native-uncached", Group: groupOthers, Quick: true, Latency: true},
	{ID: rowRBAC, Name: "jwt_authn with its cache and RBAC: ten routes, four claim headers", Listener: "native-rich", Path: settings.RichPath, Group: groupOthers, Quick: true, Latency: true},
	{ID: rowAuthz, Name: "ext_authz, gRPC server in Go", Listener: "ext_authz", Group: groupOthers, Quick: true, Latency: true, Also: "authz"},

	{ID: rowRepeated, Name: "repeated token", Listener: "edgejwt", Group: groupEdgejwt, Quick: true, Latency: true},
	{ID: "repeated-before", Name: "repeated token, by the module named by -before", Listener: listenerBefore, Group: groupEdgejwt, Quick: true},
	{ID: rowNewGo, Name: "new token each time, signature: go", Listener: "edgejwt", Traffic: New, Group: groupEdgejwt, Quick: true, Latency: true},
	{ID: rowNewHost, Name: "new token each time, signature: host", Listener: "edgejwt-host", Traffic: New, Group: groupEdgejwt, Quick: true, Latency: true},
	{ID: "tenth-go", Name: "one token in ten is new, signature: go", Listener: "edgejwt", Traffic: Tenth, Group: groupEdgejwt, Latency: true},
	{ID: "tenth-host", Name: "one token in ten is new, signature: host", Listener: "edgejwt-host", Traffic: Tenth, Group: groupEdgejwt},
	{ID: rowRich, Name: "ten routes, scopes, four claim headers, repeated token", Listener: "edgejwt-rich", Path: settings.RichPath, Group: groupEdgejwt, Quick: true, Latency: true},

	{ID: "floor-headers", Name: "one callback, all headers in one read", Listener: "floor-headers", Group: groupCalls},
	{ID: "floor-announced", Name: "… and told of each stream (whose it is)", Listener: "floor-announced", Group: groupCalls},
	{ID: "floor-clock", Name: "… and asks for the time: a repeated token's calls", Listener: "floor-clock", Group: groupCalls},
	{ID: "floor-writes", Name: "… and writes four headers: the calls of ten routes", Listener: "floor-writes", Group: groupCalls},

	{ID: "none-given", Name: "no token", Listener: "edgejwt", Traffic: Missing, Status: 401, Reason: "token_missing", Group: groupRefuse},
	{ID: "malformed", Name: "malformed token, new each time", Listener: "edgejwt", Traffic: Malformed, Status: 401, Reason: "token_malformed", Group: groupRefuse},
	{ID: "expired", Name: "expired token", Listener: "edgejwt", Traffic: Expired, Status: 401, Reason: "token_expired", Group: groupRefuse},
	{ID: rowForged, Name: "bad signature, new each time", Listener: "edgejwt", Traffic: Forged, Status: 401, Reason: "signature_invalid", Group: groupRefuse},
	{ID: "forged-host", Name: "bad signature, new each time, signature: host", Listener: "edgejwt-host", Traffic: Forged, Status: 401, Reason: "signature_invalid", Group: groupRefuse},
	{ID: "unknown-key", Name: "unknown kid, new each time", Listener: "edgejwt", Traffic: UnknownKey, Status: 401, Reason: "key_unknown", Group: groupRefuse},

	{ID: "cost-query-none", Name: "60 KiB of query, no filter", Listener: "none", Path: fill("/orders?", "a=1&", mostHeaders), Group: groupCost, Traffic: Missing},
	{ID: "cost-cookies-none", Name: "60 KiB of cookies, no filter", Listener: "none", Cookies: fill("", "a=1; ", mostHeaders), Group: groupCost, Traffic: Missing},
	{ID: "cost-query", Name: "60 KiB of query, no fromParams", Listener: "edgejwt", Path: fill("/orders?", "a=1&", mostHeaders), Most: mostOfPlaces, Group: groupCost, Traffic: Missing, Status: 401, Reason: "token_missing"},
	{ID: "cost-cookies", Name: "60 KiB of cookies, no fromCookies", Listener: "edgejwt", Cookies: fill("", "a=1; ", mostHeaders), Most: mostOfPlaces, Group: groupCost, Traffic: Missing, Status: 401, Reason: "token_missing"},
	{ID: "cost-authorization", Name: "60 KiB of commas in authorization", Listener: "edgejwt", Authorization: fill("", ",", mostHeaders), Most: mostOfPlaces, Group: groupCost, Traffic: Missing, Status: 401, Reason: "token_missing"},
	{ID: "cost-params", Name: "three fromParams, 60 KiB of query", Listener: "edgejwt-params", Path: fill("/orders?", "a=1&", mostHeaders), Most: mostOfPlaces, Group: groupCost, Traffic: Missing, Status: 400, Reason: "token_ambiguous"},
	{ID: "cost-params-empty", Name: "three fromParams, 60 KiB of separators", Listener: "edgejwt-params", Path: fill("/orders?", "&", mostHeaders), Most: mostOfPlaces, Group: groupCost, Traffic: Missing, Status: 400, Reason: "token_ambiguous"},
	{ID: "cost-params-within", Name: "three fromParams, as much query as is searched", Listener: "edgejwt-params", Path: fill("/orders?", nearly+"&", mostList), Most: mostOfPlaces, Group: groupCost, Traffic: Missing, Status: 401, Reason: "token_missing"},
	{ID: "cost-fromcookies", Name: "two fromCookies, 60 KiB of cookies", Listener: "edgejwt-cookies", Cookies: fill("", "a=1; ", mostHeaders), Most: mostOfPlaces, Group: groupCost, Traffic: Missing, Status: 400, Reason: "token_ambiguous"},
	{ID: "cost-fromcookies-empty", Name: "two fromCookies, 60 KiB of separators", Listener: "edgejwt-cookies", Cookies: fill("", ";", mostHeaders), Most: mostOfPlaces, Group: groupCost, Traffic: Missing, Status: 400, Reason: "token_ambiguous"},
	{ID: "cost-fromcookies-within", Name: "two fromCookies, as many cookies as are searched", Listener: "edgejwt-cookies", Cookies: fill("", nearly+";", mostList), Most: mostOfPlaces, Group: groupCost, Traffic: Missing, Status: 401, Reason: "token_missing"},
	{ID: "cost-regex-8", Name: "8 regex routes, a path of 8 KiB", Listener: "edgejwt-regex-8", Path: fill("/", "orders/", mostPath), Most: mostOfPath, Group: groupCost, Traffic: Missing, Status: 400, Reason: "path_ambiguous"},
	{ID: "cost-regex-8-odd", Name: "8 regex routes, an odd path", Listener: "edgejwt-regex-8", Path: fill("", "//%41/.", mostPath), Most: mostOfPath, Group: groupCost, Traffic: Missing, Status: 400, Reason: "path_ambiguous"},
	{ID: "cost-regex-8-odd-at-bound", Name: "8 regex routes, an odd path of 1 KiB, the longest that is read", Listener: "edgejwt-regex-8", Path: fill("", "//%41/.", 1<<10), Most: mostOfPath, Group: groupCost, Traffic: Missing, Status: 400, Reason: "path_ambiguous"},
	{ID: "cost-regex-64", Name: "64 regex routes, a path of 8 KiB", Listener: "edgejwt-regex-64", Path: fill("/", "orders/", mostPath), Most: mostOfPath, Group: groupCost, Traffic: Missing, Status: 400, Reason: "path_ambiguous"},
	{ID: "cost-regex-64-odd", Name: "64 regex routes, an odd path", Listener: "edgejwt-regex-64", Path: fill("", "//%41/.", mostPath), Most: mostOfPath, Group: groupCost, Traffic: Missing, Status: 400, Reason: "path_ambiguous"},
	{ID: "cost-regex-64-odd-at-bound", Name: "64 regex routes, an odd path of 1 KiB, the longest that is read", Listener: "edgejwt-regex-64", Path: fill("", "//%41/.", 1<<10), Most: mostOfPath, Group: groupCost, Traffic: Missing, Status: 400, Reason: "path_ambiguous"},
	{ID: "cost-templates-10", Name: "10 template routes, an odd path", Listener: "edgejwt-templates-10", Path: fill("", "//%41/.", mostPath), Most: mostOfPath, Group: groupCost, Traffic: Missing, Status: 400, Reason: "path_ambiguous"},
	{ID: "cost-templates-10-at-bound", Name: "10 template routes, an odd path of 1 KiB, the longest that is read", Listener: "edgejwt-templates-10", Path: fill("", "//%41/.", 1<<10), Most: mostOfPath, Group: groupCost, Traffic: Missing, Status: 401, Reason: "token_missing"},
	{ID: "cost-templates-256", Name: "256 template routes with ignorePathCase, an odd path", Listener: "edgejwt-templates-256", Path: fill("", "//%41/.", mostPath), Most: mostOfPath, Group: groupCost, Traffic: Missing, Status: 400, Reason: "path_ambiguous"},
	{ID: "cost-templates-256-at-bound", Name: "256 template routes with ignorePathCase, an odd path of 1 KiB, the longest that is read", Listener: "edgejwt-templates-256", Path: fill("", "//%41/.", 1<<10), Most: mostOfPath, Group: groupCost, Traffic: Missing, Status: 401, Reason: "token_missing"},

	{ID: rowAPI, Name: "FastAPI alone: nobody checks", Listener: "api", Group: groupAPI, Quick: true, Also: "api"},
	{ID: rowAPIEdge, Name: "edgejwt checks, repeated token", Listener: "api-edgejwt", Group: groupAPI, Quick: true, Also: "api"},
	{ID: rowAPIKeys, Name: "PyJWT checks, keys kept", Listener: "api-pyjwt", Group: groupAPI, Quick: true, Also: "api-pyjwt"},
	{ID: rowAPISeed, Name: "PyJWT checks, key set downloaded for each request", Listener: "api-seed", Group: groupAPI, Quick: true, Also: "api-seed"},
}

func init() {
	for i := range rows {
		if rows[i].Path == "" {
			rows[i].Path = "/orders"
		}
		if rows[i].Status == 0 {
			rows[i].Status = 200
		}
	}
}

// rowOf finds a row by its ID.
func rowOf(id string) *Row {
	i := slices.IndexFunc(rows, func(r Row) bool { return r.ID == id })
	if i < 0 {
		return nil
	}
	return &rows[i]
}
