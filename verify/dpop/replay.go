package dpop

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"math"
	"time"

	"edgejwt/verify"
)

// The replay memory holds the proofs that are still accepted, so that each can be used
// once (RFC 9449 §11.1). It is a fixed number of buckets. Each bucket is a value of
// its own in memory that all workers share, and is replaced by compare-and-swap:
//
//	bucket, version := get(proof.ID.Bucket(buckets))
//	bucket, err := Insert(bucket, &proof, now)
//	swap(bucket, version)
//
// When the swap fails, another worker has changed the bucket: the caller reads it again
// and repeats Insert. A request whose proof is not recorded in the end must be refused.
//
// Buckets have no MAC, as other records in shared data do. Whoever can write them, another
// plugin in the same proxy, could undo that by writing an older one, and sees each request
// with its token and proof anyway.

// Bounds of the replay memory.
const (
	// BucketEntries is the greatest number of proofs in a bucket.
	BucketEntries = (MaxBucketBytes - len(bucketMagic)) / entryBytes
	// MaxBucketBytes bounds the encoding of a bucket.
	MaxBucketBytes = 1 << 10

	// meanEntries is the number of proofs in a bucket that Buckets plans for. Hashes
	// spread proofs unevenly: at this mean a bucket is hardly ever full.
	meanEntries = 20

	bucketMagic = "ejd\x01" // the last byte is the version of the encoding
	hashBytes   = 16
	entryBytes  = hashBytes + 4 // hash, and the second after which it is dropped
)

// The errors of Insert. Only the first two are the client's fault.
var (
	ErrReplayed      = errors.New("the proof has been used before")
	ErrExpired       = errors.New("the proof has expired")
	ErrBucketFull    = errors.New("the replay memory is full")
	ErrBucketCorrupt = errors.New("the replay memory is damaged")
)

// ID identifies a proof: a SHA-256 digest of its key's thumbprint and its "jti".
type ID [sha256.Size]byte

func newID(key *verify.Thumbprint, jti string) ID {
	return sha256.Sum256(append(key[:len(key):len(key)], jti...)) // the thumbprint's length is fixed
}

// Bucket is the index of the ID's bucket among that many, which must be at least 1.
func (id *ID) Bucket(buckets int) int {
	return int(binary.BigEndian.Uint64(id[hashBytes:]) % uint64(buckets))
}

// Buckets is how many buckets a replay memory needs for that many proofs at a time: the
// proofs per second times the seconds for which a proof is accepted. The memory takes at
// most MaxBucketBytes for each bucket.
func Buckets(proofs int) int {
	return max(1, (proofs+meanEntries-1)/meanEntries)
}

// Insert returns the bucket with the proof added and without the entries that have
// expired. An empty bucket is one without entries. The argument is neither changed nor
// kept. Errors: ErrReplayed, ErrExpired, ErrBucketFull, ErrBucketCorrupt; the result is nil
// then.
func Insert(bucket []byte, proof *Proof, now time.Time) ([]byte, error) {
	at, expires := now.Unix(), min(proof.Expires, math.MaxUint32)
	if at > expires { // nothing would remember it
		return nil, ErrExpired
	}
	entries := []byte(nil)
	if len(bucket) > 0 {
		var ok bool
		entries, ok = bytes.CutPrefix(bucket, []byte(bucketMagic))
		if !ok || len(entries)%entryBytes != 0 || len(bucket) > MaxBucketBytes {
			return nil, ErrBucketCorrupt
		}
	}
	inserted := append(make([]byte, 0, len(bucketMagic)+len(entries)+entryBytes), bucketMagic...)
	for ; len(entries) > 0; entries = entries[entryBytes:] {
		entry := entries[:entryBytes]
		if at > int64(binary.BigEndian.Uint32(entry[hashBytes:])) {
			continue
		}
		if bytes.Equal(entry[:hashBytes], proof.ID[:hashBytes]) {
			return nil, ErrReplayed
		}
		inserted = append(inserted, entry...)
	}
	if len(inserted)+entryBytes > MaxBucketBytes {
		return nil, ErrBucketFull
	}
	inserted = append(inserted, proof.ID[:hashBytes]...)
	return binary.BigEndian.AppendUint32(inserted, uint32(max(expires, 0))), nil
}
