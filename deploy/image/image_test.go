package image

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	cdx "github.com/CycloneDX/cyclonedx-go"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"
)

// code stands for a compiled module.
func code(name string) []byte {
	return append([]byte("\x00asm\x01\x00\x00\x00"), strings.Repeat(name, 1000)...)
}

var origin = Origin{
	Version: "1.2.3", Revision: "0123456789abcdef0123456789abcdef01234567",
	Created: time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC), Source: "https://git.example.com/edgejwt",
}

// write packs a small module.
func write(t *testing.T) (dist string, images []Image) {
	t.Helper()
	dist = t.TempDir()
	if err := os.WriteFile(filepath.Join(dist, moduleName+".wasm"), code(moduleName), 0o644); err != nil {
		t.Fatal(err)
	}
	images, err := Write(t.Context(), Options{Root: "../..", Dist: dist, Origin: origin})
	if err != nil {
		t.Fatal(err)
	}
	return dist, images
}

func read(t *testing.T, path ...string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(path...))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// TestLayout: each blob lies under its digest, each one is used, and the tags are
// those that README.md beside it names.
func TestLayout(t *testing.T) {
	dist, images := write(t)
	var index v1.Index
	if err := json.Unmarshal(read(t, dist, "image", "index.json"), &index); err != nil {
		t.Fatal(err)
	}
	used := map[string]bool{}
	use := func(d v1.Descriptor) []byte {
		data := read(t, dist, "image", "blobs", "sha256", d.Digest.Encoded())
		if sum(data) != d.Digest.Encoded() || int64(len(data)) != d.Size {
			t.Errorf("%s holds %d bytes of sha256:%s", d.Digest, len(data), sum(data))
		}
		used[d.Digest.Encoded()] = true
		return data
	}
	var tags, bills []string
	for _, d := range index.Manifests {
		var m v1.Manifest
		if err := json.Unmarshal(use(d), &m); err != nil {
			t.Fatal(err)
		}
		use(m.Config)
		for _, l := range m.Layers {
			use(l)
		}
		if m.Subject != nil {
			bills = append(bills, m.Subject.Digest.String())
			continue
		}
		tags = append(tags, d.Annotations[v1.AnnotationRefName])
		for name, want := range map[string]string{
			v1.AnnotationVersion: "1.2.3", v1.AnnotationRevision: origin.Revision, v1.AnnotationSource: origin.Source,
			v1.AnnotationCreated: "2026-03-04T05:06:07Z", v1.AnnotationLicenses: "Apache-2.0",
		} {
			if m.Annotations[name] != want {
				t.Errorf("%s: %s is %q", tags[len(tags)-1], name, m.Annotations[name])
			}
		}
	}
	if want := []string{"1.2.3", "1.2.3-artifact"}; !slices.Equal(tags, want) {
		t.Errorf("tags %q", tags)
	}
	for i, image := range images {
		if image.Tag != tags[i] || !slices.Contains(bills, image.Digest) {
			t.Errorf("%v has no bill of materials among %v", image, bills)
		}
	}
	blobs, err := os.ReadDir(filepath.Join(dist, "image", "blobs", "sha256"))
	if err != nil || len(blobs) != len(used) {
		t.Errorf("%d blobs, %d of them used: %v", len(blobs), len(used), err)
	}
	var summed []string
	for line := range strings.Lines(string(read(t, dist, "SHA256SUMS"))) {
		want, name, _ := strings.Cut(strings.TrimSpace(line), "  ")
		summed = append(summed, name)
		if sum(read(t, dist, name)) != want {
			t.Errorf("SHA256SUMS is wrong about %s", name)
		}
	}
	if want := []string{"edgejwt.wasm", "edgejwt.cdx.json", "image/index.json"}; !slices.Equal(summed, want) {
		t.Errorf("SHA256SUMS lists %v", summed)
	}
}

