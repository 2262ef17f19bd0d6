package jwks

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"strconv"
)

// record is what all workers of a process know about one source. It is in shared
// data and is replaced as a whole by compare-and-swap. It holds what happened and
// not what follows from it, so workers with different policies can share it.
//
// Other plugins may be able to write to shared data, so a record ends with a MAC
// (RFC 2104): see Policy.RecordKey. README.md says what it protects from.
//
// Times are wall time in Unix milliseconds. They are compared with a deadline only
// after conversion to a Source's clock: see freshness.go.
type record struct {
	sequence uint64 // grows by one with each write
	written  int64  // time of this write

	generation   uint64 // grows by one with each change of the set
	set          []byte // the set, by AppendJSON; empty: none yet
	confirmed    int64  // last successful fetch of the set; 0: none yet
	lifetime     int64  // freshness lifetime in seconds, or noLifetime
	etag         string // validators of the set (RFC 9110 §8.8)
	lastModified string
	skipped      uint64 // hash of the unusable keys that were warned of

	attempts   uint64 // finished fetches
	attempted  int64  // end of the last one
	failures   uint32 // failed fetches since the last successful one
	early      bool   // the last fetch was an early refetch
	lastError  Error  // of the last fetch, if it failed
	warned     uint64 // errors warned of since the last successful fetch, one bit each
	retryAfter int64  // milliseconds: the provider's Retry-After
	jitter     uint32 // random; see Source.jittered

	earlyFetches   uint64 // number of early refetches
	lastEarlyFetch int64  // start of the last one

	lease lease

	uri             string // discovered jwks_uri
	discovered      int64  // end of the last discovery
	discoveryFailed bool   // whether it failed

	rejectWarned int64 // last warning of a rejected record
}

// lease says which worker fetches. Each worker counts its duration from when it
// first sees the ticket, so a jump of the wall clock does not change it.
type lease struct {
	owner  uint64
	ticket uint64 // 0: nobody fetches
	from   int64  // start of the fetch, or of the last one that finished
	lasts  int64  // milliseconds
	early  bool   // for an early refetch
}

// confirmedAfter reports whether a record's set was confirmed later than another's.
// Workers whose clocks differ write slightly different times for one confirmation.
func (r *record) confirmedAfter(other *record) bool {
	const noise = 1000
	return r.confirmed > other.confirmed+noise || r.confirmed > other.confirmed-noise && r.attempts > other.attempts
}

const recordMagic = "ejwk"

// RecordFormat is the version of the records' encoding. Make it a part of the name
// under which a record is stored, so that two versions of the plugin do not replace
// each other's records.
const RecordFormat = 6

// mac is the end of a record: HMAC-SHA256 of all bytes before it.
type mac [sha256.Size]byte

// recordKey is the key of a source's MACs. It depends on the source, so the record of
// one source is not valid for another.
func recordKey(secret []byte, source string) []byte {
	h := hmac.New(sha256.New, secret)
	h.Write([]byte("edgejwt record " + strconv.Itoa(RecordFormat) + " " + source))
	return h.Sum(nil)
}

func authenticate(key, b []byte) (m mac) {
	h := hmac.New(sha256.New, key)
	h.Write(b)
	h.Sum(m[:0])
	return m
}

// Bounds on a record, in bytes: a damaged one must not allocate much.
const (
	maxTextField   = 4096
	maxRecordBytes = 2 * MaxDocumentBytes
)

// encode gives the record's bytes, and its MAC, which they end with: magic, format,
// the fields in order (integers as varints), MAC.
func (r *record) encode(key []byte) ([]byte, mac) {
	b := append([]byte(recordMagic), RecordFormat)
	for _, v := range []uint64{r.sequence, r.generation, r.skipped, r.attempts, uint64(r.failures),
		uint64(r.lastError), r.warned, uint64(r.jitter), r.lease.owner, r.lease.ticket, r.earlyFetches} {
		b = binary.AppendUvarint(b, v)
	}
	for _, v := range []int64{r.written, r.confirmed, r.lifetime, r.attempted, r.retryAfter, r.lastEarlyFetch,
		r.lease.from, r.lease.lasts, r.discovered, r.rejectWarned} {
		b = binary.AppendVarint(b, v)
	}
	flags := byte(0)
	for i, set := range []bool{r.early, r.lease.early, r.discoveryFailed} {
		if set {
			flags |= 1 << i
		}
	}
	b = append(b, flags)
	for _, s := range []string{r.etag, r.lastModified, r.uri, string(r.set)} {
		b = binary.AppendUvarint(b, uint64(len(s)))
		b = append(b, s...)
	}
	m := authenticate(key, b)
	return append(b, m[:]...), m
}

