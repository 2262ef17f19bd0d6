package image

import (
	"encoding/json"
	"os"
	"path/filepath"
	"time"

	"github.com/opencontainers/go-digest"
	specs "github.com/opencontainers/image-spec/specs-go"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"
)

// Media types of the artifact form, and of a bill of materials.
const (
	typeModuleConfig = "application/vnd.module.wasm.config.v1+json"
	typeModule       = "application/vnd.module.wasm.content.layer.v1+wasm"
	typeBill         = "application/vnd.cyclonedx+json"
)

// content is what the images hold.
type content struct {
	wasm, licence, notices, bill []byte
}

// layout is an OCI image layout that is being written.
type layout struct {
	dir    string
	index  []v1.Descriptor
	images []Image
}

// add packs the module in both forms. A fetcher needs one of them; we name the
// image first, which every tool for images can read, too.
func (l *layout) add(c content, o Origin) error {
	notes := annotations(o)
	archive, plain, err := archiveOf([]file{{"plugin.wasm", c.wasm}, {"LICENSE", c.licence}, {"THIRD_PARTY_LICENSES", c.notices}}, o.Created)
	if err != nil {
		return err
	}
	created := o.Created.UTC()
	config := v1.Image{
		Created:  &created,
		Platform: v1.Platform{OS: "wasip1", Architecture: "wasm"},
		Config:   v1.ImageConfig{Labels: notes},
		RootFS:   v1.RootFS{Type: "layers", DiffIDs: []digest.Digest{digest.FromBytes(plain)}},
		History:  []v1.History{{Created: &created, CreatedBy: "edgejwt deploy/cmd/image"}},
	}
	compat := v1.Manifest{
		Config: l.json(v1.MediaTypeImageConfig, config, &err),
		Layers: []v1.Descriptor{l.blob(v1.MediaTypeImageLayerGzip, archive, &err)},
	}
	l.image(o.Version, compat, notes, c.bill, &err)

	runtime := map[string]any{"type": "envoy_proxy", "abiVersions": []string{"0.2.0"}, "config": map[string]any{"root_ids": []string{}}}
	artifact := v1.Manifest{
		ArtifactType: typeModuleConfig,
		Config:       l.json(typeModuleConfig, runtime, &err),
		Layers: []v1.Descriptor{
			titled(l.blob(typeModule, c.wasm, &err), "plugin.wasm"),
			titled(l.json(typeModuleConfig, runtime, &err), "runtime-config.json"),
		},
	}
	l.image(o.Version+"-artifact", artifact, notes, c.bill, &err)
	return err
}

// image writes a manifest under a tag, and the bill as something that refers to
// it (OCI image specification 1.1, "subject").
func (l *layout) image(tag string, m v1.Manifest, notes map[string]string, bill []byte, err *error) {
	m.Versioned, m.MediaType, m.Annotations = specs.Versioned{SchemaVersion: 2}, v1.MediaTypeImageManifest, notes
	at := l.json(v1.MediaTypeImageManifest, m, err)
	at.ArtifactType = m.ArtifactType
	l.images = append(l.images, Image{Tag: tag, Digest: at.Digest.String()})
	subject := v1.Descriptor{MediaType: at.MediaType, Digest: at.Digest, Size: at.Size}
	at.Annotations = map[string]string{v1.AnnotationRefName: tag}
	refers := v1.Manifest{
		Versioned: m.Versioned, MediaType: m.MediaType, ArtifactType: typeBill, Subject: &subject,
		Config:      l.blob(v1.MediaTypeEmptyJSON, v1.DescriptorEmptyJSON.Data, err),
		Layers:      []v1.Descriptor{titled(l.blob(typeBill, bill, err), notes[v1.AnnotationTitle]+".cdx.json")},
		Annotations: map[string]string{v1.AnnotationCreated: notes[v1.AnnotationCreated]},
	}
	ref := l.json(v1.MediaTypeImageManifest, refers, err)
	ref.ArtifactType = typeBill
	l.index = append(l.index, at, ref)
}

// json writes a value, blob bytes. Both do nothing after an error.
func (l *layout) json(mediaType string, value any, err *error) v1.Descriptor {
	data, failed := json.Marshal(value)
	if *err == nil {
		*err = failed
	}
	return l.blob(mediaType, data, err)
}

func (l *layout) blob(mediaType string, data []byte, err *error) v1.Descriptor {
	d := v1.Descriptor{MediaType: mediaType, Digest: digest.FromBytes(data), Size: int64(len(data))}
	if *err == nil {
		*err = l.write(filepath.Join("blobs", "sha256", d.Digest.Encoded()), data)
	}
	return d
}

func (l *layout) write(name string, data []byte) error {
	path := filepath.Join(l.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return os.WriteFile(path, data, 0o644)
}

// finish writes the index, and the mark by which a layout is known.
func (l *layout) finish() (err error) {
	index := v1.Index{Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: v1.MediaTypeImageIndex, Manifests: l.index}
	for name, value := range map[string]any{"index.json": index, v1.ImageLayoutFile: v1.ImageLayout{Version: v1.ImageLayoutVersion}} {
		data, failed := json.Marshal(value)
		if failed == nil {
			failed = l.write(name, data)
		}
		if err == nil {
			err = failed
		}
	}
	return err
}

func titled(d v1.Descriptor, title string) v1.Descriptor {
	d.Annotations = map[string]string{v1.AnnotationTitle: title}
	return d
}

// annotations are those of the image specification, without what is not known.
func annotations(o Origin) map[string]string {
	notes := map[string]string{
		v1.AnnotationTitle:       moduleName,
		v1.AnnotationDescription: description,
		v1.AnnotationVersion:     o.Version,
		v1.AnnotationLicenses:    "Apache-2.0",
		v1.AnnotationCreated:     o.Created.UTC().Format(time.RFC3339),
	}
	if o.Revision != "" {
		notes[v1.AnnotationRevision] = o.Revision
	}
	if o.Source != "" {
		notes[v1.AnnotationSource] = o.Source
	}
	return notes
}
