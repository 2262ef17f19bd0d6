package crd

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// Publisher is a Go module whose files define resources, pinned by version and by
// go.sum's hash. Nothing of it is compiled.
type Publisher struct {
	Module, Sum string
	Files       []string // patterns of the files with definitions
}

// Publishers are those of the resources in deploy/, by a name for messages.
var Publishers = map[string]Publisher{
	"Istio 1.31": {"istio.io/api@v1.31.4", "h1:AcnncYrlDj1PJkym7h88Gggkef4MAra8QpGaXRMsr+E=", []string{"kubernetes/customresourcedefinitions.gen.yaml"}},
	// The first that knows FAIL_RELOAD.
	"Istio 1.27":        {"istio.io/api@v1.27.0", "h1:KU1DeyIvZkY2k0pF9ZY+6D0ZVB1ZgvimaPkM55NVRWk=", []string{"kubernetes/customresourcedefinitions.gen.yaml"}},
	"Envoy Gateway 1.7": {"github.com/envoyproxy/gateway@v1.7.0", "h1:noVz4fADhljSKpQFaspb25+C3kC8bBBisQZle9W0ei4=", gatewayFiles},
	"Envoy Gateway 1.9": {"github.com/envoyproxy/gateway@v1.9.1", "h1:vAVp6/AlBXJ1aOhp1mxL7fNEzVEfjADUguUhm2wzxQY=", gatewayFiles},
}

var gatewayFiles = []string{
	"charts/gateway-crds-helm/templates/standard-gatewayapi-crds.yaml",
	"charts/gateway-crds-helm/templates/generated/*.yaml",
}

// Folder downloads a publisher's module, unless that was done before, and gives its
// folder. It runs the go command in temp, an empty folder outside of any module, so
// that only the pinned version counts.
func (p Publisher) Folder(temp string) (string, error) {
	command := exec.Command("go", "mod", "download", "-json", p.Module)
	command.Dir = temp
	out, err := command.Output()
	var got struct{ Dir, Sum, Error string }
	if jsonErr := json.Unmarshal(out, &got); jsonErr != nil || got.Dir == "" {
		return "", fmt.Errorf("%s cannot be had: %v %v %s", p.Module, err, jsonErr, got.Error)
	}
	if got.Sum != p.Sum {
		return "", fmt.Errorf("%s has the sum %s, want %s", p.Module, got.Sum, p.Sum)
	}
	return got.Dir, nil
}

// ReadPublished takes the definitions from a publisher's module; temp as in Folder.
func (d *Definitions) ReadPublished(p Publisher, temp string) error {
	dir, err := p.Folder(temp)
	if err != nil {
		return err
	}
	for _, pattern := range p.Files {
		files, err := filepath.Glob(filepath.Join(dir, pattern))
		if err != nil || len(files) == 0 {
			return fmt.Errorf("%s has no %s", p.Module, pattern)
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err == nil {
				err = d.Read(string(text))
			}
			if err != nil {
				return fmt.Errorf("%s: %w", file, err)
			}
		}
	}
	return nil
}
