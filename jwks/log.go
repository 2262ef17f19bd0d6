package jwks

import (
	"bytes"
	"slices"
	"strconv"
	"strings"
	"time"

	"edgejwt/verify/strictjson"
)

// NextTick is the time until Tick has to be called, from 1 ms to Policy.Tick. Ask
// after each event and each Find.
func (s *Source) NextTick(now time.Time) time.Duration {
	s.advance(now)
	const (
		soonest            = time.Millisecond
		afterLostWrites    = 5 * time.Millisecond   // other workers won each compare-and-swap
		afterDroppedRecord = 100 * time.Millisecond // another plugin may replace the next record too
		whileLeased        = 25 * time.Millisecond  // another worker fetches
	)
	if s.fixed {
		return s.policy.Tick
	}
	awaited := !s.usable(now) || len(s.awaited) > 0
	switch {
	case s.record == nil:
		return soonest
	case s.droppedRecord:
		return min(afterDroppedRecord, s.policy.Tick)
	case s.response != nil:
		return afterLostWrites
	case !awaited:
		return s.policy.Tick
	case s.leased():
		return min(whileLeased, s.policy.Tick)
	}
	return min(max(s.untilFetch(now), soonest), s.policy.Tick)
}

// RetryAfter is the Retry-After (RFC 9110 §10.2.3) for a client that gets 503: the
// time until the next fetch, in whole seconds from 1 to 30.
func (s *Source) RetryAfter(now time.Time) time.Duration {
	s.advance(now)
	left := time.Second
	if s.record != nil && !s.leased() {
		left = s.untilFetch(now)
	}
	return min(max((left+time.Second-1).Truncate(time.Second), time.Second), 30*time.Second)
}

// Status is the state of a Source for metrics, logs and explanations. It belongs to
// the caller.
type Status struct {
	// Generation grows with each change of the set; 0: no set yet.
	Generation uint64
	// Keys is the number of usable keys that are not denied, and Unnamed how many of
	// them have no kid. KIDs lists the different kids of the others.
	Keys, Unnamed int
	KIDs          []string
	// Age is the time since a fetch confirmed the set; -1 without a set.
	Age time.Duration
	// Usable: there is a set, and it is not older than Policy.MaxStale.
	Usable bool
	// Name is the configured URL, without its query, or the issuer.
	Name string
	// Failures is the number of failed fetches since the last successful one.
	Failures int
	// LastError is why the last fetch failed; nil if it succeeded.
	LastError error
	// Awaited is the number of keys that pending requests of this worker wait for.
	Awaited int
	// Rejected is the number of records in shared data that this worker rejected as
	// damaged, forged or outdated.
	Rejected uint64
	// Fetches counts the results of this worker's fetches.
	Fetches [ResultEnd]uint64
	// FetchErrors counts this worker's fetches that failed, by kind.
	FetchErrors [KindEnd]uint64
}

// Status describes the Source. It allocates, so do not call it for each request.
func (s *Source) Status(now time.Time) Status {
	s.advance(now)
	status := Status{Age: -1, Keys: s.usableKeys.Len(), Unnamed: len(s.usableKeys.byID("")), KIDs: s.usableKeys.KIDs(), Usable: s.usable(now), Name: s.sourceName(),
		Awaited: len(s.awaited), Rejected: s.rejected, Fetches: s.fetchResults, FetchErrors: s.fetchErrors}
	if s.fixed {
		status.Generation, status.Age, status.Name = 1, 0, "configuration"
	}
	if s.record != nil {
		status.Generation, status.Failures = s.record.generation, int(s.record.failures)
		if s.record.lastError != 0 {
			status.LastError = s.record.lastError
		}
		if s.usableKeys != nil {
			status.Age = s.age(now)
		}
	}
	return status
}

// maxKIDsInLog bounds the kids in one log line.
const maxKIDsInLog = 10

// logLine puts the source's name in front of a message. The name comes from the
// configuration, not from the provider.
func (s *Source) logLine(text string) string {
	return "keys of " + quoteText(s.sourceName()) + ": " + text
}

// sourceName is the configured URL, without its query, or the issuer.
func (s *Source) sourceName() string {
	if s.policy.URL != "" {
		return ShortURL(s.policy.URL)
	}
	return ShortURL(s.policy.Issuer)
}