// TestAgain: another folder and another moment, the same bytes.
func TestAgain(t *testing.T) {
	one, _ := write(t)
	other, _ := write(t)
	for _, name := range []string{"SHA256SUMS", "image/index.json", "image/oci-layout", "edgejwt.cdx.json"} {
		if !bytes.Equal(read(t, one, name), read(t, other, name)) {
			t.Errorf("%s differs", name)
		}
	}
}

// TestBill: the bill names Go, the SDK and what else is linked in; and every part's
// licence is in the image.
func TestBill(t *testing.T) {
	dist, _ := write(t)
	var bom cdx.BOM
	raw := read(t, dist, moduleName+".cdx.json")
	if err := cdx.NewBOMDecoder(bytes.NewReader(raw), cdx.BOMFileFormatJSON).Decode(&bom); err != nil {
		t.Fatal(err)
	}
	if bom.SpecVersion != cdx.SpecVersion1_6 || bom.SerialNumber != "" || bom.Metadata.Timestamp != "" {
		t.Errorf("version %v, serial %q, time %q", bom.SpecVersion, bom.SerialNumber, bom.Metadata.Timestamp)
	}
	if got := (*bom.Metadata.Component.Hashes)[0].Value; got != sum(code(moduleName)) {
		t.Errorf("the module's hash is %s", got)
	}
	parts, err := linked(t.Context(), "../..")
	if err != nil {
		t.Fatal(err)
	}
	text := string(notices(parts))
	var names []string
	for i, c := range *bom.Components {
		names = append(names, c.Name)
		if c.BOMRef != (*(*bom.Dependencies)[0].Dependencies)[i] || !strings.Contains(text, c.Name+" "+c.Version) {
			t.Errorf("%s is not told everywhere", c.Name)
		}
	}
	for name, want := range map[string]bool{
		"std": true, "github.com/proxy-wasm/proxy-wasm-go-sdk": true, "filippo.io/edwards25519": true, "github.com/tidwall/gjson": true,
		"filippo.io/bigmod": false, "github.com/google/go-containerregistry": false, "edgejwt": false,
	} {
		if slices.Contains(names, name) != want {
			t.Errorf("%s in %v: want %v", name, names, want)
		}
	}
}

// TestRefused: nothing is packed that is not understood.
func TestRefused(t *testing.T) {
	dist := t.TempDir()
	o := Options{Root: "../..", Dist: dist, Origin: origin}
	if _, err := Write(t.Context(), o); err == nil {
		t.Error("no module, and no error")
	}
	if err := os.WriteFile(filepath.Join(dist, moduleName+".wasm"), []byte("<html>"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Write(t.Context(), o); err == nil || !strings.Contains(err.Error(), "not a WebAssembly module") {
		t.Errorf("HTML was packed: %v", err)
	}
	for _, to := range []string{"registry.example.com", "registry.example.com/edgejwt@sha256:" + strings.Repeat("0", 64), "UPPER/case:1"} {
		if _, err := Push(context.Background(), dist, to, nil); err == nil {
			t.Errorf("pushed to %s", to)
		}
	}
	if _, err := spdx("Permission is hereby granted, but not to you."); err == nil {
		t.Error("a licence that nobody has read")
	}
}

// files are those of a layer.
func files(t *testing.T, layer io.Reader) (names []string, data map[string][]byte) {
	t.Helper()
	z, err := gzip.NewReader(layer)
	if err != nil {
		t.Fatal(err)
	}
	data = map[string][]byte{}
	for r := tar.NewReader(z); ; {
		h, err := r.Next()
		if err == io.EOF {
			return names, data
		}
		if err != nil {
			t.Fatal(err)
		}
		if data[h.Name], err = io.ReadAll(r); err != nil {
			t.Fatal(err)
		}
		if names = append(names, h.Name); !h.ModTime.Equal(origin.Created) || h.Uid != 0 || h.Mode != 0o644 {
			t.Errorf("%s: %+v", h.Name, h)
		}
	}
}
