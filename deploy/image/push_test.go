package image

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	gcr "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/types"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"
)

// serve starts a registry on this machine.
func serve(t *testing.T, referrers bool) string {
	t.Helper()
	s := httptest.NewServer(registry.New(registry.Logger(log.New(io.Discard, "", 0)), registry.WithReferrersSupport(referrers)))
	t.Cleanup(s.Close)
	return strings.TrimPrefix(s.URL, "http://")
}

// TestPushed: what is pushed comes back through the library that both Istio and
// Envoy Gateway fetch with, by the rules of their pkg/wasm/imagefetcher.go (Istio
// 1.30) and internal/wasm/imagefetcher.go (Envoy Gateway 1.8):
//
//   - no index is pushed under a tag, so that the digest they compare is the tag's;
//   - an OCI image's last layer is a gzipped tar of media type
//     application/vnd.oci.image.layer.v1.tar+gzip, and plugin.wasm is in it;
//   - or else there are exactly two layers, and the one of media type
//     application/vnd.module.wasm.content.layer.v1+wasm is the module as it is.
func TestPushed(t *testing.T) {
	dist, images := write(t)
	for _, tc := range []struct {
		name, tag string // of IMAGE
		want      string // the first image's tag
		referrers bool   // does the registry know them?
	}{
		{"a tag of its own", ":2026-03", "2026-03", true},
		{"the version as the tag", "", "1.2.3", true},
		{"a registry without referrers", ":1", "1", false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			host := serve(t, tc.referrers)
			pushed, err := Push(t.Context(), dist, host+"/team/edgejwt"+tc.tag, images)
			if err != nil || len(pushed) != len(images) {
				t.Fatalf("%d pushed: %v", len(pushed), err)
			}
			for i, full := range pushed {
				suffix := images[i].Tag[len(images[0].Tag):]
				tagged := host + "/team/edgejwt:" + tc.want + suffix
				if want := tagged + "@" + images[i].Digest; full != want {
					t.Errorf("told as %s, want %s", full, want)
				}
				desc := get(t, tagged)
				if desc.Digest.String() != images[i].Digest || desc.MediaType != types.OCIManifestSchema1 {
					t.Fatalf("%s is %v %v", tagged, desc.MediaType, desc.Digest)
				}
				fetched := fetch(t, desc, strings.HasSuffix(suffix, "-artifact"))
				if !bytes.Equal(fetched, code(moduleName)) {
					t.Errorf("%s: another module came back", tagged)
				}
				bill := billOf(t, tagged, desc.Digest)
				if !bytes.Equal(bill, read(t, dist, moduleName+".cdx.json")) {
					t.Errorf("%s: another bill of materials came back", tagged)
				}
			}
			// Once more changes nothing.
			if again, err := Push(t.Context(), dist, host+"/team/edgejwt"+tc.tag, images); err != nil || len(again) != len(images) {
				t.Error(err)
			}
		})
	}
}

func get(t *testing.T, reference string) *remote.Descriptor {
	t.Helper()
	ref, err := name.ParseReference(reference)
	if err != nil {
		t.Fatal(err)
	}
	desc, err := remote.Get(ref, remote.WithContext(t.Context()))
	if err != nil {
		t.Fatal(err)
	}
	return desc
}

func fetch(t *testing.T, desc *remote.Descriptor, artifact bool) []byte {
	t.Helper()
	img, err := desc.Image()
	if err != nil {
		t.Fatal(err)
	}
	if d, err := img.Digest(); err != nil || d != desc.Digest {
		t.Errorf("the image is %v, its tag's manifest %v: %v", d, desc.Digest, err)
	}
	layers, err := img.Layers()
	if err != nil || len(layers) == 0 {
		t.Fatalf("%d layers: %v", len(layers), err)
	}
	if !artifact {
		names, data := files(t, compressed(t, layers[len(layers)-1], types.OCILayer))
		if names[0] != "plugin.wasm" || len(data["LICENSE"]) == 0 || !bytes.Contains(data["THIRD_PARTY_LICENSES"], []byte("The Go Authors")) {
			t.Errorf("files %v", names)
		}
		// What a container runtime checks besides.
		config, err := img.ConfigFile()
		if err != nil || len(config.RootFS.DiffIDs) != 1 || config.OS != "wasip1" || config.Architecture != "wasm" {
			t.Errorf("configuration %+v: %v", config, err)
		}
		if id, err := layers[0].DiffID(); err != nil || id != config.RootFS.DiffIDs[0] {
			t.Errorf("DiffID %v, %v", id, err)
		}
		return data["plugin.wasm"]
	}
	if len(layers) != 2 {
		t.Fatalf("%d layers", len(layers))
	}
	data, err := io.ReadAll(compressed(t, layers[0], "application/vnd.module.wasm.content.layer.v1+wasm"))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func compressed(t *testing.T, layer gcr.Layer, want types.MediaType) io.Reader {
	t.Helper()
	if got, err := layer.MediaType(); err != nil || got != want {
		t.Fatalf("media type %s, want %s: %v", got, want, err)
	}
	r, err := layer.Compressed()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	return r
}

// billOf asks the registry what refers to an image, and gets the bill by the
// distribution specification, without a library for it.
func billOf(t *testing.T, tagged string, of gcr.Hash) []byte {
	t.Helper()
	ref, err := name.ParseReference(tagged)
	if err != nil {
		t.Fatal(err)
	}
	at := ref.Context()
	index, err := remote.Referrers(at.Digest(of.String()), remote.WithContext(t.Context()))
	if err != nil {
		t.Fatal(err)
	}
	list, err := index.IndexManifest()
	if err != nil || len(list.Manifests) != 1 {
		t.Fatalf("referrers %+v: %v", list, err)
	}
	repo := fmt.Sprintf("http://%s/v2/%s", at.RegistryStr(), at.RepositoryStr())
	var m v1.Manifest
	if err := json.Unmarshal(download(t, repo+"/manifests/"+list.Manifests[0].Digest.String()), &m); err != nil {
		t.Fatal(err)
	}
	// The list itself shows what this registry makes of it; the manifest is ours.
	if m.ArtifactType != "application/vnd.cyclonedx+json" || m.Subject.Digest.String() != of.String() {
		t.Errorf("what refers to %s is %+v", tagged, m)
	}
	return download(t, repo+"/blobs/"+m.Layers[0].Digest.String())
}

func download(t *testing.T, url string) []byte {
	t.Helper()
	resp, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s %v", url, resp.Status, err)
	}
	return data
}
