package route

import (
	"fmt"
	"testing"
)

func TestEscape(t *testing.T) {
	for c := range 256 {
		if got, want := string(escape([]byte("a"), byte(c), true)), fmt.Sprintf("a%%%02X", c); got != want {
			t.Errorf("%#x is escaped as %q; want %q", c, got, want)
		}
		if got := unescaped(string(escape(nil, byte(c), true))); got != string([]byte{byte(c)}) {
			t.Errorf("%#x is %q after escaping and unescaping", c, got)
		}
	}
}
