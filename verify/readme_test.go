package verify_test

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"

	"edgejwt/verify"
)

// TestReadmeListsEveryReason keeps the README's table of decisions equal to the
// one table of reasons.
func TestReadmeListsEveryReason(t *testing.T) {
	readme, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, reason := range verify.Reasons() {
		status, challenge := strconv.Itoa(reason.Status()), ""
		if reason.Passes() {
			status = "passes"
		}
		if c := reason.Challenge("api"); c != "" {
			challenge = "`" + c + "`"
		}
		row := fmt.Sprintf("| `%s` | %s | %s | %d |", reason, status, challenge, reason.GRPCStatus())
		if !strings.Contains(string(readme), row) {
			t.Errorf("README.md lacks the row\n%s", row)
		}
	}
}
