package dpop

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"edgejwt/verify"
)

func proofNumber(n int, expires int64) *Proof {
	return &Proof{ID: sha256.Sum256(binary.BigEndian.AppendUint64(nil, uint64(n))), Expires: expires}
}

func TestInsert(t *testing.T) {
	at := time.Unix(1_800_000_000, 0)
	later := func(seconds int64) time.Time { return time.Unix(at.Unix()+seconds, 999_999_999) }
	first := proofNumber(1, at.Unix()+65)
	bucket, err := Insert(nil, first, at)
	if err != nil {
		t.Fatal(err)
	}
	before := bytes.Clone(bucket)
	for _, c := range []struct {
		name   string
		bucket []byte
		proof  *Proof
		at     time.Time
		want   error
	}{
		{"the same", bucket, first, at, ErrReplayed},
		{"the same in its last second", bucket, first, later(65), ErrReplayed},
		{"the same with a later expiry", bucket, proofNumber(1, at.Unix()+500), later(65), ErrReplayed},
		{"the same when it has expired", bucket, first, later(66), ErrExpired},
		{"the same with a later expiry when it has expired", bucket, proofNumber(1, at.Unix()+500), later(66), nil},
		{"another", bucket, proofNumber(2, at.Unix()+65), at, nil},
		{"an empty bucket", []byte{}, first, at, nil},
		{"without its last byte", bucket[:len(bucket)-1], proofNumber(2, at.Unix()), at, ErrBucketCorrupt},
		{"with a byte more", append(bytes.Clone(bucket), 0), proofNumber(2, at.Unix()), at, ErrBucketCorrupt},
		{"of another version", append([]byte("ejd\x02"), bucket[4:]...), proofNumber(2, at.Unix()), at, ErrBucketCorrupt},
		{"of something else", []byte("null"), first, at, ErrBucketCorrupt},
		{"cut in the name", []byte("ejd"), first, at, ErrBucketCorrupt},
		{"too long", append([]byte(bucketMagic), make([]byte, (BucketEntries+1)*entryBytes)...), first, at, ErrBucketCorrupt},
	} {
		got, err := Insert(c.bucket, c.proof, c.at)
		if !errors.Is(err, c.want) || (err == nil) == (got == nil) {
			t.Errorf("%s: %x, %v; want %v", c.name, got, err, c.want)
		}
		if err != nil {
			continue
		}
		if _, err := Insert(got, c.proof, c.at); !errors.Is(err, ErrReplayed) {
			t.Errorf("%s: inserted twice: %v", c.name, err)
		}
	}
	if !bytes.Equal(bucket, before) {
		t.Error("Insert changed its argument")
	}
	if got, _ := Insert(bucket, proofNumber(2, at.Unix()+66), later(66)); len(got) != len(bucket) {
		t.Errorf("%d bytes: the expired entry is still there", len(got))
	}
	// Far beyond what four bytes hold, an entry stays as long as they do.
	if got, err := Insert(nil, proofNumber(3, 1<<40), at); err != nil || binary.BigEndian.Uint32(got[len(got)-4:]) != 1<<32-1 {
		t.Errorf("%x, %v", got, err)
	}
}

func TestBucketIsFull(t *testing.T) {
	at := time.Unix(1_800_000_000, 0)
	var bucket []byte
	for i := range BucketEntries {
		var err error
		if bucket, err = Insert(bucket, proofNumber(i, at.Unix()+int64(i)), at); err != nil {
			t.Fatalf("proof %d: %v", i, err)
		}
	}
	if len(bucket) > MaxBucketBytes {
		t.Fatalf("%d bytes", len(bucket))
	}
	extra := proofNumber(-1, at.Unix()+100)
	if _, err := Insert(bucket, extra, at); !errors.Is(err, ErrBucketFull) {
		t.Errorf("one too many: %v", err)
	}
	for i := range BucketEntries {
		if _, err := Insert(bucket, proofNumber(i, at.Unix()), at); !errors.Is(err, ErrReplayed) {
			t.Errorf("proof %d in a full bucket: %v", i, err)
		}
	}
	if _, err := Insert(bucket, extra, at.Add(time.Second)); err != nil {
		t.Errorf("after the first entry has expired: %v", err)
	}
}

// sharedData is the host's compare-and-swap (the version is 0 for an absent key).
type sharedData struct {
	sync.Mutex
	values   map[int][]byte
	versions map[int]int
}

func (s *sharedData) get(key int) ([]byte, int) {
	s.Lock()
	defer s.Unlock()
	return s.values[key], s.versions[key]
}

func (s *sharedData) swap(key int, value []byte, version int) bool {
	s.Lock()
	defer s.Unlock()
	if s.versions[key] != version {
		return false
	}
	s.values[key], s.versions[key] = value, version+1
	return true
}

// use records a proof as a worker does, with as many tries as it takes.
func (s *sharedData) use(proof *Proof, buckets int, at time.Time) error {
	for {
		key := proof.ID.Bucket(buckets)
		bucket, version := s.get(key)
		bucket, err := Insert(bucket, proof, at)
		if err != nil {
			return err
		}
		if s.swap(key, bucket, version) {
			return nil
		}
	}
}

