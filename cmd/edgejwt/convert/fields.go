package convert

import (
	"slices"
	"strings"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// read has the fields that convert reads, by message. A message that is not listed
// is read by a matcher of its own, which says what it cannot do.
var read = map[protoreflect.FullName]string{
	"envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication": "providers rules requirement_map filter_state_rules bypass_cors_preflight stat_prefix",
	"envoy.extensions.filters.http.jwt_authn.v3.JwtProvider": "issuer audiences subjects require_expiration max_lifetime remote_jwks local_jwks forward " +
		"from_headers from_params from_cookies forward_payload_header pad_forward_payload_header payload_in_metadata normalize_payload_in_metadata " +
		"header_in_metadata failed_status_in_metadata clock_skew_seconds claim_to_headers clear_route_cache",
	"envoy.extensions.filters.http.jwt_authn.v3.JwtProvider.NormalizePayload": "space_delimited_claims",
	"envoy.extensions.filters.http.jwt_authn.v3.RemoteJwks":                   "http_uri cache_duration",
	"envoy.extensions.filters.http.jwt_authn.v3.JwtHeader":                    "name value_prefix",
	"envoy.extensions.filters.http.jwt_authn.v3.JwtClaimToHeader":             "header_name claim_name claim_path",
	"envoy.extensions.filters.http.jwt_authn.v3.RequirementRule":              "match requires requirement_name",
	"envoy.extensions.filters.http.jwt_authn.v3.ProviderWithAudiences":        "provider_name audiences",
	"envoy.config.core.v3.HttpUri":                                            "uri cluster timeout",
	"envoy.config.core.v3.DataSource":                                         "filename inline_bytes inline_string environment_variable",

	"envoy.extensions.filters.http.rbac.v3.RBAC": "rules matcher shadow_rules shadow_matcher rules_stat_prefix shadow_rules_stat_prefix track_per_rule_stats",
	"envoy.config.rbac.v3.RBAC":                  "action policies",
	"envoy.config.rbac.v3.Policy":                "permissions principals condition checked_condition cel_config",

	"envoy.config.route.v3.HeaderMatcher": "name invert_match treat_missing_header_as_empty exact_match safe_regex_match range_match present_match " +
		"prefix_match suffix_match contains_match string_match",
	"envoy.type.matcher.v3.StringMatcher":   "exact prefix suffix safe_regex contains custom ignore_case",
	"envoy.type.matcher.v3.MetadataMatcher": "filter path value invert",

	"istio.security.v1beta1.RequestAuthentication": "selector targetRef targetRefs jwt_rules",
	"istio.security.v1beta1.JWTRule": "issuer audiences jwks_uri jwks from_headers from_params from_cookies output_payload_to_header " +
		"forward_original_token output_claim_to_headers timeout space_delimited_claims",
	"istio.security.v1beta1.JWTHeader":           "name prefix",
	"istio.security.v1beta1.ClaimToHeader":       "header claim",
	"istio.security.v1beta1.AuthorizationPolicy": "selector targetRef targetRefs rules action provider",
	"istio.security.v1beta1.Rule":                "from to when",
	"istio.security.v1beta1.Rule.From":           "source",
	"istio.security.v1beta1.Rule.To":             "operation",
	"istio.security.v1beta1.Source": "principals not_principals request_principals not_request_principals namespaces not_namespaces " +
		"service_accounts not_service_accounts ip_blocks not_ip_blocks remote_ip_blocks not_remote_ip_blocks trust_domains not_trust_domains",
	"istio.security.v1beta1.Operation": "hosts not_hosts ports not_ports methods not_methods paths not_paths",
	"istio.security.v1beta1.Condition": "key values not_values",
}

// left has the fields that are left out, and what is said of that.
var left = map[protoreflect.FullName]string{
	"envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication.strip_failure_response": "strip_failure_response is left out: a refusal says what another token might mend, and nothing else (realm, resourceMetadata).",
	"envoy.extensions.filters.http.jwt_authn.v3.JwtProvider.jwt_cache_config":             "jwt_cache_config is left out: tokens are kept anyway (tokenCache).",
	"envoy.extensions.filters.http.jwt_authn.v3.RemoteJwks.async_fetch":                   "async_fetch is left out: key sets are fetched ahead anyway (keys.refresh).",
	"envoy.extensions.filters.http.jwt_authn.v3.RemoteJwks.retry_policy":                  "retry_policy is left out: a fetch that failed is tried again anyway, each time later.",
	"envoy.config.core.v3.DataSource.watched_directory":                                   "watched_directory is left out: the key set stands here, and edgejwt does not watch its file.",
	"envoy.config.rbac.v3.RBAC.audit_logging_options":                                     "audit_logging_options are left out: edgejwt logs refusals itself.",
}

// unread names the fields of a message, and of those in it, that are not read.
func (c *conversion) unread(m proto.Message) { c.unreadOf(m.ProtoReflect()) }

func (c *conversion) unreadOf(m protoreflect.Message) {
	list, ok := read[m.Descriptor().FullName()]
	fields := strings.Fields(list)
	m.Range(func(f protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		if note, ok := left[f.FullName()]; ok {
			c.note("%s", note)
			return true
		}
		if ok && !slices.Contains(fields, string(f.Name())) {
			c.problem("the field %s is nothing that convert knows", f.FullName())
			return true
		}
		switch {
		case f.IsMap() && f.MapValue().Message() != nil:
			v.Map().Range(func(_ protoreflect.MapKey, v protoreflect.Value) bool {
				c.unreadOf(v.Message())
				return true
			})
		case f.IsList() && f.Message() != nil:
			for i := range v.List().Len() {
				c.unreadOf(v.List().Get(i).Message())
			}
		case !f.IsMap() && !f.IsList() && f.Message() != nil:
			c.unreadOf(v.Message())
		}
		return true
	})
}
