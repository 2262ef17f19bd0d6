package harness

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"edgejwt/e2e/parts"
)

// shared is what all tests of one binary use.
var shared struct {
	root string
	apis map[string]*parts.API // by app
	dir  string

	worlds   map[string]*World // of SharedAs
	cleanups []func()          // run by Main, last first
}

// Main runs the tests of a package and ends what they share. It answers with
// the exit status.
func Main(m *testing.M) int {
	root, err := parts.Root()
	if err == nil {
		err = parts.Check(root)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	shared.root = root
	defer func() {
		for _, f := range slices.Backward(shared.cleanups) {
			f()
		}
		for _, api := range shared.apis {
			api.Stop()
		}
		if shared.dir != "" {
			os.RemoveAll(shared.dir)
		}
	}()
	return m.Run()
}

// Root is the project's folder.
func Root() string { return shared.root }

// sharedAPI starts an app when it is first asked for.
func sharedAPI(app string) (*parts.API, error) {
	app = cmp.Or(app, "recorded:app")
	if api := shared.apis[app]; api != nil {
		return api, nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if shared.dir == "" {
		var err error
		if shared.dir, err = os.MkdirTemp("", "edgejwt-e2e-"); err != nil {
			return nil, err
		}
		shared.apis = map[string]*parts.API{}
	}
	api, err := parts.StartAPI(ctx, parts.APIOptions{
		Root: shared.root, App: app, Log: filepath.Join(shared.dir, strings.ReplaceAll(app, ":", "-")+".log"),
	})
	if err != nil {
		return nil, err
	}
	shared.apis[app] = api
	return api, nil
}

// Shared is a world with Options{} and keys, the same for all tests of the
// binary, which must leave the tenant healthy and Envoy running. Metrics go on
// counting from test to test.
func Shared(t testing.TB) *World {
	t.Helper()
	return SharedAs(t, "shared", Options{})
}

// SharedAs is Shared for a world that is something else than the usual one. Who
// asks first under a name makes it; options are the same for all that ask.
func SharedAs(t testing.TB, name string, o Options) *World {
	t.Helper()
	if shared.worlds[name] == nil {
		if _, err := sharedAPI(o.App); err != nil {
			t.Fatal(err)
		}
		w := prepare(t, o, filepath.Join(shared.dir, name), func(f func()) {
			shared.cleanups = append(shared.cleanups, f)
		})
		w.StartEnvoy()
		w.AwaitKeys()
		if shared.worlds == nil {
			shared.worlds = map[string]*World{}
		}
		shared.worlds[name] = w
	}
	w := *shared.worlds[name]
	w.T = t
	w.ResetSeen()
	t.Cleanup(w.showLog)
	return &w
}
