package jwks

import (
	"net/http"
	"testing"
	"time"
)

func TestParseDate(t *testing.T) {
	for day := time.Date(1994, 11, 6, 8, 49, 37, 0, time.UTC); day.Year() < 2060; day = day.Add(97*24*time.Hour + 12345*time.Second) {
		if got, ok := parseDate(day.Format(http.TimeFormat)); !ok || !got.Equal(day) {
			t.Errorf("parseDate(%s) = %v, %v", day.Format(http.TimeFormat), got, ok)
		}
	}
	for _, s := range []string{
		"", "0", "-1", "soon", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994",
		"Sun, 06 Nov 1994 08:49:37 UTC", "Sun, 06 Nov 1994 08:49:37 GXT", "Sun, 06 Nov 1994 08:49:37 gmt",
		"Sun, 06 ovD 1994 08:49:37 GMT", "Sun, 06 Nix 1994 08:49:37 GMT", "Sun, 00 Nov 1994 08:49:37 GMT",
		"Sun, 32 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 24:49:37 GMT", "Sun, 06 Nov 1994 08:60:37 GMT",
		"Sun, 06 Nov 1994 08:49:61 GMT", "Sun, 06 Nov 1994 08:49:3x GMT", "Sun, +6 Nov 1994 08:49:37 GMT",
	} {
		if got, ok := parseDate(s); ok {
			t.Errorf("parseDate(%q) = %v", s, got)
		}
	}
}
