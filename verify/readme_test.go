package verify_test

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"

	"edgejwt/verify"
)

// TestPageListsEveryReason compares the table of docs/refusals.md with the one table
// of reasons.
func TestPageListsEveryReason(t *testing.T) {
	page, err := os.ReadFile("../docs/refusals.md")
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
		if !strings.Contains(string(page), row) {
			t.Errorf("docs/refusals.md lacks the row\n%s", row)
		}
	}
}
