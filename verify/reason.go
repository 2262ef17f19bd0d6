package verify

import (
	"errors"
	"strconv"
	"time"
)

// Reason says why a request was refused or why it passed. It is an error, so that
// errors.Is(err, verify.TokenExpired) works for every Refusal that carries it. The
// zero value and unknown values have no row in the table and are treated as Internal.
type Reason uint8

// The reasons, in the order in which they are decided. Each has one row in the table
// below.
const (
	_ Reason = iota
	// Accepted: the token is valid.
	Accepted
	// Preflight: a CORS preflight, which cannot carry a token (Fetch §3.2.2).
	Preflight
	// Public: the route asks for no token.
	Public
	// Anonymous: the request has no token, and the route does not require one.
	Anonymous
	// Opaque: the token is not a JWS, and the route lets such tokens pass to the API.
	Opaque
	// ResourceMetadata: a request for the protected resource metadata (RFC 9728 §3.1),
	// which the filter answers.
	ResourceMetadata
	// IdentityForged: the request has headers that only the edge may set, and Envoy may
	// have used them to choose the route and its policy.
	IdentityForged
	// PathAmbiguous: servers read the request's path in different ways, and different
	// rules apply to them. See package route.
	PathAmbiguous
	// RequestAmbiguous: servers read the request's host, path, method or headers in
	// different ways, and none of the rules that apply is the strictest.
	RequestAmbiguous
	// RouteDenied: the route refuses every request, whatever its token.
	RouteDenied
	// TokenMissing: none of the token locations has a token (RFC 6750 §3.1, last
	// paragraph).
	TokenMissing
	// TokenAmbiguous: more than one token (RFC 6750 §2), or something that some
	// servers read as another one, or more cookies or parameters than are searched.
	TokenAmbiguous
	// TokenTooLarge: longer than Rule.MaxTokenBytes, or nested deeper or with more
	// values than are read.
	TokenTooLarge
	// TokenOpaque: not a JWT, but a text that only its issuer can read (RFC 6750 §2.1).
	TokenOpaque
	// TokenEncrypted: a JWE (RFC 7516), not a JWS.
	TokenEncrypted
	// TokenMalformed: not a compact JWS, or one that parsers may read differently.
	TokenMalformed
	// AlgorithmNotAllowed: "alg" is not the rule's, or not the key's (RFC 8725 §3.1).
	AlgorithmNotAllowed
	// IssuerUnknown: no rule for this issuer (RFC 8725 §3.8).
	IssuerUnknown
	// ClaimInvalid: a registered claim is missing or of the wrong type (RFC 7519 §4.1).
	ClaimInvalid
	// ClaimOutOfRange: a date is a number that not every reader takes for the same
	// second.
	ClaimOutOfRange
	// TokenExpired: "exp" has passed (RFC 7519 §4.1.4).
	TokenExpired
	// TokenNotYetValid: "nbf" or "iat" lies ahead (RFC 7519 §4.1.5, §4.1.6).
	TokenNotYetValid
	// AudienceMismatch: "aud" names none of the rule's (RFC 7519 §4.1.3).
	AudienceMismatch
	// KeyUnknown: a fresh key set does not hold the token's key.
	KeyUnknown
	// KeyIDMissing: the token has no "kid", and none of several keys verifies it.
	KeyIDMissing
	// SignatureInvalid: the signature does not verify (RFC 7515 §5.2).
	SignatureInvalid
	// BindingMissing: the token is bound to a key or a certificate, and the request does
	// not prove that its sender holds that one; or the token must be bound and is not (RFC
	// 9449 §7.2, RFC 8705 §3).
	BindingMissing
	// BindingMismatch: the request proves that its sender holds another key or certificate.
	BindingMismatch
	// ScopeMissing: the token is valid, but lacks a scope (RFC 6750 §3.1, insufficient_scope).
	ScopeMissing
	// PermissionMissing: the token is valid, but lacks one of Auth0's permissions.
	PermissionMissing
	// ClaimMismatch: the token is valid, but not one whose bearer may do this.
	ClaimMismatch
	// AuthenticationInsufficient: the token is valid, but its user must authenticate in
	// another way, or again (RFC 9470 §3).
	AuthenticationInsufficient
	// KeysUnavailable: the token could not be verified, because the keys could not be
	// fetched. It is never the client's fault.
	KeysUnavailable
	// Internal: a fault of our own. The request was not checked, so it is refused.
	Internal
	reasonEnd
)

