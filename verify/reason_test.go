package verify_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"edgejwt/verify"
)

// responses has the response to each reason, written a second time by hand. A changed
// status or name breaks dashboards and clients, so it must be changed in two places.
var responses = map[verify.Reason]struct {
	name    string
	status  int
	grpc    int
	bearer  string // "-" for no challenge at all
	passing bool
}{
	verify.Accepted:                   {"accepted", 0, 0, "-", true},
	verify.Preflight:                  {"preflight", 0, 0, "-", true},
	verify.Public:                     {"public", 0, 0, "-", true},
	verify.Anonymous:                  {"anonymous", 0, 0, "-", true},
	verify.Opaque:                     {"opaque", 0, 0, "-", true},
	verify.ResourceMetadata:           {"resource_metadata", 200, 0, "-", false},
	verify.IdentityForged:             {"identity_forged", 400, 3, "-", false},
	verify.PathAmbiguous:              {"path_ambiguous", 400, 3, "-", false},
	verify.RequestAmbiguous:           {"request_ambiguous", 400, 3, "-", false},
	verify.RouteDenied:                {"route_denied", 403, 7, "-", false},
	verify.TokenMissing:               {"token_missing", 401, 16, "", false},
	verify.TokenAmbiguous:             {"token_ambiguous", 400, 3, "invalid_request", false},
	verify.TokenTooLarge:              {"token_too_large", 401, 16, "invalid_token", false},
	verify.TokenOpaque:                {"token_opaque", 401, 16, "invalid_token", false},
	verify.TokenEncrypted:             {"token_encrypted", 401, 16, "invalid_token", false},
	verify.TokenMalformed:             {"token_malformed", 401, 16, "invalid_token", false},
	verify.AlgorithmNotAllowed:        {"algorithm_not_allowed", 401, 16, "invalid_token", false},
	verify.IssuerUnknown:              {"issuer_unknown", 401, 16, "invalid_token", false},
	verify.ClaimInvalid:               {"claim_invalid", 401, 16, "invalid_token", false},
	verify.ClaimOutOfRange:            {"claim_out_of_range", 401, 16, "invalid_token", false},
	verify.TokenExpired:               {"token_expired", 401, 16, "invalid_token", false},
	verify.TokenNotYetValid:           {"token_not_yet_valid", 401, 16, "invalid_token", false},
	verify.AudienceMismatch:           {"audience_mismatch", 401, 16, "invalid_token", false},
	verify.KeyUnknown:                 {"key_unknown", 401, 16, "invalid_token", false},
	verify.KeyIDMissing:               {"kid_missing", 401, 16, "invalid_token", false},
	verify.SignatureInvalid:           {"signature_invalid", 401, 16, "invalid_token", false},
	verify.BindingMissing:             {"binding_missing", 401, 16, "invalid_token", false},
	verify.BindingMismatch:            {"binding_mismatch", 401, 16, "invalid_token", false},
	verify.ScopeMissing:               {"scope_missing", 403, 7, "insufficient_scope", false},
	verify.PermissionMissing:          {"permission_missing", 403, 7, "insufficient_scope", false},
	verify.ClaimMismatch:              {"claim_mismatch", 403, 7, "insufficient_scope", false},
	verify.AuthenticationInsufficient: {"authentication_insufficient", 401, 16, "insufficient_user_authentication", false},
	verify.KeysUnavailable:            {"keys_unavailable", 503, 14, "-", false},
	verify.Internal:                   {"internal", 500, 13, "-", false},
}

