// Package image packs the compiled module for those who install it: OCI images in
// the two forms that Istio's and Envoy Gateway's fetchers read, a bill of
// materials, the licences of what is linked into it, and a list of SHA-256 sums. The same commit and the same Go give the same bytes, on every
// machine and in every folder: nothing here asks for the time, and nothing is
// written in an order that chance decides.
//
// Write fills a folder with an OCI layout, Push copies that to a registry. The
// package does not compile and does not sign: see README.md beside it.
package image

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// Options say what is packed. All of them are needed.
type Options struct {
	// Root is the project's folder, where go.mod is.
	Root string
	// Dist is the folder that holds edgejwt.wasm and gets everything else: the
	// layout in image/, edgejwt.cdx.json and SHA256SUMS.
	Dist string
	// Origin is what the images tell of where they come from.
	Origin Origin
}

// Origin is what images and bills of materials tell of their source.
type Origin struct {
	// Version is the release, as 1.2.3, or what OriginOf makes of another commit. It
	// is also the tag.
	Version string
	// Revision is the commit; "" leaves the annotation out.
	Revision string
	// Created is the time of the commit, or what SOURCE_DATE_EPOCH says.
	Created time.Time
	// Source is the address of the sources; "" leaves the annotation out.
	Source string
}

// What the images and the bill call the module.
const (
	moduleName  = "edgejwt" // also of the file in dist
	description = "Checks OpenID access tokens inside Envoy"
)

// Image is one image of the layout.
type Image struct {
	Tag    string // "1.2.3", "1.2.3-artifact"
	Digest string // of the manifest, "sha256:…": what Istio and Envoy Gateway compare with their sha256 field
}

// Write packs the module in o.Dist. What an earlier call left there is replaced.
func Write(ctx context.Context, o Options) ([]Image, error) {
	dir := filepath.Join(o.Dist, "image")
	if err := os.RemoveAll(dir); err != nil {
		return nil, err
	}
	l := &layout{dir: dir}
	licence, err := os.ReadFile(filepath.Join(o.Root, "LICENSE"))
	if err != nil {
		return nil, err
	}
	wasm, err := os.ReadFile(filepath.Join(o.Dist, moduleName+".wasm"))
	if err != nil {
		return nil, err
	}
	if !bytes.HasPrefix(wasm, []byte("\x00asm")) {
		return nil, fmt.Errorf("%s.wasm is not a WebAssembly module", moduleName)
	}
	parts, err := linked(ctx, o.Root)
	if err != nil {
		return nil, err
	}
	bill, err := billOfMaterials(wasm, parts, o.Origin)
	if err != nil {
		return nil, err
	}
	if err := os.WriteFile(filepath.Join(o.Dist, moduleName+".cdx.json"), bill, 0o644); err != nil {
		return nil, err
	}
	if err := l.add(content{wasm: wasm, licence: licence, notices: notices(parts), bill: bill}, o.Origin); err != nil {
		return nil, err
	}
	if err := l.finish(); err != nil {
		return nil, err
	}
	return l.images, writeSums(o.Dist, []string{moduleName + ".wasm", moduleName + ".cdx.json", "image/index.json"})
}

// writeSums writes what `sha256sum -c SHA256SUMS` reads. The index holds the
// digests of all that is in the layout.
func writeSums(dist string, files []string) error {
	var b strings.Builder
	for _, name := range files {
		data, err := os.ReadFile(filepath.Join(dist, filepath.FromSlash(name)))
		if err != nil {
			return err
		}
		fmt.Fprintf(&b, "%s  %s\n", sum(data), name)
	}
	return os.WriteFile(filepath.Join(dist, "SHA256SUMS"), []byte(b.String()), 0o644)
}

func sum(data []byte) string {
	s := sha256.Sum256(data)
	return hex.EncodeToString(s[:])
}