// decodeRecord reads what encode wrote with this key. Each record has one encoding;
// all other bytes are refused. The record does not refer to b. The set is not
// parsed.
func decodeRecord(b, key []byte) (*record, mac, bool) {
	const head = len(recordMagic) + 1
	if len(b) > maxRecordBytes || len(b) < head+sha256.Size || string(b[:len(recordMagic)]) != recordMagic || b[len(recordMagic)] != RecordFormat {
		return nil, mac{}, false
	}
	end := len(b) - sha256.Size
	m := authenticate(key, b[:end])
	if !hmac.Equal(m[:], b[end:]) {
		return nil, mac{}, false
	}
	d := decoder{rest: b[head:end]}
	r := new(record)
	var failures, lastError, jitter uint64
	for _, v := range []*uint64{&r.sequence, &r.generation, &r.skipped, &r.attempts, &failures,
		&lastError, &r.warned, &jitter, &r.lease.owner, &r.lease.ticket, &r.earlyFetches} {
		*v = d.uint()
	}
	for _, v := range []*int64{&r.written, &r.confirmed, &r.lifetime, &r.attempted, &r.retryAfter, &r.lastEarlyFetch,
		&r.lease.from, &r.lease.lasts, &r.discovered, &r.rejectWarned} {
		*v = d.int()
	}
	flags := d.byte()
	r.early, r.lease.early, r.discoveryFailed = flags&1 != 0, flags&2 != 0, flags&4 != 0
	for _, s := range []*string{&r.etag, &r.lastModified, &r.uri} {
		*s = string(d.bytes(maxTextField))
	}
	r.set = append([]byte(nil), d.bytes(maxRecordBytes)...)
	if d.bad || len(d.rest) > 0 || failures > 1<<32-1 || jitter > 1<<32-1 || lastError >= uint64(errorEnd) || flags > 7 ||
		r.lifetime < noLifetime || r.retryAfter < 0 || r.retryAfter > maxRetryAfter.Milliseconds() ||
		r.lease.lasts < 0 || r.lease.lasts > maxLease.Milliseconds() || !validTimes(r.written, r.confirmed, r.attempted, r.lastEarlyFetch, r.lease.from, r.discovered, r.rejectWarned) {
		return nil, mac{}, false
	}
	r.failures, r.lastError, r.jitter = uint32(failures), Error(lastError), uint32(jitter)
	return r, m, true
}

// validTimes bounds times, so that differences between them do not overflow.
func validTimes(times ...int64) bool {
	const year3000 = 32503680000000
	for _, t := range times {
		if t < 0 || t > year3000 {
			return false
		}
	}
	return true
}

// decoder reads one field after another. After the first error it gives zeros.
type decoder struct {
	rest []byte
	bad  bool
}

func (d *decoder) take(n int) []byte {
	if d.bad || n < 0 || n > len(d.rest) {
		d.bad = true
		return nil
	}
	field := d.rest[:n]
	d.rest = d.rest[n:]
	return field
}

func (d *decoder) byte() byte {
	if b := d.take(1); b != nil {
		return b[0]
	}
	return 0
}

func (d *decoder) uint() uint64 {
	v, n := binary.Uvarint(d.rest)
	if n <= 0 || n > 1 && d.rest[n-1] == 0 { // a longer encoding of the same number
		d.bad = true
		return 0
	}
	d.take(n)
	return v
}

func (d *decoder) int() int64 {
	u := d.uint()
	return int64(u>>1) ^ -int64(u&1)
}

func (d *decoder) bytes(most int) []byte {
	n := d.uint()
	if n > uint64(most) {
		d.bad = true
		return nil
	}
	return d.take(int(n))
}

// hash is FNV-1a. It is not cryptographic: use it only where a collision does no harm.
func hash(b []byte) uint64 {
	h := uint64(14695981039346656037)
	for _, c := range b {
		h = (h ^ uint64(c)) * 1099511628211
	}
	return h
}
