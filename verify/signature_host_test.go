package verify_test

import (
	"bytes"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/binary"
	"errors"
	"math/big"
	"strings"
	"testing"

	"edgejwt/internal/attacks"
	"edgejwt/verify"
)

// host is Envoy's verify_signature written again: the key is read by crypto/x509, the
// signature checked by crypto/rsa. The message is protobuf; each field is a tag, a
// length and that many bytes.
func host(message []byte) ([]byte, error) {
	fields := map[uint64][]byte{}
	for len(message) > 0 {
		tag, n := binary.Uvarint(message)
		if n <= 0 || tag&7 != 2 { // 2: a length and bytes follow
			return nil, errors.New("bad argument")
		}
		message = message[n:]
		size, n := binary.Uvarint(message)
		if n <= 0 || size > uint64(len(message)-n) {
			return nil, errors.New("bad argument")
		}
		end := n + int(size)
		fields[tag>>3], message = message[n:end], message[end:]
	}
	key, err := x509.ParsePKIXPublicKey(fields[2])
	if err != nil || string(fields[1]) != "sha256" {
		return nil, errors.New("bad argument")
	}
	digest := sha256.Sum256(fields[4])
	if rsa.VerifyPKCS1v15(key.(*rsa.PublicKey), crypto.SHA256, digest[:], fields[3]) != nil {
		return []byte("\x12\x26Failed to verify digest. Error code: 0"), nil
	}
	return []byte("\x08\x01"), nil
}

// TestHostEngine takes the signatures of the attack table through the host's
// engine and through crypto/rsa.
func TestHostEngine(t *testing.T) {
	byHost, byGo := 0, 0
	engine := verify.NewHostEngine(host, func(host bool) {
		if host {
			byHost++
		} else {
			byGo++
		}
	})
	good := 0
	for _, c := range table() {
		found, err := verify.Extract(lower(c.Headers), []verify.TokenLocation{verify.Authorization})
		if err != nil {
			continue
		}
		token, err := verify.Parse(found.Token)
		if err != nil || token.Algorithm() != verify.RS256 {
			continue
		}
		for _, kid := range published().KIDs() {
			k := publishedKey(t, kid)
			want := token.VerifySignature(verify.GoEngine, k)
			if got := token.VerifySignature(engine, k); verify.ReasonOf(got) != verify.ReasonOf(want) {
				t.Errorf("%s/%s: %v, want %v", c.Group, c.Name, got, want)
			}
			if want == nil {
				good++
			}
		}
	}
	t.Logf("%d good signatures; the host decided %d times, Go %d times", good, byHost, byGo)
	if good < 50 || byHost < 500 {
		t.Errorf("the table has %d good signatures, of %d that the host was asked about", good, byHost)
	}
}

// TestHostSurprises: what is not exactly yes or exactly no is Go's to decide.
func TestHostSurprises(t *testing.T) {
	request := valid(t)
	found, err := verify.Extract(lower(request.Headers), []verify.TokenLocation{verify.Authorization})
	if err != nil {
		t.Fatal(err)
	}
	token, err := verify.Parse(found.Token)
	if err != nil {
		t.Fatal(err)
	}
	kid, _ := token.KeyID()
	key := publishedKey(t, kid)
	no := "\x12\x26Failed to verify digest. Error code: 0"
	for _, c := range []struct {
		name, answer string
		err          error
		byHost, says bool
	}{
		{name: "yes", answer: "\x08\x01", byHost: true, says: true},
		{name: "no", answer: no, byHost: true},
		{name: "no, with its default written out", answer: "\x08\x00" + no, byHost: true},
		{name: "no such function", err: errors.New("not found"), says: true},
		{name: "an error beside a yes", answer: "\x08\x01", err: errors.New("bad argument"), says: true},
		{name: "nothing", says: true},
		{name: "false without an error", answer: "\x08\x00", says: true},
		{name: "another error", answer: "\x12\x23Failed to initialize digest verify.", says: true},
		{name: "an error that is cut", answer: no[:len(no)-1], says: true},
		{name: "an error with something behind", answer: no + "\x08\x01", says: true},
		{name: "a yes with something behind", answer: "\x08\x01\x00", says: true},
		{name: "a yes with an error", answer: "\x08\x01" + no, says: true},
		{name: "a long yes", answer: "\x08\x81\x00", says: true},
		{name: "two", answer: "\x08\x02", says: true},
		{name: "half a yes", answer: "\x08", says: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			byHost := false
			engine := verify.NewHostEngine(func([]byte) ([]byte, error) { return []byte(c.answer), c.err }, func(host bool) { byHost = host })
			err := token.VerifySignature(engine, key)
			if byHost != c.byHost || (err == nil) != c.says {
				t.Errorf("by host %v, %v; want by host %v, says %v", byHost, err, c.byHost, c.says)
			}
		})
	}
}

// lower gives headers as a host does.
func lower(headers [][2]string) (all [][2]string) {
	for _, h := range headers {
		all = append(all, [2]string{strings.ToLower(h[0]), strings.Trim(h[1], " \t")})
	}
	return all
}

// valid is a request of the table with a token that is good in every respect.
func valid(t testing.TB) attacks.Case {
	for _, c := range table() {
		if c.Group == "valid" && c.Want == verify.Accepted {
			return c
		}
	}
	t.Fatal("the table has no valid request")
	return attacks.Case{}
}

func TestProveHost(t *testing.T) {
	yes := []byte("\x08\x01")
	no := []byte("\x12\x26Failed to verify digest. Error code: 0")
	calls := 0
	for _, c := range []struct {
		name string
		call verify.HostCall
		want bool
	}{
		{"an honest host", host, true},
		{"always yes", func([]byte) ([]byte, error) { return yes, nil }, false},
		{"always no", func([]byte) ([]byte, error) { return no, nil }, false},
		{"always nothing", func([]byte) ([]byte, error) { return nil, nil }, false},
		{"no such function", func([]byte) ([]byte, error) { return nil, errors.New("not found") }, false},
		{"blind to the text", func(m []byte) ([]byte, error) {
			if calls++; calls <= 2 {
				return yes, nil
			}
			return host(m)
		}, false},
		{"blind to the signature", func(m []byte) ([]byte, error) {
			if calls++; calls != 2 {
				return yes, nil
			}
			return no, nil
		}, false},
	} {
		calls = 0
		if got := verify.ProveHost(c.call); got != c.want {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}

// TestHostKey: the host gets the key as crypto/x509 writes it.
func TestHostKey(t *testing.T) {
	for _, size := range []int{2048, 2049, 2055, 3072, 4096, 8192} {
		for _, exponent := range []int{3, 255, 65537, 1<<31 - 1} {
			n := new(big.Int).SetBit(new(big.Int).Lsh(big.NewInt(1), uint(size-1)), 0, 1)
			public := &rsa.PublicKey{N: n, E: exponent}
			key, err := verify.NewKey("", "", public)
			if err != nil {
				t.Fatal(err)
			}
			want, err := x509.MarshalPKIXPublicKey(public)
			if err != nil {
				t.Fatal(err)
			}
			asked := false
			engine := verify.NewHostEngine(func(m []byte) ([]byte, error) {
				asked = bytes.Contains(m, want)
				return nil, nil
			}, func(bool) {})
			_, _ = engine(verify.RS256, key, "text", make([]byte, public.Size()))
			if !asked {
				t.Errorf("%d bits, exponent %d: another key", size, exponent)
			}
		}
	}
}
