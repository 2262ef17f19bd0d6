package auth0

import (
	"crypto/subtle"
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// Claims are a token's claims, of any type: the tests mint hostile tokens too.
type Claims = jwt.MapClaims

// Mint says how a token is signed when it is not as Auth0 would.
type Mint struct {
	Next   bool              // sign with the next key, which is published but not in use
	Key    any               // sign with this key instead of the tenant's
	Method jwt.SigningMethod // default RS256
	Header map[string]any    // replaces or adds header members; nil as a value removes one
}

// ClientClaims are the claims that Auth0 gives a client for an API: iss, sub,
// aud, iat, exp (24 h), scope, gty, azp. Callers may change the map.
func (s *Server) ClientClaims(client, audience, scope string) Claims {
	now := time.Now()
	c := Claims{
		"iss": s.Issuer(),
		"sub": client + "@clients",
		"aud": audience,
		"iat": now.Unix(),
		"exp": now.Add(TokenLifetime).Unix(),
		"gty": "client-credentials",
		"azp": client,
	}
	if scope != "" {
		c["scope"] = scope
	}
	return c
}

// Token is a valid token of the default client for the first audience.
func (s *Server) Token() string {
	t, err := s.MintToken(s.ClientClaims(DefaultClientID, s.opts.Audiences[0], "read:orders write:orders"), Mint{})
	if err != nil {
		panic(err) // signing our own claims with our own key
	}
	return t
}

// MintToken signs any claims with the current key, or as m says.
func (s *Server) MintToken(claims Claims, m Mint) (string, error) {
	s.mu.Lock()
	key := s.keys.current
	if m.Next {
		key = s.keys.next
	}
	s.mu.Unlock()

	method := m.Method
	if method == nil {
		method = jwt.SigningMethodRS256
	}
	t := jwt.NewWithClaims(method, claims)
	t.Header["kid"] = key.kid
	for name, value := range m.Header {
		if value == nil {
			delete(t.Header, name)
			continue
		}
		t.Header[name] = value
	}
	if m.Key != nil {
		return t.SignedString(m.Key)
	}
	return t.SignedString(key.private)
}

// tokenRequest is RFC 6749 §4.4.2 with Auth0's audience.
type tokenRequest struct {
	GrantType    string `json:"grant_type"`
	ClientID     string `json:"client_id"`
	ClientSecret string `json:"client_secret"`
	Audience     string `json:"audience"`
}

// tokenError is Auth0's error body (RFC 6749 §5.2).
type tokenError struct {
	Error       string `json:"error"`
	Description string `json:"error_description"`
	URI         string `json:"error_uri,omitempty"`
}

func (s *Server) serveToken(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Type", "application/json; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	h.Set("Pragma", "no-cache")
	if r.Method != http.MethodPost {
		http.Error(w, "Cannot "+r.Method+" /oauth/token", http.StatusNotFound)
		return
	}
	q, err := readTokenRequest(r)
	if err != nil {
		refuse(w, http.StatusBadRequest, tokenError{Error: "invalid_request", Description: "The request body could not be read."})
		return
	}
	client, known := s.opts.Clients[q.ClientID]
	scope, granted := client.Grants[q.Audience]
	switch {
	case q.GrantType == "":
		refuse(w, http.StatusForbidden, tokenError{Error: "invalid_request", Description: "Missing required parameter: grant_type"})
	case q.GrantType != "client_credentials" && !slices.Contains(auth0Grants, q.GrantType):
		refuse(w, http.StatusForbidden, tokenError{Error: "unsupported_grant_type", Description: "Unsupported grant type: " + q.GrantType})
	case q.ClientID == "":
		refuse(w, http.StatusForbidden, tokenError{Error: "invalid_request", Description: "Missing required parameter: client_id"})
	case !known, subtle.ConstantTimeCompare([]byte(q.ClientSecret), []byte(client.Secret)) != 1:
		refuse(w, http.StatusUnauthorized, tokenError{Error: "access_denied", Description: "Unauthorized"})
	case q.GrantType != "client_credentials":
		refuse(w, http.StatusForbidden, tokenError{Error: "unauthorized_client",
			Description: fmt.Sprintf("Grant type '%s' not allowed for the client.", q.GrantType),
			URI:         "https://auth0.com/docs/clients/client-grant-types"})
	case q.Audience == "":
		refuse(w, http.StatusForbidden, tokenError{Error: "access_denied",
			Description: "No audience parameter was provided, and no default audience has been configured"})
	case !slices.Contains(s.opts.Audiences, q.Audience):
		refuse(w, http.StatusForbidden, tokenError{Error: "access_denied", Description: "Service not found: " + q.Audience})
	case !granted:
		refuse(w, http.StatusForbidden, tokenError{Error: "access_denied", Description: fmt.Sprintf(
			`Client is not authorized to access %q. You need to create a "client-grant" associated to this API. `+
				"See: https://auth0.com/docs/api/v2#!/Client_Grants/post_client_grants", q.Audience)})
	default:
		token, err := s.MintToken(s.ClientClaims(q.ClientID, q.Audience, scope), Mint{})
		if err != nil {
			refuse(w, http.StatusInternalServerError, tokenError{Error: "server_error", Description: "The token could not be signed."})
			return
		}
		json.NewEncoder(w).Encode(struct {
			AccessToken string `json:"access_token"`
			Scope       string `json:"scope,omitempty"`
			ExpiresIn   int    `json:"expires_in"`
			TokenType   string `json:"token_type"`
		}{token, scope, int(TokenLifetime.Seconds()), "Bearer"})
	}
}

// auth0Grants are grants that Auth0 knows and our client was not given.
var auth0Grants = []string{
	"authorization_code", "password", "refresh_token", "implicit",
	"http://auth0.com/oauth/grant-type/password-realm",
	"urn:ietf:params:oauth:grant-type:device_code",
}

// readTokenRequest reads JSON or a form; at most 64 KiB.
func readTokenRequest(r *http.Request) (q tokenRequest, err error) {
	body, err := io.ReadAll(io.LimitReader(r.Body, 64<<10))
	if err != nil {
		return q, err
	}
	if kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); kind != "application/x-www-form-urlencoded" {
		return q, json.Unmarshal(body, &q)
	}
	form, err := url.ParseQuery(string(body))
	return tokenRequest{
		GrantType:    form.Get("grant_type"),
		ClientID:     form.Get("client_id"),
		ClientSecret: form.Get("client_secret"),
		Audience:     form.Get("audience"),
	}, err
}

func refuse(w http.ResponseWriter, status int, e tokenError) {
	w.WriteHeader(status)
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.Encode(e)
}

// serveDiscovery is OpenID Connect Discovery §4.2 with the members that a
// verifier may use.
func (s *Server) serveDiscovery(w http.ResponseWriter, r *http.Request) {
	_, done, answered := s.meet(discoveryEndpoint, w, r)
	defer done()
	if answered {
		return
	}
	at := s.Issuer()
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	if s.opts.CacheControl != "-" {
		w.Header().Set("Cache-Control", s.opts.CacheControl)
	}
	json.NewEncoder(w).Encode(map[string]any{
		"issuer":                                at,
		"authorization_endpoint":                at + "authorize",
		"token_endpoint":                        at + "oauth/token",
		"jwks_uri":                              at + ".well-known/jwks.json",
		"userinfo_endpoint":                     at + "userinfo",
		"response_types_supported":              []string{"code", "token", "id_token"},
		"subject_types_supported":               []string{"public"},
		"id_token_signing_alg_values_supported": []string{"HS256", "RS256", "PS256"},
		"token_endpoint_auth_methods_supported": []string{"client_secret_basic", "client_secret_post", "private_key_jwt"},
	})
}
