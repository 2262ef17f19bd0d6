package jwks

import (
	"bytes"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// planted are bugs that the tests must find. Each is a change of the code, made
// in a copy that only the compiler sees.
var planted = []struct {
	name  string
	test  string // that has to find it
	edits []edit
}{
	{"no lease expiry", "TestSimulation", []edit{
		{"freshness.go", "s.clock-s.leaseAt < fromMillis(s.record.lease.lasts)", "s.clock-s.leaseAt < 1<<60"}}},
	{"lease ignored", "TestSimulation", []edit{
		{"freshness.go", "s.record == nil || s.leased()", "s.record == nil"}}},
	{"lease timed by the wall clock", "TestSimulation", []edit{
		{"freshness.go", "s.clock-s.leaseAt < fromMillis(s.record.lease.lasts)", "millis(s.lastEvent)-s.record.lease.from < s.record.lease.lasts"}}},
	{"failed answer published", "TestSimulation", []edit{
		{"source.go", "r.err, _ = err.(Error)\n\t\t\tr.detail = describeDocument(r.err, a, skipped)\n\t\t\treturn r", "set = &Set{}"}}},
	{"failure counts as confirmation", "TestSimulation", []edit{
		{"source.go", "r.failures = min(r.failures, 1<<31) + 1", "r.failures++\n\t\tr.confirmed = millis(now)"}}},
	{"late answer accepted", "TestSimulation", []edit{
		{"source.go", "s.record.lease.owner != s.owner || s.record.lease.ticket != s.fetch.ticket", "false"}}},
	{"cooldown per worker", "TestSimulation", []edit{
		{"source.go", "r.earlyFetches != old.earlyFetches", "r.earlyFetches != old.earlyFetches && r.lease.owner == s.owner"}}},
	{"cooldown not kept", "TestSimulation", []edit{
		{"freshness.go", "return max(delay, s.cooldownLeft())", "return delay"}}},
	{"no jitter", "TestFleet", []edit{
		{"freshness.go", "return low + time.Duration(float64(max(high-low, 0))*(float64(s.record.jitter)/(1<<32)))", "return max(low, high)"}}},
	{"Changed before the record is written", "TestSimulation", []edit{
		{"source.go", "s.resolveAwaited()\n\treturn []Action{{Kind: Changed}}", "s.resolveAwaited()\n\treturn nil"},
		{"source.go", "s.casRetries = 0\n\treturn []Action{{Kind: Load}}", "s.casRetries = 0\n\treturn []Action{{Kind: Changed}, {Kind: Load}}"}}},
	{"deny not applied", "TestSimulation", []edit{
		{"find.go", "kid != \"\" && slices.Contains(s.policy.Deny, kid)", "false"},
		{"source.go", "s.usableKeys = s.published.Without(s.policy.Deny)", "s.usableKeys = s.published"}}},
	{"denied keys verify tokens without kid", "TestDeny", []edit{
		{"source.go", "s.usableKeys = s.published.Without(s.policy.Deny)", "s.usableKeys = s.published"}}},
	{"deny not applied to the cache", "TestSimulation", []edit{
		{"find.go", "return s.epoch, true", "return s.record.generation, true"}}},
	{"clock going back freezes refreshes", "TestSimulation", []edit{
		{"freshness.go", "s.clock += min(max(now.Sub(s.lastEvent), 0), maxClockStep)", "s.clock += now.Sub(s.lastEvent)"}}},
	{"clock going back makes keys younger", "TestSimulation", []edit{
		{"freshness.go", "return max(fromMillis(millis(now)-s.record.confirmed), s.clock-s.confirmedAt)", "return fromMillis(millis(now) - s.record.confirmed)"}}},
	{"maxStale ignored", "TestSimulation", []edit{
		{"freshness.go", "s.usableKeys != nil && s.age(now) <= s.policy.MaxStale", "s.usableKeys != nil"}}},
	{"compare-and-swap without compare", "TestSimulation", []edit{
		{"source.go", "return []Action{{Kind: Save, Record: b, Version: version, Hint: r.sequence}}", "return []Action{{Kind: Save, Record: b, Hint: r.sequence}}"}}},
	{"record made over another's", "TestSimulation", []edit{
		{"source.go", "return s.writeRecord(now, nil, VersionNone, nil)", "return s.writeRecord(now, nil, 0, nil)"}}},
	{"forged record taken", "TestForgedRecords", []edit{
		{"record.go", "!hmac.Equal(m[:], b[end:])", "false"}}},
	{"another source's record taken", "TestForgedRecords", []edit{
		{"record.go", "h.Write([]byte(\"edgejwt record \" + strconv.Itoa(RecordFormat) + \" \" + source))", "h.Write([]byte(\"edgejwt record \" + strconv.Itoa(RecordFormat)))"}}},
	{"record key not used", "TestForgedRecords", []edit{
		{"record.go", "h := hmac.New(sha256.New, secret)", "if BUG {\n\t\tsecret = nil\n\t}\n\th := hmac.New(sha256.New, secret)"}}},
	{"outdated record taken", "TestOutdatedRecord", []edit{
		{"source.go", "return r.sequence < s.record.sequence || r.sequence == s.record.sequence && mac != s.mac", "return false"}}},
	{"outdated record taken in the simulation", "TestSimulation", []edit{
		{"source.go", "return r.sequence < s.record.sequence || r.sequence == s.record.sequence && mac != s.mac", "return false"}}},
	{"record of the same number taken", "TestSameSequence", []edit{
		{"source.go", "return r.sequence < s.record.sequence || r.sequence == s.record.sequence && mac != s.mac", "return r.sequence < s.record.sequence"}}},
	{"outdated record taken after Inherit", "TestInherit", []edit{
		{"source.go", "return r.sequence < s.inherited.sequence", "return false"}}},
	{"Inherit makes keys younger", "TestInherit", []edit{
		{"source.go", "r.confirmed = max(millis(now)-from.age(now).Milliseconds(), 1)", "r.confirmed = millis(now)"}}},
	{"no fetch while another plugin writes", "TestFetchBesideJunk", []edit{
		{"source.go", "if s.casRetries++; s.casRetries <= maxCASRetries {\n\t\t\tactions = appendAction(actions, Load, \"\")\n\t\t}", ""}}},
	{"each rejected record is warned of", "TestJunkWithoutEnd", []edit{
		{"source.go", "!s.rejectWarned || s.clock-s.rejectWarnedAt >= rejectWarningInterval", "true"}}},
	{"hint ignored", "TestSimulation", []edit{
		{"source.go", "hint != s.hint", "false"}}},
	{"withdrawn keys kept", "TestSimulation", []edit{
		{"source.go", "s.published = set.keep(s.published)", `if s.published == nil {
				s.published = set
			} else {
				withdrawn := s.published.Without(set.KIDs()).keys
				s.published = newSet(append(append(set.keys[:0:0], set.keys...), withdrawn...))
			}`}}},
	{"negative cache without expiry", "TestSimulation", []edit{
		{"find.go", "w.at > s.clock && w.kid == kid", "w.kid == kid"}}},
	{"no fetch for an unknown kid", "TestSimulation", []edit{
		{"freshness.go", "return true, true", "return false, false"}}},
	{"Retry-After ignored", "TestSimulation", []edit{
		{"freshness.go", "return s.providerRetryAfter(now) + s.retryDelay(now) - s.sinceAttempt()", "return s.retryDelay(now) - s.sinceAttempt()"}}},
	{"a delay for each request", "TestEarlyFetchAfterJitter", []edit{
		{"find.go", "s.awaited[i].at, s.awaited[i].epoch = s.clock, s.epoch", "s.awaited[i].at, s.awaited[i].since, s.awaited[i].epoch = s.clock, s.clock, s.epoch"}}},
	{"early refetch forgotten with its request", "TestEarlyFetchAfterJitter", []edit{
		{"find.go", "s.clock-w.at <= max(s.policy.Wait, s.policy.Jitter)", "s.clock-w.at <= s.policy.Wait"}}},
	{"no delay of early refetches", "TestEarlyFetchAfterJitter", []edit{
		{"freshness.go", "delay := s.jittered(0, s.policy.Jitter) - (s.clock - s.awaited[0].since)", "delay := s.jittered(0, s.policy.Jitter) - (s.clock - s.awaited[0].since)\n\tif BUG {\n\t\tdelay = 0\n\t}"}}},
	{"requests cut patience short", "TestPatience", []edit{
		{"freshness.go", "return s.lastAnswerBusy() && s.untilScheduled(now) > 0", "return s.sinceAttempt() < s.providerRetryAfter(now)"}}},
	{"429 is followed by an early refetch again", "TestPatience", []edit{
		{"freshness.go", "return s.record.early && s.record.failures == 1 && !s.lastAnswerBusy()", "return s.record.early && s.record.failures == 1"}}},
	{"slow retries at a cold start", "TestSimulation", []edit{
		{"freshness.go", "window = min(2*window, quick)", "window = min(20*window, 9*time.Second)"}}},
}

// edit is a change of one file: a condition or statements, and what stands there
// when the bug is on. If the new text has the word BUG, it is put in place as it
// is, and BUG is the condition.
type edit struct{ file, code, bug string }

// plant makes a copy of the code in which bug number n can be switched on.
func (e edit) plant(n int) string {
	on, off := fmt.Sprintf("plantedBug == %d", n), fmt.Sprintf("plantedBug != %d", n)
	if strings.Contains(e.bug, "BUG") {
		return strings.ReplaceAll(e.bug, "BUG", on)
	}
	switch expression, err := parser.ParseExpr(e.code); expression.(type) {
	case *ast.BinaryExpr, *ast.UnaryExpr:
		if err != nil {
			break
		}
		return fmt.Sprintf("(%s && (%s) || %s && (%s))", on, e.bug, off, e.code)
	}
	return fmt.Sprintf("if %s {\n%s\n} else {\n%s\n}", on, e.bug, e.code)
}

// buildWithBugs compiles the tests with all bugs, and gives the binary's path. The
// environment variable PLANTED_BUG switches one of them on, counted from 1.
func buildWithBugs(t *testing.T) string {
	dir := t.TempDir()
	files := map[string][]byte{"planted.go": []byte("package jwks\n\nimport (\n\t\"os\"\n\t\"strconv\"\n)\n\nvar plantedBug, _ = strconv.Atoi(os.Getenv(\"PLANTED_BUG\"))\n")}
	for i, p := range planted {
		for _, e := range p.edits {
			code := files[e.file]
			if code == nil {
				var err error
				if code, err = os.ReadFile(e.file); err != nil {
					t.Fatal(err)
				}
			}
			if n := bytes.Count(code, []byte(e.code)); n != 1 {
				t.Fatalf("%s has %q %d times; the code has changed, plant the bug anew", e.file, e.code, n)
			}
			files[e.file] = bytes.Replace(code, []byte(e.code), []byte(e.plant(i+1)), 1)
		}
	}
	overlay := map[string]map[string]string{"Replace": {}}
	for name, code := range files {
		original, err := filepath.Abs(name)
		if err != nil {
			t.Fatal(err)
		}
		changed := filepath.Join(dir, name)
		if err := os.WriteFile(changed, code, 0o600); err != nil {
			t.Fatal(err)
		}
		overlay["Replace"][original] = changed
	}
	list, err := json.Marshal(overlay)
	if err != nil {
		t.Fatal(err)
	}
	file, binary := filepath.Join(dir, "overlay.json"), filepath.Join(dir, "jwks.test")
	if err := os.WriteFile(file, list, 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("go", "test", "-c", "-vet=off", "-overlay", file, "-o", binary, ".").CombinedOutput(); err != nil {
		t.Fatalf("the build failed: %v\n%s", err, out)
	}
	return binary
}

// TestPlantedBugs switches each bug on and demands that its test fails, with as
// many histories as it has by default. With no bug on, the same binary passes. A
// bug that is no longer found may need another entry in rareHistories.
func TestPlantedBugs(t *testing.T) {
	binary := buildWithBugs(t)
	run := func(bug int, args ...string) ([]byte, error) {
		command := exec.Command(binary, args...)
		command.Env = append(os.Environ(), fmt.Sprint("PLANTED_BUG=", bug))
		return command.CombinedOutput()
	}
	if out, err := run(0, "-test.skip=^(TestPlantedBugs|TestFleet|TestFleetEmergency)$", "-sim.histories=100"); err != nil {
		t.Fatalf("without a bug: %v\n%s", err, out)
	}
	for i, p := range planted {
		t.Run(p.name, func(t *testing.T) {
			out, err := run(i+1, "-test.v", "-test.run=^"+p.test+"$")
			switch {
			case err == nil:
				t.Errorf("not found")
			case !bytes.Contains(out, []byte("--- FAIL: "+p.test)):
				t.Errorf("%v\n%s", err, out)
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
