package bench

import (
	"os"
	"testing"
)

func TestMain(m *testing.M) {
	Child() // the ext_authz server is this very program
	os.Exit(m.Run())
}
