package demo

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// step is one call that the reader watches.
type step struct {
	title   string
	token   string // file in the run folder whose token is sent; "" sends none
	forge   bool   // also claim to be the administrator, by header
	path    string
	status  int
	refused string // reason that a refusal must name
	shows   string // what a good answer must contain
}

// play asks for the tokens, makes the calls and compares each answer with what
// the plugin promises.
func (s *stage) play(ctx context.Context) error {
	token, err := s.askToken(ctx, "token", s.tenant.audience, "A client asks %s for a token for %s")
	if err != nil {
		return err
	}
	if err := s.awaitKeys(ctx, token); err != nil {
		return err
	}
	sub, tampered, err := tamper(token)
	if err != nil {
		return fmt.Errorf("%s gave a token that is not a JWT; is the API %s set to RS256? (%w)", s.tenant.domain, s.tenant.audience, err)
	}
	if err := s.keep("tampered", tampered); err != nil {
		return err
	}
	steps := []step{
		{title: "With the token, the API answers", token: "token", path: "/orders", status: 200},
		{title: "The API learns who calls from the edge, whatever the caller says", token: "token", forge: true, path: "/me", status: 200, shows: sub},
		{title: "Without a token: refused", path: "/orders", status: 401, refused: "token_missing"},
		{title: "With a token whose subject was changed: refused", token: "tampered", path: "/orders", status: 401, refused: "signature_invalid"},
	}
	for _, st := range steps {
		if err := s.call(ctx, st); err != nil {
			return err
		}
	}
	if s.tenant.otherAudience == "" {
		s.say("\nSet AUTH0_OTHER_AUDIENCE to a second API of the tenant to see its tokens refused.")
		return nil
	}
	if _, err := s.askToken(ctx, "other", s.tenant.otherAudience, "The client asks %s for a token for another API, %s"); err != nil {
		return err
	}
	return s.call(ctx, step{title: "A good token, but for another API: refused", token: "other", path: "/orders", status: 401, refused: "audience_mismatch"})
}

