package testenv

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"runtime"
	"strconv"
	"sync"
	"syscall"
	"time"
)

const (
	startLimit = 60 * time.Second // for a server to answer; a busy machine is slow
	stopLimit  = 15 * time.Second // for a server to end
	pollEvery  = 10 * time.Millisecond
	startTries = 5 // ports to try, as another process may take one first
)

// keeper runs a server and ends it when the pipe on its own standard input
// closes, which the system does for a holder that was killed. Its arguments
// are the signal that ends the server, the file for what it prints, the
// folder to remove afterwards (or nothing), and the command. A server's own
// children may be a moment late to leave the folder.
const keeper = `
signal=$1 log=$2 folder=$3
shift 3
exec 9<&0
"$@" </dev/null >>"$log" 2>&1 9<&- &
server=$!
{ read -r _ <&9; kill -s "$signal" "$server" 2>/dev/null; } &
watch=$!
exec 9<&-
wait "$server"
status=$?
kill "$watch" 2>/dev/null
if [ -n "$folder" ]; then rm -rf "$folder" 2>/dev/null || { sleep 1; rm -rf "$folder"; }; fi
exit "$status"
`

// A leashed is a server process that can't outlive this one.
type leashed struct {
	leash io.Closer // the server is told to end when it closes
	ended chan struct{}
	log   string // path of what the server printed
}

// A launch says how to start a server.
type launch struct {
	command []string
	signal  string // that ends it, as kill takes it
	home    string // the working folder, where the log goes
	remove  bool   // removes home when the server has ended
}

// start runs the server of l as the user who may own servers.
func (l launch) start() (*leashed, error) {
	folder := ""
	if l.remove {
		folder = l.home
	}
	log := filepath.Join(l.home, "server.log")
	reader, writer, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer reader.Close()
	cmd := exec.CommandContext(context.Background(), l.command[0], l.command[1:]...)
	keep(cmd, reader, l.signal, log, folder)
	cmd.Dir = l.home
	cmd.SysProcAttr.Credential = serverUser()
	if err := cmd.Start(); err != nil {
		return nil, errors.Join(err, writer.Close())
	}
	s := &leashed{leash: writer, ended: make(chan struct{}), log: log}
	go func() {
		defer close(s.ended)
		_ = cmd.Wait()            // how a server ended is in its log
		runtime.KeepAlive(writer) // collected, it would close, and the server end
	}()
	return s, nil
}

// keep has a keeper run a command that was not started yet, until reader's
// pipe closes.
func keep(cmd *exec.Cmd, reader *os.File, signal, log, folder string) {
	cmd.Args = append([]string{"sh", "-c", keeper, "keeper", signal, log, folder, cmd.Path}, cmd.Args[1:]...)
	cmd.Path, cmd.Stdin = "/bin/sh", reader
	// A group of its own: the terminal's Ctrl-C is for the tests, and the
	// keeper must be there to clean up after them.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
}

// Leash makes a command that was not started yet end when this process is gone,
// and its folder be removed then; or when the leash closes, or is collected.
func Leash(cmd *exec.Cmd, folder string) (leash io.Closer, err error) {
	reader, writer, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	keep(cmd, reader, "TERM", filepath.Join(folder, "server.log"), folder)
	return writer, nil
}

func (s *leashed) ready(answers func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(context.Background(), startLimit)
	defer cancel()
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	for {
		err := answers(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-s.ended:
			return fmt.Errorf("ended at once: %s", s.printed())
		case <-ctx.Done():
			return errors.Join(fmt.Errorf("did not answer within %v: %w: %s", startLimit, err, s.printed()), s.stop())
		case <-tick.C:
		}
	}
}

// stop ends the server and returns when it has ended.
func (s *leashed) stop() error {
	if err := s.leash.Close(); err != nil && !errors.Is(err, os.ErrClosed) {
		return err
	}
	select {
	case <-s.ended:
		return nil
	case <-time.After(stopLimit):
		return fmt.Errorf("a test server did not end within %v: %s", stopLimit, s.printed())
	}
}

// printed returns the end of what the server printed.
func (s *leashed) printed() string {
	const most = 2000 // bytes
	text, err := os.ReadFile(s.log)
	if err != nil {
		return err.Error()
	}
	return string(text[max(0, len(text)-most):])
}

// serverUser is who runs the servers: this process's user, but for root, whom
// PostgreSQL refuses, the user its package made.
var serverUser = sync.OnceValue(func() *syscall.Credential {
	if os.Getuid() != 0 {
		return nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, err1 := strconv.ParseUint(u.Uid, 10, 32)
		gid, err2 := strconv.ParseUint(u.Gid, 10, 32)
		if err1 == nil && err2 == nil {
			return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
		}
	}
	return nil
})

// newHome makes a temporary folder that belongs to serverUser.
func newHome(kind string) (string, error) {
	home, err := os.MkdirTemp("", "support-test-"+kind+"-")
	if err != nil {
		return "", err
	}
	return home, own(home)
}

// own gives a folder to serverUser.
func own(folder string) error {
	u := serverUser()
	if u == nil {
		return nil
	}
	return os.Chown(folder, int(u.Uid), int(u.Gid))
}

// freePort returns a port of 127.0.0.1 that nobody listens on now.
func freePort() (int, error) {
	listener, err := listen(0)
	if err != nil {
		return 0, err
	}
	return listener.Addr().(*net.TCPAddr).Port, listener.Close()
}

// listen opens a port of 127.0.0.1; 0 is any free one.
func listen(port int) (net.Listener, error) {
	return new(net.ListenConfig).Listen(context.Background(), "tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
}
