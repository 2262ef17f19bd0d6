package image

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"

	"oras.land/oras-go/v2"
	"oras.land/oras-go/v2/content/oci"
	"oras.land/oras-go/v2/registry"
	"oras.land/oras-go/v2/registry/remote"
	"oras.land/oras-go/v2/registry/remote/auth"
	"oras.land/oras-go/v2/registry/remote/credentials"
	"oras.land/oras-go/v2/registry/remote/retry"
)

// Push copies the images of the layout in dist to a registry and tells their full
// names. to is registry/name or registry/name:tag; the tag takes the version's
// place in the images' tags. Credentials are those of `docker login`. Plain HTTP
// is spoken only to a registry on this machine. A bill of materials comes after
// its image, so that an interrupted Push leaves no bill without one.
func Push(ctx context.Context, dist, to string, images []Image) ([]string, error) {
	ref, err := registry.ParseReference(to)
	if err != nil {
		return nil, err
	}
	if ref.Reference != "" && ref.ValidateReferenceAsTag() != nil {
		return nil, fmt.Errorf("%s: a tag is needed, not a digest", to)
	}
	from, err := oci.NewFromFS(ctx, os.DirFS(filepath.Join(dist, "image")))
	if err != nil {
		return nil, err
	}
	repo, err := repository(ref)
	if err != nil {
		return nil, err
	}
	var pushed []string
	for _, image := range images {
		tag := image.Tag
		if ref.Reference != "" {
			tag = ref.Reference + image.Tag[len(images[0].Tag):]
		}
		at, err := oras.Copy(ctx, from, image.Tag, repo, tag, oras.DefaultCopyOptions)
		if err != nil {
			return pushed, fmt.Errorf("%s: %w", tag, err)
		}
		bills, err := from.Predecessors(ctx, at)
		if err != nil {
			return pushed, err
		}
		for _, bill := range bills {
			if err := oras.CopyGraph(ctx, from, repo, bill, oras.DefaultCopyGraphOptions); err != nil {
				return pushed, fmt.Errorf("the bill of materials of %s: %w", tag, err)
			}
		}
		pushed = append(pushed, fmt.Sprintf("%s/%s:%s@%s", ref.Registry, ref.Repository, tag, at.Digest))
	}
	return pushed, nil
}

// repository is the registry's end, with credentials.
func repository(ref registry.Reference) (*remote.Repository, error) {
	repo, err := remote.NewRepository(ref.Registry + "/" + ref.Repository)
	if err != nil {
		return nil, err
	}
	store, err := credentials.NewStoreFromDocker(credentials.StoreOptions{})
	if err != nil {
		return nil, err
	}
	repo.Client = &auth.Client{Client: retry.DefaultClient, Cache: auth.NewCache(), Credential: credentials.Credential(store)}
	repo.PlainHTTP = onThisMachine(ref.Host())
	return repo, nil
}

// onThisMachine is true for loopback addresses and localhost.
func onThisMachine(hostport string) bool {
	host, _, err := net.SplitHostPort(hostport)
	if err != nil {
		host = hostport
	}
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
