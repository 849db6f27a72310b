// Package e2e runs the real program as an operator does, and clicks through
// its pages as a reader does. It has no other code.
package e2e

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// patience is how long a test waits for what happens by itself. The machine
// may be busy with other packages' tests.
const patience = 2 * time.Minute

// binary is the program under test, built by TestMain as it is released:
// without cgo and without the race detector.
var binary string

func TestMain(m *testing.M) { os.Exit(withBinary(m.Run)) }

func withBinary(tests func() int) int {
	folder, err := os.MkdirTemp("", "support-e2e-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(folder)
	binary = filepath.Join(folder, "support")
	if given := os.Getenv(givenBinary); given != "" {
		binary = given
	} else if err := build(binary, ""); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return tests()
}

// givenBinary names a build to test in the place of a new one.
const givenBinary = "SUPPORT_TEST_BINARY"

// build builds the program at path, with what an overlay replaces or adds; ""
// is none.
func build(path, overlay string) error {
	args := []string{"build", "-o", path}
	if overlay != "" {
		args = append(args, "-overlay", overlay)
	}
	cmd := exec.CommandContext(context.Background(), "go", append(args, "../../cmd/support")...)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if printed, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("go build: %w\n%s", err, printed)
	}
	return nil
}

// A program is one running `support serve`.
type program struct {
	url    string // of the public listener
	cmd    *exec.Cmd
	guard  *exec.Cmd // ends the program if this process is killed
	ended  chan struct{}
	exit   int // once ended
	stdout *output
	stderr *output
}

// An output can be read while it is written.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// environment is all a program knows of this machine.
func environment(settings []string) []string {
	return append([]string{
		"PATH=" + os.Getenv("PATH"), "SUPPORT_ADDR=127.0.0.1:0", "SUPPORT_ADMIN_ADDR=127.0.0.1:0",
	}, settings...)
}

// launch starts the program in a folder, where its data goes, with further
// settings, and does not wait. It ends with the test.
func launch(t *testing.T, folder string, settings ...string) *program {
	t.Helper()
	return launchBuild(t, binary, folder, settings...)
}

// launchBuild does so with another build of the program.
func launchBuild(t *testing.T, build, folder string, settings ...string) *program {
	t.Helper()
	p := &program{ended: make(chan struct{}), stdout: &output{}, stderr: &output{}}
	p.cmd = exec.CommandContext(context.WithoutCancel(t.Context()), build)
	p.cmd.Dir, p.cmd.Env = folder, environment(settings)
	p.cmd.Stdout, p.cmd.Stderr = p.stdout, p.stderr
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	p.guard = exec.CommandContext(context.WithoutCancel(t.Context()), "/bin/sh", "-c", "read _; kill -9 $0 2>/dev/null", strconv.Itoa(p.cmd.Process.Pid))
	leash, err := p.guard.StdinPipe()
	if err == nil {
		err = p.guard.Start()
	}
	if err != nil {
		t.Fatal(errors.Join(err, p.cmd.Process.Kill()))
	}
	go func() {
		defer close(p.ended)
		_ = p.cmd.Wait() // its exit code says how it went
		p.exit = p.cmd.ProcessState.ExitCode()
		_ = p.guard.Process.Kill()
		_ = p.guard.Wait() // it was killed
		_ = leash.Close()
	}()
	t.Cleanup(func() {
		p.kill()
		if t.Failed() {
			t.Logf("the program's log:\n%s", tail(p.stderr.String(), 4000))
		}
	})
	return p
}

// tail returns the last bytes of a text.
func tail(text string, most int) string { return text[max(0, len(text)-most):] }

var supportPage = regexp.MustCompile(`Support page +(\S+)/support\n`)

// start launches the program and waits until it says where it is.
func start(t *testing.T, folder string, settings ...string) *program {
	t.Helper()
	p := launch(t, folder, settings...)
	p.wait(t)
	return p
}

// wait returns when the program has said where it is.
func (p *program) wait(t *testing.T) {
	t.Helper()
	eventually(t, "the program says where it is", func() bool {
		select {
		case <-p.ended:
			t.Fatalf("the program ended with %d:\n%s", p.exit, p.stderr)
		default:
		}
		if found := supportPage.FindStringSubmatch(p.stdout.String()); found != nil {
			p.url = found[1]
		}
		return p.url != ""
	})
}

// kill ends the program as a power cut would, and returns when it has ended.
func (p *program) kill() {
	_ = p.cmd.Process.Kill() // it may have ended by itself
	<-p.ended
}

// end asks the program to end, as a service manager would, and returns its
// exit code.
func (p *program) end(t *testing.T) int {
	t.Helper()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	select {
	case <-p.ended:
		return p.exit
	case <-time.After(patience):
		t.Fatal("the program does not end")
		return -1
	}
}

// command runs another command of the program beside it and returns what it
// printed on standard output. It fails the test unless it ends with 0.
func command(t *testing.T, folder string, settings []string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), binary, args...)
	cmd.Dir, cmd.Env = folder, environment(settings)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		t.Fatalf("support %s: %v\n%s%s", strings.Join(args, " "), err, &stdout, &stderr)
	}
	return stdout.String()
}

// eventually waits until something is so.
func eventually(t *testing.T, what string, so func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !so(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("never: %s", what)
		}
	}
}

// get returns the status and text of an answer.
func get(t *testing.T, address string) (status int, text string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	all, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, string(all)
}

// memory returns how much memory a process holds, in bytes: its own, and that
// of files, which is the program itself. How much of the program is in memory
// is the kernel's choice, which maps more around each page that is touched the
// more it has cached, and takes it back when it needs the room. It is known on
// Linux only.
func memory(t *testing.T, pid int) (own, files int) {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Skipf("LEFT OUT: the memory of a process is read from /proc, which is not here: %v", err)
	}
	read := func(name string) int {
		_, rest, _ := strings.Cut(string(status), name+":")
		kib, _, _ := strings.Cut(rest, "kB")
		n, err := strconv.Atoi(strings.TrimSpace(kib))
		if err != nil {
			t.Fatalf("/proc tells no %s of the program: %v", name, err)
		}
		return n << 10
	}
	return read("RssAnon") + read("RssShmem"), read("RssFile")
}
