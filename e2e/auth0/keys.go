package auth0

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/big"
	"net/http"
	"slices"
	"sync"
	"time"
)

// signingKey is one RSA key of the tenant.
type signingKey struct {
	kid     string
	private *rsa.PrivateKey
	jwk     jwk
}

// jwk has Auth0's members in Auth0's order (RFC 7517 §4).
type jwk struct {
	Kty string   `json:"kty"`
	Use string   `json:"use"`
	N   string   `json:"n"`
	E   string   `json:"e"`
	Kid string   `json:"kid"`
	X5t string   `json:"x5t"`
	X5c []string `json:"x5c"`
	Alg string   `json:"alg"`
}

// keyRing holds the keys that the tenant publishes: the current one, the next
// one (published early, so that verifiers know it before it signs), and those
// that signed before and have not been withdrawn.
type keyRing struct {
	domain   string
	current  signingKey
	next     signingKey
	previous []signingKey // newest first
}

func (r *keyRing) init(domain string) (err error) {
	r.domain = domain
	if r.current, err = r.make(""); err != nil {
		return err
	}
	r.next, err = r.make("")
	return err
}

// make takes a key from the pool; kid "" draws a fresh one.
func (r *keyRing) make(kid string) (signingKey, error) {
	private := <-pool()
	if kid == "" {
		id := make([]byte, 16)
		rand.Read(id)
		kid = base64.RawURLEncoding.EncodeToString(id)[:21]
	}
	der, err := selfSigned(r.domain, private)
	if err != nil {
		return signingKey{}, err
	}
	thumb := sha1.Sum(der) // x5t is SHA-1 by definition (RFC 7517 §4.8)
	return signingKey{kid: kid, private: private, jwk: jwk{
		Kty: "RSA", Use: "sig",
		N:   base64.RawURLEncoding.EncodeToString(private.N.Bytes()),
		E:   base64.RawURLEncoding.EncodeToString(big.NewInt(int64(private.E)).Bytes()),
		Kid: kid,
		X5t: base64.RawURLEncoding.EncodeToString(thumb[:]),
		X5c: []string{base64.StdEncoding.EncodeToString(der)},
		Alg: "RS256",
	}}, nil
}

// published lists the keys in the order in which Auth0 shows them.
func (r *keyRing) published() []signingKey {
	return append([]signingKey{r.current, r.next}, r.previous...)
}

// Rotate does what "Rotate signing key" does at Auth0: the next key becomes the
// current one, a new next one is made, and the former current one stays
// published until Withdraw. It returns the kid that signs from now on.
func (s *Server) Rotate() (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.keys.advance(nil)
}

// RotateUnseen makes a key that no verifier can have seen the current one, at
// once, and returns its kid. The next key stays next.
func (s *Server) RotateUnseen() (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	k, err := s.keys.make("")
	if err != nil {
		return "", err
	}
	return s.keys.advance(&k)
}

func (r *keyRing) advance(unseen *signingKey) (string, error) {
	if unseen != nil {
		r.previous = append([]signingKey{r.current}, r.previous...)
		r.current = *unseen
		return r.current.kid, nil
	}
	next, err := r.make("")
	if err != nil {
		return "", err
	}
	r.previous = append([]signingKey{r.current}, r.previous...)
	r.current, r.next = r.next, next
	return r.current.kid, nil
}

// Withdraw takes a key out of the published set at once. If it was the current
// or the next one, its place is filled as by Rotate. An unknown kid is an error.
func (s *Server) Withdraw(kid string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := &s.keys
	switch kid {
	case r.current.kid:
		if _, err := r.advance(nil); err != nil {
			return err
		}
	case r.next.kid:
		next, err := r.make("")
		if err != nil {
			return err
		}
		r.next = next
		return nil
	}
	before := len(r.previous)
	r.previous = slices.DeleteFunc(r.previous, func(k signingKey) bool { return k.kid == kid })
	if len(r.previous) == before {
		return fmt.Errorf("no published key has kid %q", kid)
	}
	return nil
}

// Replace gives the current key new material under the same kid, as some
// providers do.
func (s *Server) Replace() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	k, err := s.keys.make(s.keys.current.kid)
	if err != nil {
		return err
	}
	s.keys.current = k
	return nil
}

// KIDs lists the published keys: the current one, the next one, former ones.
func (s *Server) KIDs() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var kids []string
	for _, k := range s.keys.published() {
		kids = append(kids, k.kid)
	}
	return kids
}

// KeySet is the document that the key endpoint serves now.
func (s *Server) KeySet() []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.keySet()
}

func (s *Server) keySet() []byte {
	set := struct {
		Keys []jwk `json:"keys"`
	}{}
	for _, k := range s.keys.published() {
		set.Keys = append(set.Keys, k.jwk)
	}
	doc, _ := json.Marshal(set)
	return doc
}

func (s *Server) serveKeys(w http.ResponseWriter, r *http.Request) {
	fetch, done, answered := s.meet(keysEndpoint, w, r)
	defer done()
	if answered {
		return
	}
	s.mu.Lock()
	doc := s.keySet()
	fetch.Read = time.Now()
	s.mu.Unlock()
	h := w.Header()
	h.Set("Content-Type", "application/json; charset=utf-8")
	if s.opts.CacheControl != "-" {
		h.Set("Cache-Control", s.opts.CacheControl)
	}
	if s.opts.ETag {
		sum := sha256.Sum256(doc)
		tag := fmt.Sprintf("%q", base64.RawURLEncoding.EncodeToString(sum[:12]))
		h.Set("ETag", tag)
		if r.Header.Get("If-None-Match") == tag {
			w.WriteHeader(http.StatusNotModified)
			return
		}
	}
	w.Write(doc)
}

// pool hands out RSA keys made ahead of need: a 2048-bit key takes a good part
// of a second, and a test that rotates must not wait for it. Two are made ahead
// once the first is asked for.
var pool = sync.OnceValue(func() <-chan *rsa.PrivateKey {
	keys := make(chan *rsa.PrivateKey, 2)
	go func() {
		for {
			k, err := rsa.GenerateKey(rand.Reader, 2048)
			if err != nil {
				panic(err) // crypto/rand does not fail
			}
			keys <- k
		}
	}()
	return keys
})
