package verify

// The bounds of what is read of a request before its token is verified. They bound the
// cost of a refusal: its time is at most linear in the bytes of the request's head
// (request line and headers), by a factor that depends on the configuration. The length
// of each text is compared with its bound before the text is read. The proxy has its own
// bound on the head; Envoy's is 60 KiB by default.
const (
	// MaxPathBytes bounds the path, without its query, if a route has a condition on
	// paths. Reason: PathAmbiguous.
	MaxPathBytes = 8 << 10
	// MaxOddPathBytes bounds a path that was not sent in its canonical form: each route
	// is compared with each of its readings. Reason: PathAmbiguous.
	MaxOddPathBytes = 1 << 10
	// MaxRegexWork bounds the work of all regular expressions for one request. The work
	// of an expression is the number of its instructions times the path's bytes, or 0
	// if the path lacks the expression's literal prefix. Reason: PathAmbiguous.
	MaxRegexWork = 32 << 10
	// DefaultTokenBytes bounds a compact token, unless Rule.MaxTokenBytes does. Reason:
	// TokenTooLarge.
	DefaultTokenBytes = 16 << 10
	// MinTokenBytes and MaxTokenBytes bound Rule.MaxTokenBytes.
	MinTokenBytes = 1 << 10
	MaxTokenBytes = 64 << 10
	// MaxListBytes bounds the query with its fragment, if a token may be in a parameter;
	// all cookie headers together, if a token may be in a cookie; and all lines of a
	// header that is a list. Reason: TokenAmbiguous.
	MaxListBytes = 32 << 10
	// MaxListSigns bounds the equals signs in the query, and in the cookies, with the
	// same conditions, and the commas in a list. Adjacent equals signs count as one.
	// Reason: TokenAmbiguous.
	MaxListSigns = 512

	// maxTokenDepth and maxTokenValues bound the JSON of a token's header and payload,
	// each. A payload may have a value for each bytesPerValue bytes of the greatest
	// Rule.MaxTokenBytes, if these are more. Reason: TokenTooLarge.
	maxTokenDepth  = 32
	maxTokenValues = 1024
	bytesPerValue  = DefaultTokenBytes / maxTokenValues
)
