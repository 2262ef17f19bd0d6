package image

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"edgejwt/plugin/version"
)

// OriginOf asks git where the project's folder stands. The version is
// version.Number, as in the module's log. A commit that does not bear its tag has
// the commit's first letters behind it, and "-dirty" if the folder differs from
// the commit: no two contents have one tag in a registry. SOURCE_DATE_EPOCH
// (seconds since 1970, as getenv gives it) takes the place of the commit's time. A
// folder without git is of 1970: the same for everybody who unpacks the same
// archive.
func OriginOf(ctx context.Context, root string, getenv func(string) string) (Origin, error) {
	o := Origin{Version: version.Number, Created: time.Unix(0, 0).UTC()}
	_, err := os.Stat(filepath.Join(root, ".git"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return o, err
	}
	if err == nil {
		// Only the release's own tag: a commit may bear others.
		described, err := git(ctx, root, "describe", "--tags", "--exclude", "*", "--always", "--abbrev=12", "--dirty")
		if err != nil {
			return o, err
		}
		tags, err := git(ctx, root, "tag", "--points-at", "HEAD", "--list", "v"+version.Number)
		if err != nil {
			return o, err
		}
		dirty := strings.HasSuffix(described, "-dirty")
		if tags == "" || dirty {
			o.Version += "-" + described
		}
		// A tree with changes is none of its commit's.
		if !dirty {
			if o.Revision, err = git(ctx, root, "rev-parse", "HEAD"); err != nil {
				return o, err
			}
		}
		when, err := git(ctx, root, "log", "-1", "--format=%ct")
		if err != nil {
			return o, err
		}
		if o.Created, err = epoch(when); err != nil {
			return o, err
		}
	}
	if when := getenv("SOURCE_DATE_EPOCH"); when != "" {
		if o.Created, err = epoch(when); err != nil {
			return o, fmt.Errorf("SOURCE_DATE_EPOCH: %w", err)
		}
	}
	return o, nil
}

func epoch(seconds string) (time.Time, error) {
	n, err := strconv.ParseInt(seconds, 10, 64)
	return time.Unix(n, 0).UTC(), err
}

func git(ctx context.Context, root string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "git", append([]string{"-C", root}, args...)...)
	out, err := cmd.Output()
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
		err = fmt.Errorf("git %s: %w: %s", args[0], err, exit.Stderr)
	}
	return strings.TrimSpace(string(out)), err
}