func TestEveryReasonHasARow(t *testing.T) {
	names := map[string]bool{}
	for _, r := range verify.Reasons() {
		want, listed := responses[r]
		if !listed {
			t.Errorf("%v is not in this test's table", r)
			continue
		}
		if r.String() != want.name || r.Error() != want.name {
			t.Errorf("%d is named %q, want %q: a missing row reads like internal", r, r, want.name)
		}
		if names[r.String()] || !regexp.MustCompile(`^[a-z_]+$`).MatchString(r.String()) {
			t.Errorf("%q is not a name of its own in lower case letters and underscores", r)
		}
		names[r.String()] = true
		if r.Status() != want.status || r.GRPCStatus() != want.grpc || r.Passes() != want.passing {
			t.Errorf("%v: status %d, gRPC %d, passes %v; want %d, %d, %v",
				r, r.Status(), r.GRPCStatus(), r.Passes(), want.status, want.grpc, want.passing)
		}
		challenge := `Bearer realm="api"`
		switch want.bearer {
		case "":
		case "-":
			challenge = ""
		default:
			challenge += `, error="` + want.bearer + `"`
		}
		if got := r.Challenge("api"); got != challenge {
			t.Errorf("%v: challenge %q, want %q", r, got, challenge)
		}
		// RFC 9110 §15.5.2: a 401 has a challenge. A 5xx has none: it is not the client's fault.
		if r.Status() == 401 && r.Challenge("api") == "" || r.Status() >= 500 && r.Challenge("api") != "" {
			t.Errorf("%v: status %d with challenge %q", r, r.Status(), r.Challenge("api"))
		}
		if r.Passes() {
			continue
		}
		var body map[string]string
		if err := json.Unmarshal(r.Body(), &body); err != nil {
			t.Fatalf("%v: body %s: %v", r, r.Body(), err)
		}
		if len(body) != 2 || body["error"] != want.name || body["error_description"] != r.Description() || r.Description() == "" {
			t.Errorf("%v: body %s", r, r.Body())
		}
	}
	if len(names) != len(responses) {
		t.Errorf("%d reasons, %d in this test's table", len(names), len(responses))
	}
}

func TestUnknownReasonIsRefusedInSilence(t *testing.T) {
	for _, r := range []verify.Reason{0, verify.Reason(len(verify.Reasons()) + 1), 200, 255} {
		if r.Passes() || r.Status() != 500 || r.Challenge("api") != "" || r.String() != "internal" {
			t.Errorf("reason %d: passes %v, status %d, challenge %q", uint8(r), r.Passes(), r.Status(), r.Challenge("api"))
		}
	}
}

func TestReasonOf(t *testing.T) {
	refusal := &verify.Refusal{Reason: verify.TokenExpired, Detail: "exp has passed"}
	for _, c := range []struct {
		name string
		err  error
		want verify.Reason
	}{
		{"no error", nil, verify.Accepted},
		{"a reason", verify.KeyUnknown, verify.KeyUnknown},
		{"a refusal", refusal, verify.TokenExpired},
		{"a wrapped refusal", fmt.Errorf("while checking: %w", refusal), verify.TokenExpired},
		{"another error", errors.New("token_expired"), verify.Internal},
		{"a refusal without reason", &verify.Refusal{}, verify.Reason(0)},
		{"an error that says accepted", verify.Accepted, verify.Internal},
		{"a refusal that says preflight", &verify.Refusal{Reason: verify.Preflight}, verify.Internal},
	} {
		if got := verify.ReasonOf(c.err); got != c.want {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
		if c.err != nil && verify.ReasonOf(c.err).Passes() {
			t.Errorf("%s: an error passes", c.name)
		}
	}
	if !errors.Is(refusal, verify.TokenExpired) || errors.Is(refusal, verify.ClaimInvalid) {
		t.Error("errors.Is does not find the reason")
	}
	if got := refusal.Error(); !strings.HasPrefix(got, "token_expired: ") {
		t.Errorf("the refusal reads %q", got)
	}
}

func TestChallengeOf(t *testing.T) {
	missing := &verify.Refusal{Reason: verify.ScopeMissing, Scope: "read:orders write:orders"}
	const challenge = `Bearer realm="api", error="insufficient_scope", scope="read:orders write:orders"`
	for _, c := range []struct {
		name string
		err  error
		want string
	}{
		{"with scopes", missing, challenge},
		{"wrapped", fmt.Errorf("while checking: %w", missing), challenge},
		{"without scopes", &verify.Refusal{Reason: verify.ClaimMismatch}, `Bearer realm="api", error="insufficient_scope"`},
		{"a bare reason", verify.TokenExpired, `Bearer realm="api", error="invalid_token"`},
		{"a reason that sends none", &verify.Refusal{Reason: verify.PathAmbiguous, Scope: "x"}, ""},
		{"another error", errors.New("x"), ""},
		{"no error", nil, ""},
	} {
		if got := verify.ChallengeOf(c.err, "api"); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}
