package e2e

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"edgejwt/e2e/auth0"
	"edgejwt/e2e/demo"
	"edgejwt/e2e/harness"
	"edgejwt/verify"

	"go.yaml.in/yaml/v3"
)

// demonstrated is the tenant of the edge "demo", with its switches.
var demonstrated *auth0.Server

// demoEdges has the shipped example's configuration of the plugin on an edge. The
// tenant is one of its own, because a line of the page breaks it.
func demoEdges(t *testing.T) ([]harness.Edge, []harness.Cluster) {
	t.Helper()
	if demonstrated == nil {
		var err error
		if demonstrated, err = auth0.Start(auth0.Options{Domain: "demo.auth0.example", Control: "127.0.0.1:0"}); err != nil {
			t.Fatal(err)
		}
	}
	plugin := strings.NewReplacer(`"tenant.auth0.example"`, `"demo.auth0.example"`, `"cluster": "auth0"`, `"cluster": "demo"`).Replace(shippedPlugin(t))
	// docs/refusals.md says to wait half a minute between two of its lines; here a second does.
	plugin = `{"keys": {"cooldown": "1s"},` + strings.TrimPrefix(strings.TrimSpace(plugin), "{")
	return []harness.Edge{{Name: "demo", Plugin: plugin}}, []harness.Cluster{{Name: "demo", Provider: demonstrated}}
}

// shippedPlugin is the plugin's configuration in envoy.yaml.
func shippedPlugin(t *testing.T) (plugin string) {
	t.Helper()
	var file any
	if err := yaml.Unmarshal([]byte(fileInRoot(t, "envoy.yaml")), &file); err != nil {
		t.Fatal(err)
	}
	var walk func(any)
	walk = func(node any) {
		switch n := node.(type) {
		case map[string]any:
			if n["@type"] == "type.googleapis.com/google.protobuf.StringValue" {
				plugin, _ = n["value"].(string)
			}
			for _, child := range n {
				walk(child)
			}
		case []any:
			for _, child := range n {
				walk(child)
			}
		}
	}
	if walk(file); plugin == "" {
		t.Fatal("envoy.yaml has no configuration of the plugin")
	}
	return plugin
}

// TestEveryRefusalOfThePage runs the lines of docs/refusals.md as they stand there, each
// against what `make run` starts, and expects the reason that it stands for.
func TestEveryRefusalOfThePage(t *testing.T) {
	w := edges(t)
	s := newShell(t, w)
	w.Eventually(20*time.Second, "the demonstrated tenant's keys are there", func() bool {
		return s.run("curl -i localhost:10000/orders -H \"authorization: Bearer $(cat .run/token)\"").Status == 200
	})
	lines := map[string]string{}
	for _, row := range tableOf(t, fileInRoot(t, "docs", "refusals.md"), "| to get |")[1:] {
		lines[strings.Trim(row[0], "`")] = strings.Trim(row[1], "`")
	}
	for _, reason := range verify.Reasons() {
		line, listed := lines[reason.String()]
		delete(lines, reason.String())
		if refuses := !reason.Passes() && reason != verify.ResourceMetadata && reason != verify.IdentityForged && reason != verify.BindingMismatch && reason != verify.Internal; refuses != listed {
			t.Errorf("%v: docs/refusals.md has a line for it: %v, want %v", reason, listed, refuses)
		}
		if !listed {
			continue
		}
		w.ResetSeen()
		if reason == verify.KeysUnavailable {
			time.Sleep(1100 * time.Millisecond) // the cooldown
		}
		got := s.run(line)
		if got.Err != nil || got.Reason != reason.String() || got.Status != reason.Status() {
			t.Errorf("%s\ngives %v, want %d %v", line, got, reason.Status(), reason)
		}
		if challenge := got.Header.Get("WWW-Authenticate"); !strings.HasPrefix(challenge, reason.Challenge("api")) || (challenge == "") != (reason.Challenge("api") == "") {
			t.Errorf("%v: WWW-Authenticate is %q, want %q", reason, challenge, reason.Challenge("api"))
		}
		if seen := w.Seen(); len(seen) != 0 {
			t.Errorf("%v: the API saw %v", reason, seen)
		}
	}
	for name := range lines {
		t.Errorf("docs/refusals.md has a line for %s, which is no reason", name)
	}
	demonstrated.SetFault(auth0.Fault{})
}

// shell runs the lines of docs/refusals.md: curl and cat, quotes, $(…) and semicolons. Ports
// and files are those of `make run`, which stand for the test's own.
type shell struct {
	t     *testing.T
	hosts map[string]string
	files map[string]string
}

