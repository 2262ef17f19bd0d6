package jwks

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// planted are bugs that a simulation worth its time has to find. Each is a
// change of the code, made in a copy that only the compiler sees, so that
// nothing of it is in the code itself.
var planted = []struct {
	name  string
	test  string // that has to find it
	edits [][3]string
}{
	{"no lease expiry", "TestSimulation", [][3]string{
		{"freshness.go", "s.clock-s.leaseAt < fromMillis(s.record.lease.lasts)", "s.clock-s.leaseAt < 1<<60"}}},
	{"lease ignored", "TestSimulation", [][3]string{
		{"freshness.go", "case s.record == nil || s.leased():", "case s.record == nil:"}}},
	{"lease timed by the wall clock", "TestSimulation", [][3]string{
		{"freshness.go", "s.clock-s.leaseAt < fromMillis(s.record.lease.lasts)", "millis(s.lastEvent)-s.record.lease.from < s.record.lease.lasts"}}},
	{"failed answer published", "TestSimulation", [][3]string{
		{"source.go", "r.err, _ = err.(Error)\n\t\t\treturn r", "set = &Set{}"}}},
	{"failure counts as confirmation", "TestSimulation", [][3]string{
		{"source.go", "r.failures = min(r.failures, 1<<31) + 1", "r.failures++\n\t\tr.good = millis(now)"}}},
	{"late answer accepted", "TestSimulation", [][3]string{
		{"source.go", "s.record.lease.owner != s.owner || s.record.lease.ticket != s.fetch.ticket", "false"}}},
	{"cooldown per worker", "TestSimulation", [][3]string{
		{"source.go", "if r.earlyFetches != old.earlyFetches {", "if r.earlyFetches != old.earlyFetches && r.lease.owner == s.owner {"}}},
	{"cooldown not kept", "TestSimulation", [][3]string{
		{"freshness.go", "s.usable(now) && s.cooldownLeft() <= 0 &&", "s.usable(now) &&"}}},
	{"no jitter", "TestFleet", [][3]string{
		{"freshness.go", "(float64(s.record.jitter)/(1<<32))", "1"}}},
	{"wake before publish", "TestSimulation", [][3]string{
		{"source.go", "return []Action{{Kind: Changed}}\n}", "return nil\n}"},
		{"source.go", "s.casRetries = 0\n\treturn []Action{{Kind: Load}}", "s.casRetries = 0\n\treturn []Action{{Kind: Changed}, {Kind: Load}}"}}},
	{"deny not applied", "TestSimulation", [][3]string{
		{"source.go", "s.usableKeys = s.published.Without(s.policy.Deny)", "s.usableKeys = s.published"}}},
	{"deny not applied to the cache", "TestSimulation", [][3]string{
		{"find.go", "return s.epoch, true\n}", "return s.record.generation, true\n}"}}},
	{"clock going back freezes refreshes", "TestSimulation", [][3]string{
		{"freshness.go", "s.clock += min(max(now.Sub(s.lastEvent), 0), maxClockStep)", "s.clock += now.Sub(s.lastEvent)"}}},
	{"clock going back makes keys younger", "TestSimulation", [][3]string{
		{"freshness.go", "return max(fromMillis(millis(now)-s.record.good), s.clock-s.goodAt)", "return fromMillis(millis(now) - s.record.good)"}}},
	{"maxStale ignored", "TestSimulation", [][3]string{
		{"freshness.go", "s.usableKeys != nil && s.age(now) <= s.policy.MaxStale", "s.usableKeys != nil"}}},
	{"compare-and-swap without compare", "TestSimulation", [][3]string{
		{"source.go", "Version: version, Hint: r.sequence}}", "Hint: r.sequence}}"}}},
	{"record made over another's", "TestSimulation", [][3]string{
		{"source.go", "return s.writeRecord(now, nil, VersionNone)", "return s.writeRecord(now, nil, 0)"}}},
	{"forged record taken", "TestForgedRecords", [][3]string{
		{"record.go", "if !hmac.Equal(m[:], b[end:]) {", "if false {"}}},
	{"another source's record taken", "TestForgedRecords", [][3]string{
		{"record.go", "strconv.Itoa(RecordFormat) + \" \" + source)", "strconv.Itoa(RecordFormat))"}}},
	{"record key not used", "TestForgedRecords", [][3]string{
		{"record.go", "hmac.New(sha256.New, secret)", "hmac.New(sha256.New, nil)"}}},
	{"outdated record taken", "TestOutdatedRecord", [][3]string{
		{"source.go", "return r.sequence < s.record.sequence || r.sequence == s.record.sequence && mac != s.mac", "return false"}}},
	{"outdated record taken in the simulation", "TestSimulation", [][3]string{
		{"source.go", "return r.sequence < s.record.sequence || r.sequence == s.record.sequence && mac != s.mac", "return false"}}},
	{"record of the same number taken", "TestSameSequence", [][3]string{
		{"source.go", "return r.sequence < s.record.sequence || r.sequence == s.record.sequence && mac != s.mac", "return r.sequence < s.record.sequence"}}},
	{"outdated record taken by an heir", "TestInherit", [][3]string{
		{"source.go", "return r.sequence < s.inherited.sequence", "return false"}}},
	{"heir makes keys younger", "TestInherit", [][3]string{
		{"source.go", "r.good = max(millis(now)-from.age(now).Milliseconds(), 1)", "r.good = millis(now)"}}},
	{"junk keeps workers from fetching", "TestFetchBesideJunk", [][3]string{
		{"source.go", "if s.casRetries++; s.casRetries <= maxCASRetries {", "if false {"}}},
	{"dropped records told each time", "TestJunkWithoutEnd", [][3]string{
		{"source.go", "if s.rejected == 0 || s.clock-s.lastRejectWarning >= rejectWarningInterval {", "if true {"}}},
	{"hint ignored", "TestSimulation", [][3]string{
		{"source.go", "!haveHint || hint != s.hint ||", "!haveHint ||"}}},
	{"withdrawn keys kept", "TestSimulation", [][3]string{
		{"source.go", "s.published = set.keep(s.published)", "s.published = newSet(append(append(set.keep(s.published).keys[:0:0], set.keys...), s.published.Without(set.KIDs()).list()...))"},
		{"set.go", "// Equal reports", "func (s *Set) list() []*verify.Key {\n\tif s == nil {\n\t\treturn nil\n\t}\n\treturn s.keys\n}\n\n// Equal reports"}}},
	{"absent kids remembered for ever", "TestSimulation", [][3]string{
		{"find.go", "w.at > s.clock && w.kid == kid", "w.kid == kid"}}},
	{"unknown kid never asked for", "TestSimulation", [][3]string{
		{"freshness.go", "return true, true", "return false, false"}}},
	{"Retry-After ignored", "TestSimulation", [][3]string{
		{"freshness.go", "return s.providerRetryAfter(now) + s.retryDelay(now) - s.sinceAttempt()", "return s.retryDelay(now) - s.sinceAttempt()"}}},
	{"slow retries at a cold start", "TestSimulation", [][3]string{
		{"freshness.go", "first, ceiling, tired = 250 * time.Millisecond, 1750 * time.Millisecond, 10 * time.Second", "first, ceiling, tired = 2500 * time.Millisecond, 9 * time.Second, 10 * time.Second"}}},
}