// TestWorkersShareTheMemory: of the same proof, sent many times at once, one is accepted,
// and all distinct proofs are.
func TestWorkersShareTheMemory(t *testing.T) {
	const workers, distinct, repeats = 4, 10_000, 1_000
	at := time.Unix(1_800_000_000, 0)
	s := &sharedData{values: map[int][]byte{}, versions: map[int]int{}}
	buckets := Buckets(distinct)
	var accepted [workers]int
	var wait sync.WaitGroup
	for w := range workers {
		wait.Go(func() {
			for range repeats / workers {
				if err := s.use(proofNumber(-7, at.Unix()+65), buckets, at); err == nil {
					accepted[w]++
				} else if !errors.Is(err, ErrReplayed) {
					t.Error(err)
				}
			}
			for i := w; i < distinct; i += workers {
				if err := s.use(proofNumber(i, at.Unix()+65), buckets, at); err != nil {
					t.Errorf("proof %d: %v", i, err)
				}
			}
		})
	}
	wait.Wait()
	if sum := accepted[0] + accepted[1] + accepted[2] + accepted[3]; sum != 1 {
		t.Errorf("one proof was accepted %d times", sum)
	}
}

// TestMemoryIsBounded: at the number of proofs that a memory is made for, no bucket is
// full, and the memory never takes more than it says.
func TestMemoryIsBounded(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for _, proofs := range []int{1, 100, 10_000, 200_000} {
		buckets := Buckets(proofs)
		perBucket := make([]int, buckets)
		for range proofs {
			var id ID
			for i := range id {
				id[i] = byte(random.Uint32())
			}
			perBucket[id.Bucket(buckets)]++
		}
		for i, n := range perBucket {
			if n > BucketEntries {
				t.Errorf("%d proofs in %d buckets: %d in bucket %d", proofs, buckets, n, i)
			}
		}
		if bytes := buckets * MaxBucketBytes; bytes > 1024+proofs*60 {
			t.Errorf("%d proofs take up to %d bytes", proofs, bytes)
		}
	}
	if Buckets(0) != 1 || Buckets(-5) != 1 {
		t.Error("a memory without a bucket")
	}
}

// TestIDs: each key has its own space of jti.
func TestIDs(t *testing.T) {
	seen := map[ID]string{}
	for _, key := range []verify.Thumbprint{{}, {1}, {31: 1}} {
		for _, jti := range []string{"", "a", "b", "aa", "\x00", "\x01"} {
			name := fmt.Sprintf("%x %q", key, jti)
			id := newID(&key, jti)
			if other, is := seen[id]; is {
				t.Errorf("%s and %s have one ID", name, other)
			}
			if id != newID(&key, jti) {
				t.Errorf("%s has two IDs", name)
			}
			seen[id] = name
		}
	}
}

// FuzzInsert compares a bucket with a map over a history of proofs.
func FuzzInsert(f *testing.F) {
	f.Add([]byte{1, 5, 0, 1, 5, 0, 2, 1, 3, 1, 9, 9})
	f.Add(bytes.Repeat([]byte{7, 0, 0, 8, 200, 1}, 60))
	f.Add([]byte("ejd\x01"))
	f.Fuzz(func(t *testing.T, history []byte) {
		at := int64(1_800_000_000)
		var bucket []byte
		want := map[byte]int64{} // the last second of each proof that is recorded
		for ; len(history) >= 3; history = history[3:] {
			at += int64(history[2])
			proof := proofNumber(int(history[0]), at+int64(history[1]))
			live := 0
			for _, expires := range want {
				if expires >= at {
					live++
				}
			}
			got, err := Insert(bucket, proof, time.Unix(at, 0))
			switch last, known := want[history[0]]; {
			case known && last >= at:
				if !errors.Is(err, ErrReplayed) {
					t.Fatalf("used before: %v", err)
				}
			case live == BucketEntries:
				if !errors.Is(err, ErrBucketFull) {
					t.Fatalf("%d entries: %v", live, err)
				}
			case err != nil:
				t.Fatalf("%d entries: %v", live, err)
			default:
				bucket, want[history[0]] = got, proof.Expires
				if len(bucket) != len(bucketMagic)+(live+1)*entryBytes {
					t.Fatalf("%d bytes for %d entries", len(bucket), live+1)
				}
			}
		}
	})
}

// FuzzBucket demands that what is no bucket is refused, and that what is accepted holds the
// proof.
func FuzzBucket(f *testing.F) {
	f.Add([]byte(bucketMagic), int64(1_800_000_000))
	f.Add([]byte("ejd\x01aaaabbbbccccdddd\xff\xff\xff\xff"), int64(1_800_000_000))
	f.Add([]byte{}, int64(-1))
	f.Fuzz(func(t *testing.T, bucket []byte, at int64) {
		before, proof := bytes.Clone(bucket), proofNumber(1, 1<<32-1)
		got, err := Insert(bucket, proof, time.Unix(at, 0))
		if !bytes.Equal(bucket, before) {
			t.Fatal("Insert changed its argument")
		}
		if err != nil {
			if got != nil {
				t.Fatal("an error and a bucket")
			}
			return
		}
		if len(got) > MaxBucketBytes || !bytes.HasPrefix(got, []byte(bucketMagic)) {
			t.Fatalf("%x", got)
		}
		if _, err := Insert(got, proof, time.Unix(at, 0)); !errors.Is(err, ErrReplayed) {
			t.Fatalf("the proof is not in its bucket: %v", err)
		}
	})
}
