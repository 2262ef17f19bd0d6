package verify

import (
	"crypto/subtle"
	"encoding/hex"

	"edgejwt/verify/strictjson"
)

// SenderConstraint says what an issuer's rule demands of a token's binding. A bound
// token has a "cnf" claim (RFC 7800 §3.1): only who holds the key may use it.
type SenderConstraint uint8

const (
	// WhenBound: a bound token needs the proof, an unbound one needs none. This is the
	// default. A bound token that passed without a proof would be a downgrade, which
	// RFC 9449 §7.2 and RFC 8705 §3 forbid.
	WhenBound SenderConstraint = iota
	// Required: every token must be bound and needs the proof.
	Required
	// Ignore: no token needs a proof. "cnf" is not looked at.
	Ignore
)

// Binding is what a token's "cnf" claim binds it to. The zero value is that of a token
// without the claim. A Binding is not changed and may be shared by goroutines.
type Binding struct {
	key, certificate       Thumbprint
	hasKey, hasCertificate bool
	// unprovable: "cnf" is not an object, is empty, or has a member that is not known
	// or has no valid value. Nothing that a request carries proves such a binding.
	unprovable bool
}

// Binding reads the token's "cnf" claim. Known members are "jkt" (RFC 9449 §6.1) and
// "x5t#S256" (RFC 8705 §3.1). RFC 7800 §3.1 lets applications ignore other members. This
// package does not: a token whose binding nobody checks would be a bearer token.
func (t *Token) Binding() (b Binding) {
	cnf, has := t.Claim("cnf")
	if !has {
		return b
	}
	b.unprovable = cnf.Kind != strictjson.Object || len(cnf.Children) == 0
	for i := range cnf.Children {
		member := &cnf.Children[i]
		var ok bool
		switch member.Name {
		case "jkt":
			b.key, ok = thumbprintMember(member)
			b.hasKey = ok
		case "x5t#S256":
			b.certificate, ok = thumbprintMember(member)
			b.hasCertificate = ok
		}
		b.unprovable = b.unprovable || !ok
	}
	return b
}

// thumbprintMember reads a digest in base64url.
func thumbprintMember(member *strictjson.Value) (print Thumbprint, ok bool) {
	if member.Kind != strictjson.String {
		return print, false
	}
	digest, ok := DecodeBase64URL(member.Text)
	if !ok || len(digest) != len(print) {
		return print, false
	}
	return Thumbprint(digest), true
}

// Bound reports whether the token has a "cnf" claim, whatever its value.
func (b *Binding) Bound() bool { return b.hasKey || b.hasCertificate || b.unprovable }

// To names what the token is bound to, for messages. It quotes nothing of the token.
func (b *Binding) To() string {
	switch {
	case b.unprovable:
		return "something that cannot be proven here (cnf)"
	case b.hasKey && b.hasCertificate:
		return "a key (cnf.jkt) and a client certificate (cnf.x5t#S256)"
	case b.hasKey:
		return "a key (cnf.jkt)"
	case b.hasCertificate:
		return "a client certificate (cnf.x5t#S256)"
	}
	return "nothing"
}

// ToCertificate reports whether the token is bound to a client certificate.
func (b *Binding) ToCertificate() bool { return b.hasCertificate }

// Presentation says how a request presents its token.
type Presentation struct {
	// DPoP: the token came with the authentication scheme DPoP (RFC 9449 §7.1).
	DPoP bool
	// Certificate is the thumbprint of the client's certificate, or nil without one.
	Certificate *Thumbprint
}

// The errors of Check, each with the Reason of its name. ErrBindingMissing: the token needs a proof that the request does not carry, or that no
// request can carry. ErrBindingMismatch: the proof is for another key or certificate.
var (
	ErrBindingMissing  = refuse(BindingMissing, "the token needs a proof of possession that the request lacks")
	ErrBindingMismatch = refuse(BindingMismatch, "the token is bound to another key or certificate")
)

// Check decides whether a token with the binding may be used as the request presents it.
// On success, a key that is not nil is what remains to be proven: the request must carry
// a DPoP proof that was made with that key (package dpop), or it must be refused. The
// error is ErrBindingMissing or ErrBindingMismatch; key is nil then.
//
// A token that came with the scheme DPoP must be bound to a key, except with Ignore.
// RFC 9449 §7.1 allows that scheme for no other token.
func (s SenderConstraint) Check(b *Binding, p Presentation) (key *Thumbprint, err error) {
	switch {
	case s == Ignore:
		return nil, nil
	case b.unprovable:
		return nil, ErrBindingMissing
	case s != WhenBound && !b.Bound(): // Required, and values that are none of the three
		return nil, ErrBindingMissing
	case b.hasKey != p.DPoP:
		return nil, ErrBindingMissing
	}
	if b.hasCertificate {
		if p.Certificate == nil {
			return nil, ErrBindingMissing
		}
		if !b.certificate.Equal(p.Certificate) {
			return nil, ErrBindingMismatch
		}
	}
	if b.hasKey {
		return &b.key, nil
	}
	return nil, nil
}

// Equal compares in constant time.
func (t *Thumbprint) Equal(other *Thumbprint) bool {
	return subtle.ConstantTimeCompare(t[:], other[:]) == 1
}

// ParseCertificateDigest reads the SHA-256 digest of a certificate's DER in hexadecimal,
// which is how Envoy spells it, in the property connection.sha256_peer_certificate_digest
// and in the header x-forwarded-client-cert. ok is false for every other text.
func ParseCertificateDigest(text string) (digest Thumbprint, ok bool) {
	if len(text) != hex.EncodedLen(len(digest)) {
		return Thumbprint{}, false
	}
	if _, err := hex.Decode(digest[:], []byte(text)); err != nil {
		return Thumbprint{}, false
	}
	return digest, true
}
