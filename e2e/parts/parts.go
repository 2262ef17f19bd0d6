// Package parts runs the real programs that the demonstration and the tests are
// made of: Envoy and the FastAPI app, both from the project's own virtual
// environment. It starts each in a process group of its own, keeps its output in
// a file, notices when it dies early, and ends it with everything that it
// started. It knows nothing of what is asked of them.
package parts

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// Program says what to start.
type Program struct {
	Name string   // for messages: "Envoy", "the API"
	Args []string // Args[0] is the file to run
	Dir  string   // working directory; "" is this process's
	Env  []string // added to a short environment (PATH, HOME, LANG): no secrets are handed down
	Log  string   // file for its output, truncated first
}

// Process is a running program. Its methods may be called by several goroutines.
type Process struct {
	name, log string
	cmd       *exec.Cmd
	done      chan struct{}
	err       error // of Wait; readable when done is closed
}

// Start runs p. The caller must Stop the process.
func Start(p Program) (*Process, error) {
	if err := os.MkdirAll(filepath.Dir(p.Log), 0o755); err != nil {
		return nil, err
	}
	out, err := os.Create(p.Log)
	if err != nil {
		return nil, err
	}
	defer out.Close() // the child has its own copy
	cmd := exec.Command(p.Args[0], p.Args[1:]...)
	cmd.Dir = p.Dir
	cmd.Stdout, cmd.Stderr = out, out
	for _, name := range []string{"PATH", "HOME", "LANG", "TMPDIR"} {
		if v, ok := os.LookupEnv(name); ok {
			cmd.Env = append(cmd.Env, name+"="+v)
		}
	}
	cmd.Env = append(cmd.Env, p.Env...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	diesWithParent(cmd.SysProcAttr)
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("%s does not start: %w", p.Name, err)
	}
	proc := &Process{name: p.Name, log: p.Log, cmd: cmd, done: make(chan struct{})}
	go func() {
		proc.err = cmd.Wait()
		close(proc.done)
	}()
	return proc, nil
}

// PID is the process's id, which is also its group's.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Name is the program's name for messages.
func (p *Process) Name() string { return p.name }

// Done is closed when the process has ended.
func (p *Process) Done() <-chan struct{} { return p.done }

// Died says how a process that nobody stopped ended, with the last lines of its
// output. It waits for the end.
func (p *Process) Died() error {
	<-p.done
	how := "exited"
	if p.err != nil {
		how = p.err.Error()
	}
	return fmt.Errorf("%s ended (%s). The last lines of %s:\n%s", p.name, how, p.log, p.Tail(15))
}

// Tail is the last n lines of the output.
func (p *Process) Tail(n int) string {
	data, err := os.ReadFile(p.log)
	if err != nil {
		return err.Error()
	}
	lines := strings.Split(strings.TrimRight(string(data), "\n"), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}

// Output is all that it has written so far.
func (p *Process) Output() string {
	data, _ := os.ReadFile(p.log)
	return string(data)
}

// Stop asks the process and its group to end, kills them after five seconds,
// and returns when the process is gone. Stopping twice is harmless.
func (p *Process) Stop() {
	p.signal(syscall.SIGTERM)
	select {
	case <-p.done:
	case <-time.After(5 * time.Second):
		p.Kill()
	}
}

// Kill ends the process and its group without asking, as a crash would.
func (p *Process) Kill() {
	p.signal(syscall.SIGKILL)
	<-p.done
}

// signal does nothing once the process has been waited for: its number may
// belong to another by then.
func (p *Process) signal(s syscall.Signal) {
	select {
	case <-p.done:
	default:
		syscall.Kill(-p.PID(), s)
	}
}

// wait calls ready every 20 ms until it answers nil. It fails when the process
// ends first or ctx does.
func (p *Process) wait(ctx context.Context, ready func() error) error {
	for {
		err := ready()
		if err == nil {
			return nil
		}
		select {
		case <-p.done:
			return p.Died()
		case <-ctx.Done():
			if errors.Is(ctx.Err(), context.Canceled) {
				return ctx.Err()
			}
			return fmt.Errorf("%s is not ready: %w. The last lines of %s:\n%s", p.name, err, p.log, p.Tail(15))
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// Check says in one sentence what is missing in the project's folder: the
// module or the virtual environment.
func Check(root string) error {
	for path, make := range map[string]string{"dist/edgejwt.wasm": "make build", ".tools/venv/.installed": "make deps"} {
		if _, err := os.Stat(filepath.Join(root, path)); err != nil {
			return fmt.Errorf("%s is missing; run: %s", path, make)
		}
	}
	return nil
}

// Root finds the project's folder, that of the module edgejwt, from the working
// directory upwards; modules in folders below it have names of their own.
func Root() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for at := dir; ; at = filepath.Dir(at) {
		text, err := os.ReadFile(filepath.Join(at, "go.mod"))
		if err == nil && bytes.HasPrefix(text, []byte("module edgejwt\n")) {
			return at, nil
		}
		if at == filepath.Dir(at) {
			return "", fmt.Errorf("no go.mod of module edgejwt in %s or above; start in the project's folder", dir)
		}
	}
}
