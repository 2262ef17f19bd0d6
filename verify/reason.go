package verify

// Reason says why a request was refused, or which rule let it pass. It is an
// error of its own, so that errors.Is(err, verify.TokenExpired) holds for
// whatever Refusal carries it. Its zero value has no row in the table and is
// treated like Internal: refused with 500, saying nothing.
type Reason uint8

// The reasons, in the order in which a request meets them. Each has one row in
// the table below; a test fails when one is missing.
const (
	_ Reason = iota
	// Accepted: the token is valid.
	Accepted
	// Preflight: a CORS preflight, which cannot carry a token (Fetch §3.2.2).
	Preflight
	// Public: the route asks for no token.
	Public
	// Anonymous: the route takes requests without a token, and this is one.
	Anonymous
	// Opaque: the route lets tokens pass that only the API can judge.
	Opaque
	// ResourceMetadata: a request for the API's description (RFC 9728 §3.1), answered here.
	ResourceMetadata
	// IdentityForged: the request came with headers that only the edge may set, and by
	// which Envoy may have chosen the route whose policy was to be judged by.
	IdentityForged
	// PathAmbiguous: servers would read the request's path in different ways, to
	// which different rules apply. See package route.
	PathAmbiguous
	// RequestAmbiguous: servers would read the request's host, path, method or headers
	// in different ways, and of the rules that apply none asks for more than the others.
	RequestAmbiguous
	// RouteDenied: the route refuses every request, whatever its token.
	RouteDenied
	// TokenMissing: no token where one may stand (RFC 6750 §3.1, last paragraph).
	TokenMissing
	// TokenAmbiguous: more than one token (RFC 6750 §2), or something that some
	// servers take for another, or more than is searched.
	TokenAmbiguous
	// TokenMalformed: not a compact JWS, or not one that can be read one way only.
	TokenMalformed
	// AlgorithmNotAllowed: "alg" is not the rule's, or not the key's (RFC 8725 §3.1).
	AlgorithmNotAllowed
	// IssuerUnknown: no rule for this issuer (RFC 8725 §3.8).
	IssuerUnknown
	// ClaimInvalid: a registered claim is missing or of the wrong type (RFC 7519 §4.1).
	ClaimInvalid
	// TokenExpired: "exp" has passed (RFC 7519 §4.1.4).
	TokenExpired
	// TokenNotYetValid: "nbf" or "iat" lies ahead (RFC 7519 §4.1.5, §4.1.6).
	TokenNotYetValid
	// AudienceMismatch: "aud" names none of the rule's (RFC 7519 §4.1.3).
	AudienceMismatch
	// KeyUnknown: a fresh key set does not hold the token's key.
	KeyUnknown
	// SignatureInvalid: the signature does not verify (RFC 7515 §5.2).
	SignatureInvalid
	// ScopeMissing: the token is valid, but lacks a scope (RFC 6750 §3.1, insufficient_scope).
	ScopeMissing
	// PermissionMissing: the token is valid, but lacks one of Auth0's permissions.
	PermissionMissing
	// ClaimMismatch: the token is valid, but not one whose bearer may do this.
	ClaimMismatch
	// KeysUnavailable: the token could not be judged for want of keys. Never the client's fault.
	KeysUnavailable
	// Internal: a fault of our own; refused, because unchecked is not valid.
	Internal
	reasonEnd
)

// row is all that the outside learns of a reason.
type row struct {
	name        string // metric label, response detail, "error" of the body
	status      int    // HTTP status; 0 lets the request pass
	grpc        int    // gRPC status code for requests that are gRPC
	bearer      string // RFC 6750 §3.1 error code; "" sends none
	challenge   bool   // whether WWW-Authenticate is sent (RFC 9110 §11.6.1)
	description string // public text; names no value of the token
}

const (
	statusOK                  = 200
	statusBadRequest          = 400
	statusUnauthorized        = 401
	statusForbidden           = 403
	statusInternalServerError = 500
	statusServiceUnavailable  = 503

	grpcInvalidArgument  = 3
	grpcPermissionDenied = 7
	grpcInternal         = 13
	grpcUnavailable      = 14
	grpcUnauthenticated  = 16

	invalidRequest    = "invalid_request"
	invalidToken      = "invalid_token"
	insufficientScope = "insufficient_scope"
)

