package plugin_test

import (
	"os"
	"testing"
)

// maxModuleBytes is what every VM has to load and compile.
const maxModuleBytes = 3_500_000

func TestModuleSize(t *testing.T) {
	module, err := os.Stat(modulePath)
	if err != nil {
		t.Fatalf("the compiled module is missing, run make build: %v", err)
	}
	if module.Size() > maxModuleBytes {
		t.Errorf("the module has %d bytes, more than %d; go build -ldflags=-dumpdep says what keeps what", module.Size(), maxModuleBytes)
	}
}