// row is the response to a reason.
type row struct {
	name        string // metric label, response detail, "error" of the body
	status      int    // HTTP status; 0 lets the request pass
	grpc        int    // gRPC status code for requests that are gRPC
	bearer      string // RFC 6750 §3.1 error code; "" sends none
	challenge   bool   // whether WWW-Authenticate is sent (RFC 9110 §11.6.1)
	description string // public text; it contains no value of the token
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

	insufficientAuthentication = "insufficient_user_authentication" // RFC 9470 §3
)

// table defines the response to each reason.
var table = [reasonEnd]row{
	Accepted:                   {name: "accepted"},
	Preflight:                  {name: "preflight"},
	Public:                     {name: "public"},
	Anonymous:                  {name: "anonymous"},
	Opaque:                     {name: "opaque"},
	ResourceMetadata:           {name: "resource_metadata", status: statusOK, description: "The API's metadata."},
	IdentityForged:             {"identity_forged", statusBadRequest, grpcInvalidArgument, "", false, "The request carries a header that only the edge may set."},
	PathAmbiguous:              {"path_ambiguous", statusBadRequest, grpcInvalidArgument, "", false, "The request's target can be read in more than one way."},
	RequestAmbiguous:           {"request_ambiguous", statusBadRequest, grpcInvalidArgument, "", false, "The request can be read in more than one way, to which different rules apply."},
	RouteDenied:                {"route_denied", statusForbidden, grpcPermissionDenied, "", false, "This is not open to anyone."},
	TokenMissing:               {"token_missing", statusUnauthorized, grpcUnauthenticated, "", true, "An access token is required."},
	TokenAmbiguous:             {"token_ambiguous", statusBadRequest, grpcInvalidArgument, invalidRequest, true, "The request carries more than one access token, or may be read so."},
	TokenTooLarge:              {"token_too_large", statusUnauthorized, grpcUnauthenticated, invalidToken, true, "The access token is larger than this server accepts."},
	TokenOpaque:                {"token_opaque", statusUnauthorized, grpcUnauthenticated, invalidToken, true, "The access token is not a JWT: was it requested with this API's audience?"},
	TokenEncrypted:             {"token_encrypted", statusUnauthorized, grpcUnauthenticated, invalidToken, true, "The access token is encrypted and not for this API: was it requested with this API's audience?"},
	TokenMalformed:             {"token_malformed", statusUnauthorized, grpcUnauthenticated, invalidToken, true, "The access token is malformed."},
	AlgorithmNotAllowed:        {"algorithm_not_allowed", statusUnauthorized, grpcUnauthenticated, invalidToken, true, "The access token is signed with an algorithm that is not allowed."},
	IssuerUnknown:              {"issuer_unknown", statusUnauthorized, grpcUnauthenticated, invalidToken, true, "The access token's issuer is not accepted here."},
	ClaimInvalid:               {"claim_invalid", statusUnauthorized, grpcUnauthenticated, invalidToken, true, "A claim of the access token is missing or of the wrong type."},
	ClaimOutOfRange:            {"claim_out_of_range", statusUnauthorized, grpcUnauthenticated, invalidToken, true, "A date in the access token is out of range."},
	TokenExpired:               {"token_expired", statusUnauthorized, grpcUnauthenticated, invalidToken, true, "The access token has expired."},
	TokenNotYetValid:           {"token_not_yet_valid", statusUnauthorized, grpcUnauthenticated, invalidToken, true, "The access token is not valid yet."},
	AudienceMismatch:           {"audience_mismatch", statusUnauthorized, grpcUnauthenticated, invalidToken, true, "The access token is for another audience."},
	KeyUnknown:                 {"key_unknown", statusUnauthorized, grpcUnauthenticated, invalidToken, true, "The access token is signed with a key that its issuer does not publish."},
	KeyIDMissing:               {"kid_missing", statusUnauthorized, grpcUnauthenticated, invalidToken, true, "The access token does not name its key (kid), and no key of its issuer that was tried verifies it."},
	SignatureInvalid:           {"signature_invalid", statusUnauthorized, grpcUnauthenticated, invalidToken, true, "The access token's signature is not valid."},
	BindingMissing:             {"binding_missing", statusUnauthorized, grpcUnauthenticated, invalidToken, true, "The access token may be used only with a proof of the key or the certificate that it is bound to."},
	BindingMismatch:            {"binding_mismatch", statusUnauthorized, grpcUnauthenticated, invalidToken, true, "The access token is bound to another key or certificate."},
	ScopeMissing:               {"scope_missing", statusForbidden, grpcPermissionDenied, insufficientScope, true, "The access token lacks a scope that is needed here."},
	PermissionMissing:          {"permission_missing", statusForbidden, grpcPermissionDenied, insufficientScope, true, "The access token lacks a permission that is needed here."},
	ClaimMismatch:              {"claim_mismatch", statusForbidden, grpcPermissionDenied, insufficientScope, true, "The access token does not allow this."},
	AuthenticationInsufficient: {"authentication_insufficient", statusUnauthorized, grpcUnauthenticated, insufficientAuthentication, true, "The user must authenticate again, or in another way, to do this."},
	KeysUnavailable:            {"keys_unavailable", statusServiceUnavailable, grpcUnavailable, "", false, "The access token cannot be checked at the moment. Please try again."},
	Internal:                   {"internal", statusInternalServerError, grpcInternal, "", false, "The request could not be checked."},
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

// GRPCStatus is the status code that a gRPC client receives.
func (r Reason) GRPCStatus() int { return r.row().grpc }

// Description is the public text: one English sentence without values of the token.
func (r Reason) Description() string { return r.row().description }

// Challenge is the WWW-Authenticate value (RFC 6750 §3) for the realm, or "" when
// there is none for the reason. The realm must not contain quotes or backslashes.
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

// Reasons lists all reasons, in the order in which they are decided. The slice belongs
// to the caller.
func Reasons() []Reason {
	all := make([]Reason, 0, reasonEnd-1)
	for r := Accepted; r < reasonEnd; r++ {
		all = append(all, r)
	}
	return all
}

// Refusal is a Reason with a detail for the log at debug level. The detail is always
// a constant of the program and never quotes the token.
type Refusal struct {
	Reason Reason
	Detail string
	// Scope lists the scopes that the request needs, separated by spaces, for the
	// challenge (RFC 6750 §3). They come from the configuration, never from the token.
	// They are scope-tokens (RFC 6749 §3.3), so they have no quotes or backslashes.
	Scope string
	// ACRValues lists the accepted values of "acr", separated by spaces, and MaxAuthAge is
	// the greatest age of the user's authentication, for the challenge of
	// AuthenticationInsufficient (RFC 9470 §3). They are from the configuration, too, and
	// the values have no quotes or backslashes.
	ACRValues  string
	MaxAuthAge time.Duration
}

// Error gives the reason's name and the detail.
func (r *Refusal) Error() string { return r.Reason.String() + ": " + r.Detail }

// Unwrap lets errors.Is find the Reason.
func (r *Refusal) Unwrap() error { return r.Reason }

// ReasonOf returns the Reason that err wraps. It returns Accepted for nil, and
// Internal for an error without a Reason or with one that passes: no error lets a
// request pass.
func ReasonOf(err error) Reason {
	if err == nil {
		return Accepted
	}
	var reason Reason
	if !errors.As(err, &reason) || reason.Passes() {
		return Internal
	}
	return reason
}

// ChallengeOf is the WWW-Authenticate value for err: that of its Reason, with what the
// Refusal says that the request needs. See Reason.Challenge for the realm.
func ChallengeOf(err error, realm string) string {
	challenge := ReasonOf(err).Challenge(realm)
	var refusal *Refusal
	if challenge == "" || !errors.As(err, &refusal) {
		return challenge
	}
	if refusal.Scope != "" {
		challenge += `, scope="` + refusal.Scope + `"`
	}
	if refusal.ACRValues != "" {
		challenge += `, acr_values="` + refusal.ACRValues + `"`
	}
	if refusal.MaxAuthAge > 0 {
		challenge += `, max_age="` + strconv.FormatInt(int64(refusal.MaxAuthAge/time.Second), 10) + `"`
	}
	return challenge
}

// refuse makes a Refusal. The detail must quote nothing of the request.
func refuse(reason Reason, detail string) error {
	return &Refusal{Reason: reason, Detail: detail}
}
