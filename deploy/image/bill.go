package image

import (
	"bytes"
	"net/url"
	"strings"

	cdx "github.com/CycloneDX/cyclonedx-go"
)

// billOfMaterials is a CycloneDX 1.6 document in JSON. It bears neither a serial
// number nor a time: both are optional, and the same module has the same bill.
func billOfMaterials(wasm []byte, parts []part, o Origin) ([]byte, error) {
	ours := cdx.Component{
		BOMRef: purl("edgejwt", o.Version) + "#" + moduleName, Type: cdx.ComponentTypeApplication,
		Name: moduleName, Version: o.Version, Description: description, PackageURL: purl("edgejwt", o.Version),
		Licenses: &cdx.Licenses{{License: &cdx.License{ID: "Apache-2.0"}}},
		Hashes:   &[]cdx.Hash{{Algorithm: cdx.HashAlgoSHA256, Value: sum(wasm)}},
	}
	var components []cdx.Component
	var refs []string
	for _, p := range parts {
		c := cdx.Component{
			BOMRef: purl(p.path, p.version), Type: cdx.ComponentTypeLibrary, Name: p.path, Version: p.version,
			PackageURL: purl(p.path, p.version), Scope: cdx.ScopeRequired,
			Licenses: &cdx.Licenses{{License: &cdx.License{ID: p.licence}}},
		}
		if p.sum != "" { // a sum over a whole tree, so none of CycloneDX's hashes
			c.Properties = &[]cdx.Property{{Name: "go.sum", Value: p.sum}}
		}
		components, refs = append(components, c), append(refs, c.BOMRef)
	}
	bom := cdx.NewBOM()
	bom.Metadata = &cdx.Metadata{Component: &ours}
	bom.Components = &components
	bom.Dependencies = &[]cdx.Dependency{{Ref: ours.BOMRef, Dependencies: &refs}}
	var b bytes.Buffer
	err := cdx.NewBOMEncoder(&b, cdx.BOMFileFormatJSON).SetPretty(true).EncodeVersion(bom, cdx.SpecVersion1_6)
	return b.Bytes(), err
}

// purl is a package URL of type golang. Go's own version is "go1.26.4", a release
// of the standard library is "1.26.4".
func purl(path, version string) string {
	if path == "std" {
		version = strings.TrimPrefix(version, "go")
	}
	return "pkg:golang/" + path + "@" + url.PathEscape(version)
}
