package verify

// The bounds of what is read of a request before its token is known to be good.
// Whoever sends requests without a valid token can make a refusal cost no more
// than these allow: its time is at most linear in the bytes of the request's head
// (request line and headers), by a factor that the configuration sets. Each text
// is measured before it is read, and what is beyond its bound is refused unread.
// The proxy's own bound on the head comes first; Envoy's is 60 KiB by default.
//
//	path            8 KiB   path_ambiguous    package route finds a route by it
//	odd path        1 KiB   path_ambiguous    one that has several readings, each of which each route is asked about
//	expressions    32 Ki    path_ambiguous    instructions of each regular expression that is tried, times the path's bytes
//	query          32 KiB   token_ambiguous   if tokens may stand in parameters
//	cookies        32 KiB   token_ambiguous   if tokens may stand in cookies; all lines together
//	equals signs      512   token_ambiguous   in the query, and in the cookies
//	token          16 KiB   token_malformed   before it is decoded
//	its JSON       32 deep, 1,024 values   token_malformed   header and payload each
const (
	// MaxPathBytes is the greatest length of a path, its query left out, by which
	// package route finds a route.
	MaxPathBytes = 8 << 10
	// MaxOddPathBytes is the greatest length of a path that was not sent in its
	// canonical form.
	MaxOddPathBytes = 1 << 10
	// MaxRegexWork bounds, for one request, the sum over all regular expressions that
	// are tried of the expression's instructions times the path's bytes. An expression
	// whose literal prefix the path lacks is not tried.
	MaxRegexWork = 32 << 10
	// MaxTokenBytes is the greatest length of a compact token that Parse reads.
	MaxTokenBytes = 16 << 10
	// MaxListBytes is the greatest length of a query, fragment and all, and of a
	// request's cookies, that Extract searches for tokens: room for the longest
	// token and as much again. Browsers and servers stop earlier.
	MaxListBytes = 32 << 10
	// MaxListSigns is how many equals signs there may be in each of the two, those
	// that follow each other counted as one: pairs, and what looks like pairs in
	// values.
	MaxListSigns = 512

	maxTokenDepth  = 32
	maxTokenValues = 1024
)