// askToken plays RFC 6749 §4.4 and keeps the token in a file for the lines that
// follow.
func (s *stage) askToken(ctx context.Context, file, audience, title string) (string, error) {
	t := s.tenant
	secret := t.clientSecret
	form := func(secret string) string {
		doc, _ := json.Marshal(struct {
			GrantType string `json:"grant_type"`
			ClientID  string `json:"client_id"`
			Secret    string `json:"client_secret"`
			Audience  string `json:"audience"`
		}{"client_credentials", t.clientID, secret, audience})
		return string(doc)
	}
	line := "curl -s"
	if t.secretShown || t.ownCA {
		line += " --cacert " + shellQuote(s.short(t.caFile))
	}
	if t.connect != "" {
		line += " --connect-to ::" + t.connect
	}
	printed := shellQuote(form(secret))
	if !t.secretShown {
		// The shell puts the secret in; it is on no screen and in no file.
		printed = strings.Replace(shellQuote(form("\x00")), `\u0000`, `'"$AUTH0_CLIENT_SECRET"'`, 1)
	}
	s.say("\n# "+title, t.domain, audience)
	s.say("%s https://%s/oauth/token -H 'content-type: application/json' -d %s", line, t.domain, printed)

	client, err := t.client()
	if err != nil {
		return "", err
	}
	q, err := http.NewRequestWithContext(ctx, http.MethodPost, "https://"+t.domain+"/oauth/token", strings.NewReader(form(secret)))
	if err != nil {
		return "", err
	}
	q.Header.Set("Content-Type", "application/json")
	resp, err := client.Do(q)
	if err != nil {
		return "", fmt.Errorf("%s cannot be asked for a token: %w", t.domain, err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err != nil {
		return "", err
	}
	var answer struct {
		AccessToken string `json:"access_token"`
	}
	if resp.StatusCode != http.StatusOK || json.Unmarshal(body, &answer) != nil || answer.AccessToken == "" {
		return "", fmt.Errorf("%s refuses a token: %s %s", t.domain, resp.Status, cut(string(body), 300))
	}
	s.say("-> %d %s", resp.StatusCode, strings.Replace(strings.TrimSpace(string(body)), answer.AccessToken, cut(answer.AccessToken, 24), 1))
	return answer.AccessToken, s.keep(file, answer.AccessToken)
}

// keep writes a token where only this user can read it, until the end.
func (s *stage) keep(file, token string) error {
	path := filepath.Join(s.Run, file)
	os.Remove(path)
	s.written = append(s.written, path)
	return os.WriteFile(path, []byte(token), 0o600)
}

// call makes one call, prints it and its answer, and checks the answer.
func (s *stage) call(ctx context.Context, st step) error {
	url := "http://" + string(s.ports.edge) + st.path
	line := "curl -i " + url
	q, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	if st.token != "" {
		path := filepath.Join(s.Run, st.token)
		token, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		q.Header.Set("Authorization", "Bearer "+string(token))
		line += fmt.Sprintf(` -H "authorization: Bearer $(cat %s)"`, shellQuote(s.short(path)))
	}
	if st.forge {
		q.Header.Set("X-Jwt-Sub", "administrator")
		line += " -H 'x-jwt-sub: administrator'"
	}
	s.say("\n# %s\n%s", st.title, line)
	resp, err := edgeClient.Do(q)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err != nil {
		return err
	}
	body := strings.TrimSpace(string(raw))
	s.say("-> %d %s", resp.StatusCode, cut(body, 400))
	if challenge := resp.Header.Get("WWW-Authenticate"); challenge != "" {
		s.say("   www-authenticate: %s", challenge)
	}
	if why := st.wrong(resp.StatusCode, body); why != "" {
		return fmt.Errorf("that should not be: %s. The last lines of Envoy's log:\n%s", why, s.envoy.Tail(15))
	}
	return nil
}

func (st *step) wrong(status int, body string) string {
	switch {
	case status != st.status:
		return fmt.Sprintf("status %d was expected", st.status)
	case st.refused != "" && !strings.Contains(body, quoted(st.refused)):
		return "the reason " + st.refused + " was expected"
	case !strings.Contains(body, st.shows):
		return "the caller's identity was expected"
	case st.forge && strings.Contains(body, "administrator"):
		return "the forged identity reached the API"
	}
	return ""
}

var edgeClient = &http.Client{Timeout: 20 * time.Second}

// awaitKeys calls until Envoy has the tenant's keys. The plugin itself holds
// such a call back for a while; only a tenant that cannot be reached gets here
// more than once.
func (s *stage) awaitKeys(ctx context.Context, token string) error {
	for {
		q, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+string(s.ports.edge)+"/health", nil)
		if err != nil {
			return err
		}
		q.Header.Set("Authorization", "Bearer "+token)
		resp, err := edgeClient.Do(q)
		if err == nil {
			resp.Body.Close()
			if resp.StatusCode != http.StatusServiceUnavailable {
				return nil
			}
		}
		select {
		case <-s.envoy.Done():
			return s.envoy.Died()
		case <-s.api.Done():
			return s.api.Died()
		case <-ctx.Done():
			return fmt.Errorf("the keys of %s cannot be fetched. The last lines of Envoy's log:\n%s", s.tenant.domain, s.envoy.Tail(15))
		case <-time.After(250 * time.Millisecond):
		}
	}
}

// tamper changes the subject of a token and leaves the signature as it was.
func tamper(token string) (sub, tampered string, err error) {
	p := strings.Split(token, ".")
	if len(p) != 3 {
		return "", "", fmt.Errorf("%d parts instead of 3", len(p))
	}
	raw, err := base64.RawURLEncoding.DecodeString(p[1])
	if err != nil {
		return "", "", err
	}
	var claims map[string]any
	if err := json.Unmarshal(raw, &claims); err != nil {
		return "", "", err
	}
	sub, _ = claims["sub"].(string)
	claims["sub"] = "somebody-else@clients"
	if raw, err = json.Marshal(claims); err != nil {
		return "", "", err
	}
	p[1] = base64.RawURLEncoding.EncodeToString(raw)
	return sub, strings.Join(p, "."), nil
}

// shellQuote makes one word of s for a POSIX shell.
func shellQuote(s string) string {
	if strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-/:@") == "" && s != "" {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return strings.ToValidUTF8(s[:n], "") + "..."
}
