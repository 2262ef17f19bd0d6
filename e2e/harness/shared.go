package harness

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"edgejwt/e2e/parts"
)

// shared is what all tests of one binary use.
var shared struct {
	root string
	once sync.Once
	api  *parts.API
	err  error
	dir  string

	world    *World   // of Shared
	cleanups []func() // run by Main, last first
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
		if shared.api != nil {
			shared.api.Stop()
		}
		if shared.dir != "" {
			os.RemoveAll(shared.dir)
		}
	}()
	return m.Run()
}

// Root is the project's folder.
func Root() string { return shared.root }

func sharedAPI() (*parts.API, error) {
	shared.once.Do(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if shared.dir, shared.err = os.MkdirTemp("", "edgejwt-e2e-"); shared.err != nil {
			return
		}
		shared.api, shared.err = parts.StartAPI(ctx, parts.APIOptions{
			Root: shared.root, App: "recorded:app", Log: filepath.Join(shared.dir, "api.log"),
		})
	})
	return shared.api, shared.err
}

// Shared is a world with Options{} and keys, the same for all tests of the
// binary, which must leave the tenant healthy and Envoy running. Metrics go on
// counting from test to test.
func Shared(t testing.TB) *World {
	t.Helper()
	if shared.world == nil {
		if _, err := sharedAPI(); err != nil {
			t.Fatal(err)
		}
		w := prepare(t, Options{}, filepath.Join(shared.dir, "shared"), func(f func()) {
			shared.cleanups = append(shared.cleanups, f)
		})
		w.StartEnvoy()
		w.AwaitKeys()
		shared.world = w
	}
	w := *shared.world
	w.T = t
	w.ResetSeen()
	t.Cleanup(w.showLog)
	return &w
}