// TestPlantedBugs compiles each bug in and demands that it is found.
func TestPlantedBugs(t *testing.T) {
	for _, p := range planted {
		t.Run(p.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			overlay := map[string]map[string]string{"Replace": {}}
			for _, edit := range p.edits {
				source, err := filepath.Abs(edit[0])
				if err != nil {
					t.Fatal(err)
				}
				read := source
				if earlier := overlay["Replace"][source]; earlier != "" {
					read = earlier
				}
				code, err := os.ReadFile(read)
				if err != nil {
					t.Fatal(err)
				}
				if n := bytes.Count(code, []byte(edit[1])); n != 1 {
					t.Fatalf("%s has %q %d times; the code has changed, plant the bug anew", edit[0], edit[1], n)
				}
				changed := filepath.Join(dir, edit[0])
				if err := os.WriteFile(changed, bytes.Replace(code, []byte(edit[1]), []byte(edit[2]), 1), 0o600); err != nil {
					t.Fatal(err)
				}
				overlay["Replace"][source] = changed
			}
			list, err := json.Marshal(overlay)
			if err != nil {
				t.Fatal(err)
			}
			file := filepath.Join(dir, "overlay.json")
			if err := os.WriteFile(file, list, 0o600); err != nil {
				t.Fatal(err)
			}
			// Without -vet: it would take longer than the simulation.
			out, err := exec.Command("go", "test", "-vet=off", "-count=1", "-overlay", file, "-run", "^"+p.test+"$", ".").CombinedOutput()
			switch {
			case err == nil:
				t.Errorf("not found")
			case !bytes.Contains(out, []byte("--- FAIL: "+p.test)):
				t.Errorf("the build failed:\n%s", out)
			default:
				for line := range strings.Lines(string(out)) {
					if strings.Contains(line, "_test.go:") && !strings.Contains(line, "requests to the provider") {
						t.Log(strings.TrimSpace(line))
						break
					}
				}
			}
		})
	}
}
