package verify_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"edgejwt/verify"
)

// TestReadmeListsEveryReason keeps the README's table of refusals equal to the
// one table of reasons.
func TestReadmeListsEveryReason(t *testing.T) {
	readme, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, reason := range verify.Reasons() {
		if reason.Passes() {
			continue
		}
		challenge := ""
		if c := reason.Challenge("api"); c != "" {
			challenge = "`" + c + "`"
		}
		row := fmt.Sprintf("| `%s` | %d | %s | %d |", reason, reason.Status(), challenge, reason.GRPCStatus())
		if !strings.Contains(string(readme), row) {
			t.Errorf("README.md lacks the row\n%s", row)
		}
	}
}
