package attacks

import (
	"fmt"
	"time"

	"edgejwt/verify"
)

// times adds both sides of each limit in time. RFC 7519 §4.1.4: a token is good
// before exp and no longer at it; §4.1.5: from nbf on. Both get the skew.
func times(b *builder) {
	b.group = "time"
	p := b.payload()
	at := func(d time.Duration) string {
		t := b.now.Add(d)
		if t.Nanosecond() == 0 {
			return fmt.Sprint(t.Unix())
		}
		return fmt.Sprintf("%d.%09d", t.Unix(), t.Nanosecond())
	}
	skew, slack, second, milli := b.Skew, b.Slack, time.Second, time.Millisecond
	add := func(name, claim string, d time.Duration, want verify.Reason, why string) {
		b.token(name, ordinary(p.with(claim, at(d))), want, why)
	}

	add("exp in the skew, by a second", "exp", -skew+second+slack, verify.Accepted, "the issuer's clock may differ by the skew")
	add("exp in the skew, by a millisecond", "exp", -skew+milli+slack, verify.Accepted, "a fraction counts (RFC 7519 §2)")
	add("exp at the skew's edge", "exp", -skew-slack, verify.TokenExpired, "a token is not good at exp (RFC 7519 §4.1.4)")
	add("exp past the skew, by a millisecond", "exp", -skew-milli-slack, verify.TokenExpired, "exp has passed, and the skew too")
	add("exp past the skew, by a second", "exp", -skew-second-slack, verify.TokenExpired, "exp has passed, and the skew too")
	add("exp a day ago", "exp", -24*time.Hour, verify.TokenExpired, "exp has passed")
	add("exp now", "exp", 0, verify.Accepted, "the issuer's clock may differ by the skew")

	for _, claim := range []string{"nbf", "iat"} {
		add(claim+" now", claim, 0, verify.Accepted, "the time has come")
		add(claim+" at the skew's edge", claim, skew-slack, verify.Accepted, "the issuer's clock may differ by the skew")
		add(claim+" past the skew, by a millisecond", claim, skew+milli+slack, verify.TokenNotYetValid, "the time has not come, even with the skew")
		add(claim+" past the skew, by a second", claim, skew+second+slack, verify.TokenNotYetValid, "the time has not come, even with the skew")
		add(claim+" in a day", claim, 24*time.Hour, verify.TokenNotYetValid, "the time has not come")
	}
	b.token("nbf after exp", ordinary(p.with("nbf", at(20*time.Minute)).with("exp", at(10*time.Minute))), verify.TokenNotYetValid,
		"a token that is never valid is not valid now")
	b.token("exp in milliseconds", ordinary(p.with("exp", fmt.Sprint(b.now.Add(time.Hour).UnixMilli()))), verify.Accepted,
		"a careless issuer's, good for some ten thousand years, but its signature stands")
	b.token("iat in milliseconds", ordinary(p.with("iat", fmt.Sprint(b.now.UnixMilli()))), verify.TokenNotYetValid,
		"milliseconds read as seconds lie ten thousand years ahead")
}