// failureLine says what was fetched over which cluster, what came of it, and what to do
// next.
func (s *Source) failureLine(r *response) string {
	row := &errorRows[r.err]
	cluster := s.policy.clusterOf(r.url)
	text := row.text
	if r.detail != "" {
		text += " (" + r.detail + ")"
	}
	via := ""
	if r.url != s.policy.URL { // which logLine names
		via = "GET " + quoteText(ShortURL(r.url))
	}
	if cluster != "" {
		via = strings.TrimPrefix(via+" over cluster "+quoteText(cluster), " ")
	}
	if via != "" {
		text = via + ": " + text
	}
	// The statistics are the proxy's.
	if next := row.next; next != "" && (cluster != "" || !strings.Contains(next, "CLUSTER")) {
		text += "; next: " + strings.ReplaceAll(next, "CLUSTER", cluster)
	}
	return s.logLine(text)
}

// quoteText makes foreign text safe for the log, and cuts it.
func quoteText(text string) string {
	if text == "" {
		return ""
	}
	const most = 200
	cut := ""
	if len(text) > most {
		text, cut = text[:most], "…"
	}
	return strings.ReplaceAll(strconv.QuoteToASCII(text), `\u2026`, "…") + cut
}

// describeStatus says what an answer that is not a document was.
func describeStatus(a Answer) string {
	text := "status " + strconv.Itoa(a.Status)
	if location, has := header(a.Headers, "location"); has && a.Status/100 == 3 {
		if u, ok := parseURL(location); ok {
			return text + " to the host " + quoteText(u.authority)
		}
		return text + " to another path of the host"
	}
	if len(a.Body) > 0 {
		text += ", body " + quoteText(string(a.Body[:min(len(a.Body), 201)]))
	}
	return text
}

// describeDocument says more of why Parse refused a document.
func describeDocument(err Error, a Answer, skipped []Skipped) string {
	switch err {
	case ErrDocumentNotJSON:
		return whyNotJSON(a.Headers, a.Body, documentLimits)
	case ErrNoUsableKey:
		if len(skipped) == 0 {
			return "it is empty"
		}
		return listSkipped(skipped, maxSkippedInFailure)
	}
	return ""
}

// maxSkippedInFailure bounds the keys that are named when none can be used.
const maxSkippedInFailure = 5

// whyNotJSON says what a body is that does not parse.
func whyNotJSON(headers [][2]string, body []byte, limits strictjson.Limits) string {
	if coding, has := header(headers, "content-encoding"); has && coding != "identity" {
		return "it is compressed, content-encoding " + quoteText(coding) + ", which was not asked for"
	}
	start := bytes.TrimLeft(body, " \t\r\n")
	switch {
	case len(start) == 0:
		return "it is empty"
	case bytes.HasPrefix(body, []byte("\x1f\x8b")):
		return "it is compressed with gzip, which was not asked for"
	case bytes.HasPrefix(body, []byte("\xef\xbb\xbf")), bytes.HasPrefix(body, []byte("\xfe\xff")), bytes.HasPrefix(body, []byte("\xff\xfe")):
		return "it begins with a byte order mark (RFC 8259 §8.1)"
	case start[0] == '<':
		return "it is HTML or XML"
	}
	if _, err := strictjson.Parse(string(body), limits); err != nil {
		return err.Error()
	}
	return ""
}

// describe lists a new set's kids for the log.
func (s *Set) describe(generation uint64) string {
	text := "generation " + strconv.FormatUint(generation, 10) + ", " + strconv.Itoa(s.Len()) + " usable"
	kids := s.KIDs()
	for i := range kids {
		kids[i] = strconv.QuoteToASCII(shorten(kids[i]))
	}
	if more := len(kids) - maxKIDsInLog; more > 0 {
		kids = append(kids[:maxKIDsInLog], "and "+strconv.Itoa(more)+" more")
	}
	if len(kids) > 0 {
		text += ", kid " + strings.Join(kids, ", ")
	}
	if unnamed := len(s.byID("")); unnamed > 0 {
		text += ", " + strconv.Itoa(unnamed) + " without kid"
	}
	return text
}

// listSkipped lists skipped keys for the log, at most that many.
func listSkipped(skipped []Skipped, most int) string {
	var texts []string
	for i, s := range skipped {
		if i == most {
			texts = append(texts, "and "+strconv.Itoa(len(skipped)-most)+" more")
			break
		}
		texts = append(texts, s.String())
	}
	return strings.Join(texts, "; ")
}

// hashSkipped gives a hash of which keys were skipped and why; 0 for an empty list. The
// order of the keys does not matter, nor how often one is there.
func hashSkipped(skipped []Skipped) (sum uint64) {
	for i, s := range skipped {
		same := func(other Skipped) bool { return other.ID == s.ID && other.Why == s.Why }
		if !slices.ContainsFunc(skipped[:i], same) {
			sum += hash([]byte(s.ID + "\x00" + s.Why))
		}
	}
	return sum
}
