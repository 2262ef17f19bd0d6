package image

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"time"
)

// file goes into a layer.
type file struct {
	name string
	data []byte
}

// archiveOf gives a layer, compressed and plain. The module has to be the first
// file: Envoy Gateway, when it gets an archive over HTTP, takes the first one.
func archiveOf(files []file, modified time.Time) (compressed, plain []byte, err error) {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, f := range files {
		h := &tar.Header{Typeflag: tar.TypeReg, Name: f.name, Mode: 0o644, Size: int64(len(f.data)), ModTime: modified.UTC(), Format: tar.FormatUSTAR}
		if err := w.WriteHeader(h); err != nil {
			return nil, nil, err
		}
		if _, err := w.Write(f.data); err != nil {
			return nil, nil, err
		}
	}
	if err := w.Close(); err != nil {
		return nil, nil, err
	}
	var z bytes.Buffer
	zw, err := gzip.NewWriterLevel(&z, gzip.BestCompression) // no name and no time in its header
	if err != nil {
		return nil, nil, err
	}
	if _, err := zw.Write(b.Bytes()); err != nil {
		return nil, nil, err
	}
	if err := zw.Close(); err != nil {
		return nil, nil, err
	}
	return z.Bytes(), b.Bytes(), nil
}
