package parts

import (
	"context"
	"fmt"
	"net/http"
	"path/filepath"
	"regexp"
	"strconv"
)

// API is the running FastAPI app.
type API struct {
	*Process
	Address string // host:port
}

// APIOptions say how to start the app.
type APIOptions struct {
	Root string // project's folder
	App  string // "main:app", or "recorded:app", which also tells what it saw
	Port int    // on 127.0.0.1; 0 takes a free one
	Log  string // file for its output
}

var uvicornAddress = regexp.MustCompile(`Uvicorn running on http://(\S+)`)

// StartAPI returns when the app answers /health, and gives up, with the last
// lines of its log, when it ends or ctx does.
func StartAPI(ctx context.Context, o APIOptions) (*API, error) {
	p, err := Start(Program{
		Name: "the API",
		Dir:  o.Root,
		Log:  o.Log,
		Env:  []string{"PYTHONDONTWRITEBYTECODE=1", "PYTHONUNBUFFERED=1"},
		Args: []string{filepath.Join(o.Root, ".tools/venv/bin/python"), "-m", "uvicorn", o.App,
			"--app-dir", filepath.Join(o.Root, "e2e/api"), "--host", "127.0.0.1", "--port", strconv.Itoa(o.Port),
			"--no-access-log", "--backlog", "4096"},
	})
	if err != nil {
		return nil, err
	}
	a := &API{Process: p}
	err = p.wait(ctx, func() error {
		m := uvicornAddress.FindStringSubmatch(p.Output())
		if m == nil {
			return fmt.Errorf("it has not said where it listens")
		}
		a.Address = m[1]
		resp, err := adminClient.Get("http://" + a.Address + "/health")
		if err != nil {
			return err
		}
		resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			return fmt.Errorf("/health says %d", resp.StatusCode)
		}
		return nil
	})
	if err != nil {
		p.Stop()
		return nil, err
	}
	return a, nil
}
