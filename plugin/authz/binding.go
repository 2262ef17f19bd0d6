package authz

import (
	"strings"
	"time"

	"edgejwt/verify"
)

// Host is what a decision asks of the proxy, apart from the headers. Its methods are
// called while the context of the request's stream is in effect.
type Host interface {
	// PeerCertificateDigest is the SHA-256 digest of the DER of the client's certificate,
	// in hexadecimal: that of the TLS connection which carries the request. It is empty
	// without a certificate.
	PeerCertificateDigest() (string, error)
}

// SetHost sets what decisions ask. Without it, no client has a certificate. It is called
// before the first decision.
func (a *Authorizer) SetHost(h Host) { a.host = h }

// proof is what a request presents besides its token, until the token's binding is checked.
type proof struct {
	forwarded string // x-forwarded-client-cert, if elements of it are trusted
}

// detach releases the headers, of which the texts are parts.
func (p *proof) detach() {
	p.forwarded = strings.Clone(p.forwarded)
}

// binding checks that the request proves what the token is bound to. It comes after the
// signature, because only a valid token says what it is bound to.
func (d *Decision) binding(*request, time.Time) {
	var b *verify.Binding
	if d.cached != nil {
		b = &d.cached.binding
	} else {
		own := d.token.Binding()
		b = &own
	}
	var presented verify.Presentation
	if b.ToCertificate() && d.issuer.binding != verify.Ignore {
		var digest verify.Thumbprint
		has, err := d.certificate(&digest)
		switch {
		case err != nil:
			d.decide(verify.Internal, err)
			return
		case has:
			presented.Certificate = &digest
		}
	}
	if _, err := d.issuer.binding.Check(b, presented); err != nil {
		d.fail(err)
	}
}

// certificate reads the digest of the client's certificate. If a proxy in front ends TLS,
// that is the one that it forwards, and never the one of the connection, which is its own.
func (d *Decision) certificate(digest *verify.Thumbprint) (has bool, err error) {
	if d.authz.trustedXFCC > 0 {
		*digest, has = verify.ForwardedCertificate(d.proof.forwarded, d.authz.trustedXFCC)
		return has, nil
	}
	if d.authz.host == nil {
		return false, nil
	}
	text, err := d.authz.host.PeerCertificateDigest()
	if err != nil {
		return false, err
	}
	*digest, has = verify.ParseCertificateDigest(text)
	return has, nil
}