func newShell(t *testing.T, w *harness.World) *shell {
	t.Helper()
	tokens, err := demo.Refused(demonstrated, auth0.DefaultAudience)
	if err != nil {
		t.Fatal(err)
	}
	tokens["token"] = demonstrated.Token()
	tokens["other"] = signed(t, demonstrated, auth0.Claims{"aud": auth0.OtherAudience})
	parts := strings.Split(tokens["token"], ".")
	tokens["tampered"] = parts[0] + "." + forge(t, parts[1]) + "." + parts[2]
	s := &shell{t: t, files: tokens, hosts: map[string]string{
		"localhost:10000": w.At("demo"), "localhost:9444": demonstrated.ControlAddress(),
	}}
	if _, port, _ := strings.Cut(demo.ControlAddress, ":"); port != "9444" {
		t.Errorf("the lines of docs/refusals.md speak to port 9444, the switches are at %s", demo.ControlAddress)
	}
	return s
}

// run gives the answer to the last curl of a line.
func (s *shell) run(line string) (last harness.Answer) {
	s.t.Helper()
	command := []string{}
	for _, word := range append(s.words(line), ";") {
		if word != ";" {
			command = append(command, word)
			continue
		}
		last = s.curl(command)
		command = nil
	}
	return last
}

// curl understands what docs/refusals.md uses; whatever else fails the test.
func (s *shell) curl(words []string) harness.Answer {
	s.t.Helper()
	r := harness.Request{Method: "GET"}
	url := ""
	for i := 1; i < len(words); i++ {
		value := func() string {
			if i++; i == len(words) {
				s.t.Fatalf("%q lacks a value at its end", words)
			}
			return words[i]
		}
		switch word := words[i]; {
		case word == "-i", word == "-s", word == "-si":
		case word == "-X":
			r.Method = value()
		case word == "-d":
			r.Body = value()
			if r.Method == "GET" {
				r.Method = "POST"
			}
		case word == "-H":
			name, text, _ := strings.Cut(value(), ":")
			r.Headers = append(r.Headers, name, strings.TrimSpace(text))
		case strings.HasPrefix(word, "-"):
			s.t.Fatalf("the option %s is not understood here", word)
		default:
			url = strings.TrimPrefix(word, "http://")
		}
	}
	host, path, _ := strings.Cut(url, "/")
	at, known := s.hosts[host]
	if words[0] != "curl" || !known {
		s.t.Fatalf("%q is no call of curl to a server of `make run`", words)
	}
	// The path goes as it stands there: a library might mend it.
	request := fmt.Sprintf("%s /%s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\nContent-Length: %d\r\n", r.Method, path, host, len(r.Body))
	for i := 0; i < len(r.Headers); i += 2 {
		request += r.Headers[i] + ": " + r.Headers[i+1] + "\r\n"
	}
	return harness.Raw(at, request+"\r\n"+r.Body)
}

// words parts a line as a shell does (POSIX.1-2017, XCU 2.2 and 2.6.3), as far as
// docs/refusals.md goes.
func (s *shell) words(line string) (words []string) {
	s.t.Helper()
	word, begun, quote := "", false, byte(0)
	flush := func() {
		if begun {
			words = append(words, word)
		}
		word, begun = "", false
	}
	for i := 0; i < len(line); i++ {
		c := line[i]
		switch {
		case quote != '\'' && strings.HasPrefix(line[i:], "$(cat .run/"):
			name, _, closed := strings.Cut(line[i+len("$(cat .run/"):], ")")
			token, known := s.files[name]
			if !closed || !known {
				s.t.Fatalf("%s: `make run` leaves no file .run/%s", line, name)
			}
			word, begun = word+token, true
			i += len("$(cat .run/") + len(name)
		case quote == 0 && (c == '\'' || c == '"'):
			quote, begun = c, true
		case quote == c && c != 0:
			quote = 0
		case quote == 0 && c == ' ':
			flush()
		case quote == 0 && c == ';':
			flush()
			words = append(words, ";")
		case quote == 0 && strings.IndexByte("$`|&<>()*?[]#~\\", c) >= 0, quote == '"' && strings.IndexByte("$`\\", c) >= 0:
			s.t.Fatalf("%s: the test does not know what a shell makes of %c", line, c)
		default:
			word, begun = word+string(c), true
		}
	}
	if flush(); quote != 0 {
		s.t.Fatalf("%s: a quote is not closed", line)
	}
	return words
}

// TestShellOfThePage: what runs the lines of docs/refusals.md reads them as sh does.
func TestShellOfThePage(t *testing.T) {
	s := &shell{t: t, files: map[string]string{"token": "abc"}}
	for line, want := range map[string][]string{
		`curl -i a/b`:                      {"curl", "-i", "a/b"},
		`curl 'a;x'`:                       {"curl", "a;x"},
		`a; b`:                             {"a", ";", "b"},
		`-H "x: Bearer $(cat .run/token)"`: {"-H", "x: Bearer abc"},
		`-d '{"a": "b"}' ''`:               {"-d", `{"a": "b"}`, ""},
		`a"b 'c'"d`:                        {"ab 'c'd"},
	} {
		if got := s.words(line); fmt.Sprintf("%q", got) != fmt.Sprintf("%q", want) {
			t.Errorf("%s: %q, want %q", line, got, want)
		}
	}
}