// table is the only place where a reason becomes something that a client sees.
var table = [reasonEnd]row{
	Accepted:            {name: "accepted"},
	Preflight:           {name: "preflight"},
	Public:              {name: "public"},
	Anonymous:           {name: "anonymous"},
	Opaque:              {name: "opaque"},
	ResourceMetadata:    {name: "resource_metadata", status: statusOK, description: "The API's metadata."},
	IdentityForged:      {"identity_forged", statusBadRequest, grpcInvalidArgument, "", false, "The request carries a header that only the edge may set."},
	PathAmbiguous:       {"path_ambiguous", statusBadRequest, grpcInvalidArgument, "", false, "The request's target can be read in more than one way."},
	RequestAmbiguous:    {"request_ambiguous", statusBadRequest, grpcInvalidArgument, "", false, "The request can be read in more than one way, to which different rules apply."},
	RouteDenied:         {"route_denied", statusForbidden, grpcPermissionDenied, "", false, "This is not open to anyone."},
	TokenMissing:        {"token_missing", statusUnauthorized, grpcUnauthenticated, "", true, "An access token is required."},
	TokenAmbiguous:      {"token_ambiguous", statusBadRequest, grpcInvalidArgument, invalidRequest, true, "The request carries more than one access token, or may be read so."},
	TokenMalformed:      {"token_malformed", statusUnauthorized, grpcUnauthenticated, invalidToken, true, "The access token is malformed."},
	AlgorithmNotAllowed: {"algorithm_not_allowed", statusUnauthorized, grpcUnauthenticated, invalidToken, true, "The access token is signed with an algorithm that is not allowed."},
	IssuerUnknown:       {"issuer_unknown", statusUnauthorized, grpcUnauthenticated, invalidToken, true, "The access token's issuer is not accepted here."},
	ClaimInvalid:        {"claim_invalid", statusUnauthorized, grpcUnauthenticated, invalidToken, true, "A claim of the access token is missing or of the wrong type."},
	TokenExpired:        {"token_expired", statusUnauthorized, grpcUnauthenticated, invalidToken, true, "The access token has expired."},
	TokenNotYetValid:    {"token_not_yet_valid", statusUnauthorized, grpcUnauthenticated, invalidToken, true, "The access token is not valid yet."},
	AudienceMismatch:    {"audience_mismatch", statusUnauthorized, grpcUnauthenticated, invalidToken, true, "The access token is for another audience."},
	KeyUnknown:          {"key_unknown", statusUnauthorized, grpcUnauthenticated, invalidToken, true, "The access token is signed with a key that its issuer does not publish."},
	SignatureInvalid:    {"signature_invalid", statusUnauthorized, grpcUnauthenticated, invalidToken, true, "The access token's signature is not valid."},
	ScopeMissing:        {"scope_missing", statusForbidden, grpcPermissionDenied, insufficientScope, true, "The access token lacks a scope that is needed here."},
	PermissionMissing:   {"permission_missing", statusForbidden, grpcPermissionDenied, insufficientScope, true, "The access token lacks a permission that is needed here."},
	ClaimMismatch:       {"claim_mismatch", statusForbidden, grpcPermissionDenied, insufficientScope, true, "The access token does not allow this."},
	KeysUnavailable:     {"keys_unavailable", statusServiceUnavailable, grpcUnavailable, "", false, "The access token cannot be checked at the moment. Please try again."},
	Internal:            {"internal", statusInternalServerError, grpcInternal, "", false, "The request could not be checked."},
}

func (r Reason) row() *row {
	if r >= reasonEnd || table[r].name == "" {
		return &table[Internal]
	}
	return &table[r]
}

// String is the reason's name: metric label, response code detail and "error"
// of the body. Lower case letters and underscores only.
func (r Reason) String() string { return r.row().name }

// Error makes a Reason an error, so that errors.Is can ask for it.
func (r Reason) Error() string { return r.row().name }

// Status is the HTTP status of the refusal, or 0 when the request passes.
func (r Reason) Status() int { return r.row().status }

// Passes reports whether a request decided with this reason goes on to the API.
// Only reasons that are listed as passing do.
func (r Reason) Passes() bool { return r.row().status == 0 }

// GRPCStatus is the gRPC status code that a gRPC client is told.
func (r Reason) GRPCStatus() int { return r.row().grpc }

// Description is the public text: one English sentence that names nothing of the token.
func (r Reason) Description() string { return r.row().description }

// Challenge is the WWW-Authenticate value (RFC 6750 §3) for the realm, or ""
// when the reason sends none. The realm must be free of quotes and backslashes.
func (r Reason) Challenge(realm string) string {
	w := r.row()
	if !w.challenge {
		return ""
	}
	value := `Bearer realm="` + realm + `"`
	if w.bearer != "" {
		value += `, error="` + w.bearer + `"`
	}
	return value
}

// Body is the JSON body of the refusal.
func (r Reason) Body() []byte {
	w := r.row()
	return []byte(`{"error":"` + w.name + `","error_description":"` + w.description + `"}`)
}

// Reasons lists every reason, in the order in which a request meets them.
func Reasons() []Reason {
	all := make([]Reason, 0, reasonEnd-1)
	for r := Accepted; r < reasonEnd; r++ {
		all = append(all, r)
	}
	return all
}
