package convert

import (
	"os"
	"path/filepath"
	"testing"

	"edgejwt/plugin/config"
)

// FuzzConvert: whatever is read, there is an error or a configuration that the
// plugin takes and that reads the same in YAML and in JSON.
func FuzzConvert(f *testing.F) {
	read := readFile
	readFile = func(string) ([]byte, error) { return nil, os.ErrNotExist }
	f.Cleanup(func() { readFile = read })
	files, err := filepath.Glob("testdata/*.yaml")
	if err != nil || len(files) < 18 {
		f.Fatalf("seeds are missing: %v, %v", files, err)
	}
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		r, err := Convert(text)
		if err != nil {
			return
		}
		if _, err := config.Parse(r.JSON); err != nil {
			t.Errorf("the plugin does not take it: %v", err)
		}
		sameInYAML(t, r)
	})
}
