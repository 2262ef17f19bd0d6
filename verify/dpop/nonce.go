package dpop

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"time"

	"edgejwt/verify"
)

// Nonces makes and recognizes the nonces of this server (RFC 9449 §8 and §9). It keeps
// nothing for a client: a nonce is the number of a period of time with its MAC, so each
// proxy that has the secret recognizes the nonces of all others. Nonces are not changed
// and may be shared by goroutines.
type Nonces struct {
	key    []byte
	period int64 // seconds
}

const nonceMACBytes = 16

// MinSecretBytes is the least length of a secret for NewNonces.
const MinSecretBytes = 16

// NewNonces makes Nonces of a secret of at least MinSecretBytes and a period of at least
// one second. A nonce is accepted for between one and two periods after it was made. The
// result is nil for other arguments.
func NewNonces(secret []byte, period time.Duration) *Nonces {
	if len(secret) < MinSecretBytes || period < time.Second {
		return nil
	}
	// The secret may have other uses. The key is for nonces alone.
	h := hmac.New(sha256.New, secret)
	h.Write([]byte("edgejwt DPoP nonce 1"))
	return &Nonces{key: h.Sum(nil), period: int64(period / time.Second)}
}

// Current is the nonce to hand out now, in base64url.
func (n *Nonces) Current(now time.Time) string { return n.make(n.slot(now)) }

// slot is the number of the period.
func (n *Nonces) slot(now time.Time) int64 { return now.Unix() / n.period }

func (n *Nonces) make(slot int64) string {
	b := binary.BigEndian.AppendUint64(nil, uint64(slot))
	h := hmac.New(sha256.New, n.key)
	h.Write(b)
	return base64.RawURLEncoding.EncodeToString(append(b, h.Sum(nil)[:nonceMACBytes]...))
}

// age says how many periods ago the nonce was made. ok is false when it is not one of
// these nonces or not accepted any more. A nonce of the next period is accepted: it is
// from a proxy whose clock is ahead.
func (n *Nonces) age(nonce string, now time.Time) (periods int64, ok bool) {
	b, ok := verify.DecodeBase64URL(nonce)
	if !ok || len(b) != 8+nonceMACBytes {
		return 0, false
	}
	slot := int64(binary.BigEndian.Uint64(b))
	current := n.slot(now)
	if slot < current-1 || slot > current+1 {
		return 0, false
	}
	return current - slot, hmac.Equal([]byte(nonce), []byte(n.make(slot)))
}
