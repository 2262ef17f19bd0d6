// Package base64url reads and writes the base64url of RFC 7515 §2: no padding,
// no white space, and one spelling only of every byte sequence.
//
// encoding/base64 would do, but skips line breaks, which then have to be looked
// for first, and is eight times as large as this.
package base64url

const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

// Decode gives the bytes that text stands for. It refuses what Encode
// would not write: another byte, a length that is none, and bits that belong to
// no byte (RFC 4648 §3.5). Two spellings of one signature would be two tokens to
// a cache and to a revocation list.
func Decode(text string) (decoded []byte, ok bool) {
	if len(text)%4 == 1 {
		return nil, false
	}
	decoded = make([]byte, len(text)*3/4)
	at := 0
	for ; len(text) >= 4; text = text[4:] {
		a, b, c, d := values[text[0]], values[text[1]], values[text[2]], values[text[3]]
		if (a|b|c|d)&invalid != 0 {
			return nil, false
		}
		bits := uint32(a)<<18 | uint32(b)<<12 | uint32(c)<<6 | uint32(d)
		three := decoded[at : at+3 : len(decoded)]
		three[0], three[1], three[2] = byte(bits>>16), byte(bits>>8), byte(bits)
		at += 3
	}
	bits, n := uint32(0), 0 // those that are not in decoded yet, and how many
	for i := range len(text) {
		v := values[text[i]]
		if v == invalid {
			return nil, false
		}
		bits, n = bits<<6|uint32(v), n+6
		if n >= 8 {
			n -= 8
			decoded[at] = byte(bits >> n)
			at++
		}
	}
	if bits&(1<<n-1) != 0 {
		return nil, false
	}
	return decoded, true
}

// Encode gives the text that stands for data.
func Encode(data []byte) string {
	text := make([]byte, 0, (len(data)*4+2)/3)
	bits, n := uint32(0), 0 // those that are not in text yet, and how many
	for _, c := range data {
		bits, n = bits<<8|uint32(c), n+8
		for n >= 6 {
			n -= 6
			text = append(text, alphabet[bits>>n&63])
		}
	}
	if n > 0 {
		text = append(text, alphabet[bits<<(6-n)&63])
	}
	return string(text)
}

// invalid has a bit that no place in the alphabet has.
const invalid = 0x80

// values gives each byte of the alphabet its place there.
var values = func() (values [256]byte) {
	for i := range values {
		values[i] = invalid
	}
	for i := range len(alphabet) {
		values[alphabet[i]] = byte(i)
	}
	return values
}()
