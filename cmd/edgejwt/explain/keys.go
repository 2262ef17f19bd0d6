package explain

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"edgejwt/jwks"
	"edgejwt/plugin/config"
)

// Timeout bounds each request for a key set.
const Timeout = 10 * time.Second

// KeySource gives keys to rules. Its zero value has those of the configuration
// only.
type KeySource struct {
	// Default is a key set for every rule that Of does not name; nil for none.
	Default *jwks.Set
	// Of are key sets by issuer.
	Of map[string]*jwks.Set

	workers map[string]*worker // by issuer, of keys that were fetched
}

// machine gives the keys of a rule, nil when there are none. Keys that were given
// go before those of the configuration.
func (s *KeySource) machine(rule *config.Rule) *jwks.Source {
	if s == nil {
		s = &KeySource{}
	}
	set := s.Of[rule.Issuer]
	if set == nil {
		set = s.Default
	}
	if set == nil && s.workers[rule.Issuer] != nil {
		return s.workers[rule.Issuer].machine
	}
	if set == nil {
		set = rule.InlineSet
	}
	if set == nil {
		return nil
	}
	return jwks.Fixed(set.For(rule.Algorithms), rule.Keys.Deny)
}

// workerOf gives the worker that fetched the keys of a machine; nil for none.
func (s *KeySource) workerOf(m *jwks.Source) *worker {
	if s == nil || m == nil {
		return nil
	}
	for _, w := range s.workers {
		if w.machine == m {
			return w
		}
	}
	return nil
}

// Load reads a key set from a file or an https URL. http is for this machine
// alone: whoever is between could replace the keys.
func Load(place string, client *http.Client) (*jwks.Set, error) {
	var text []byte
	var err error
	if strings.HasPrefix(place, "https://") || strings.HasPrefix(place, "http://") {
		text, err = get(place, client)
	} else {
		text, err = readBounded(place)
	}
	if err != nil {
		return nil, err
	}
	set, skipped, err := jwks.Parse(text)
	if err != nil {
		words := fmt.Sprintf("%s is no key set that can be used: %v", shortURL(place), err)
		for _, key := range skipped {
			words += "; " + key.String()
		}
		return nil, errors.New(words)
	}
	return set, nil
}

func readBounded(name string) ([]byte, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return io.ReadAll(io.LimitReader(file, jwks.MaxDocumentBytes+1))
}

func get(place string, client *http.Client) ([]byte, error) {
	at, err := url.Parse(place)
	if err != nil || at.Host == "" {
		return nil, errors.New("the key set's address is not a URL")
	}
	if at.Scheme != "https" && !isLoopback(at.Hostname()) {
		return nil, errors.New(shortURL(place) + " is not https: keys that come unprotected can be replaced on the way")
	}
	status, _, body, err := fetch(place, nil, Timeout, client)
	if err != nil {
		return nil, err
	}
	if status != http.StatusOK {
		return nil, fmt.Errorf("%s answers with status %d", shortURL(place), status)
	}
	return body, nil
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// fetch asks as the plugin does: redirects are not followed, and of the body no
// more is read than a key set may have.
func fetch(place string, headers [][2]string, timeout time.Duration, client *http.Client) (status int, answer http.Header, body []byte, err error) {
	own := *client
	own.Timeout = min(timeout, Timeout)
	own.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	request, err := http.NewRequest(http.MethodGet, place, nil)
	if err != nil {
		return 0, nil, nil, errors.New("the key set's address is not a URL")
	}
	request.Header.Set("accept", "application/json")
	request.Header.Set("user-agent", "edgejwt")
	for _, header := range headers {
		request.Header.Set(header[0], header[1])
	}
	response, err := own.Do(request)
	if err != nil {
		var failed *url.Error
		if errors.As(err, &failed) {
			err = failed.Err // without the URL, which may hold a secret
		}
		return 0, nil, nil, fmt.Errorf("%s does not answer: %w", shortURL(place), err)
	}
	defer response.Body.Close()
	body, err = io.ReadAll(io.LimitReader(response.Body, jwks.MaxDocumentBytes+1))
	return response.StatusCode, response.Header, body, err
}

// shortURL is an address without user, query and fragment.
func shortURL(place string) string {
	at, err := url.Parse(place)
	if err != nil || at.Host == "" {
		return place
	}
	return at.Scheme + "://" + at.Host + at.Path
}
