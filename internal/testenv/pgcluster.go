package testenv

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// A Cluster is a PostgreSQL with its data, on a port that stays the same. One
// of a test's own may be ended in every way, started again with what it holds,
// halted, and followed by a standby.
type Cluster struct {
	home, data string
	port       int
	private    bool
	running    *leashed // nil while stopped
}

type clusterOptions struct {
	home    string   // "" for a temporary one
	private bool     // the process's own: its files go with it
	initdb  []string // further arguments
}

// PostgresServer returns a running, empty cluster that ends with the test. Its
// superuser is postgres.
func PostgresServer(t testing.TB) *Cluster {
	t.Helper()
	return testCluster(t, clusterOptions{})
}

// PostgresOn returns one that keeps its files in a folder, in small pieces: a
// disk of 160 MB is large enough.
func PostgresOn(t testing.TB, folder string) *Cluster {
	t.Helper()
	if err := own(folder); err != nil {
		t.Fatal(err)
	}
	return testCluster(t, clusterOptions{home: folder, initdb: []string{"--wal-segsize=1"}})
}

func testCluster(t testing.TB, o clusterOptions) *Cluster {
	t.Helper()
	c, err := newCluster(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.remove(t) })
	return c
}

func newCluster(o clusterOptions) (*Cluster, error) {
	c := &Cluster{home: o.home, private: o.private}
	if c.home == "" {
		var err error
		if c.home, err = newHome("postgres"); err != nil {
			return nil, err
		}
	}
	c.data = filepath.Join(c.home, "data")
	err := c.initialize(o.initdb)
	if err == nil {
		err = c.startSomewhere()
	}
	if err != nil {
		return nil, fmt.Errorf("a PostgreSQL for the tests: %w", errors.Join(err, os.RemoveAll(c.data)))
	}
	return c, nil
}

// startSomewhere starts on a free port.
func (c *Cluster) startSomewhere() error {
	var failures error
	for range startTries {
		var err error
		if c.port, err = freePort(); err != nil {
			return err
		}
		if err = c.start(); err == nil {
			return nil
		}
		failures = errors.Join(failures, err)
	}
	return failures
}

// initialize makes the files of a cluster.
func (c *Cluster) initialize(further []string) error {
	// --no-sync: these files may be lost with the machine, but not with a
	// process.
	err := c.run("initdb", append([]string{"-D", c.data, "--username=postgres", "--auth=trust",
		"--no-sync", "--encoding=UTF8", "--locale=C", "--locale-provider=icu", "--icu-locale=en-US"}, further...)...)
	if err != nil {
		return err
	}
	settings := fmt.Sprintf("max_connections = %d\nlisten_addresses = '127.0.0.1'\nunix_socket_directories = ''\n", maxConnections)
	if os.Getenv("SUPPORT_TEST_FSYNC") == "off" {
		settings += "fsync = off\n"
	}
	return appendTo(filepath.Join(c.data, "postgresql.conf"), settings)
}

func appendTo(path, text string) error {
	file, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = file.WriteString(text)
	return errors.Join(err, file.Close())
}

// run runs one of PostgreSQL's programs as the servers' user.
func (c *Cluster) run(name string, args ...string) error {
	path, err := postgresProgram(name)
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(context.Background(), path, args...)
	cmd.Dir = c.home
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: serverUser()}
	if printed, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w: %s", name, err, printed)
	}
	return nil
}

// Address returns the address of one of its databases for its superuser.
func (c *Cluster) Address(database string) string {
	return fmt.Sprintf("postgres://postgres@%s/%s?sslmode=disable", c.Addr(), database)
}

// Addr returns host:port.
func (c *Cluster) Addr() string { return fmt.Sprintf("127.0.0.1:%d", c.port) }

// Exec runs one statement as its superuser.
func (c *Cluster) Exec(t testing.TB, statement string) {
	t.Helper()
	if err := administer(t.Context(), c.Address("postgres"), statement); err != nil {
		t.Fatal(err)
	}
}

// Start starts a stopped cluster and returns when it answers. Starting a
// running one does nothing.
func (c *Cluster) Start(t testing.TB) {
	t.Helper()
	if c.running != nil {
		return
	}
	if err := c.start(); err != nil {
		t.Fatal(err)
	}
}

func (c *Cluster) start() error {
	server, err := postgresProgram("postgres")
	if err != nil {
		return err
	}
	running, err := launch{
		command: []string{server, "-D", c.data, "-p", strconv.Itoa(c.port)},
		signal:  "QUIT", // at once: nothing in it is kept
		home:    c.home, remove: c.private,
	}.start()
	if err != nil {
		return err
	}
	c.running = running
	if err := running.ready(func(ctx context.Context) error { return administer(ctx, c.Address("postgres"), "SELECT 1") }); err != nil {
		c.running = nil
		return err
	}
	return nil
}

// Stop ends the cluster and returns when it has ended: SIGINT is a fast
// shutdown, SIGQUIT an immediate one, and SIGKILL the machine's power cut.
func (c *Cluster) Stop(t testing.TB, how syscall.Signal) {
	t.Helper()
	if c.running == nil {
		return
	}
	processes, err := c.processes()
	if err != nil {
		t.Fatal(err)
	}
	if how != syscall.SIGKILL {
		processes = processes[:1] // it tells the others
	}
	signal(t, processes, how)
	select {
	case <-c.running.ended:
	case <-time.After(startLimit):
		t.Fatalf("PostgreSQL does not end: %s", c.running.printed())
	}
	if err := c.running.stop(); err != nil {
		t.Fatal(err)
	}
	c.running = nil
}

// Revive starts the cluster again if it has ended by itself.
func (c *Cluster) Revive(t testing.TB) {
	t.Helper()
	select {
	case <-c.running.ended:
		c.running = nil
		c.Start(t)
	default:
	}
}

// Halt stops all its processes where they are, as a machine does whose disk
// hangs: connections stay, and nobody answers. Resume lets them go on.
func (c *Cluster) Halt(t testing.TB) {
	t.Helper()
	c.signalAll(t, syscall.SIGSTOP)
}

// Resume lets a halted cluster go on.
func (c *Cluster) Resume(t testing.TB) {
	t.Helper()
	c.signalAll(t, syscall.SIGCONT)
}

// Standby returns a running hot standby that streams from c. It ends with the
// test.
func (c *Cluster) Standby(t testing.TB) *Cluster {
	t.Helper()
	home, err := newHome("standby")
	if err != nil {
		t.Fatal(err)
	}
	s := &Cluster{home: home, data: filepath.Join(home, "data")}
	t.Cleanup(func() { s.remove(t) })
	err = s.run("pg_basebackup", "-D", s.data, "-R", "-X", "stream", "-C", "-S", "standby", "--no-sync", "-c", "fast",
		"-h", "127.0.0.1", "-p", strconv.Itoa(c.port), "-U", "postgres")
	if err == nil {
		err = s.startSomewhere()
	}
	if err != nil {
		t.Fatalf("a standby for the tests: %v", err)
	}
	return s
}

// Promote makes a standby take writes and returns when it does.
func (c *Cluster) Promote(t testing.TB) {
	t.Helper()
	c.Exec(t, "SELECT pg_promote()")
}

// stop ends the cluster at once.
func (c *Cluster) stop() error {
	if c.running == nil {
		return nil
	}
	err := c.running.stop()
	c.running = nil
	return err
}

func (c *Cluster) remove(t testing.TB) {
	t.Helper()
	if processes, err := c.processes(); err == nil && c.running != nil {
		signal(t, processes, syscall.SIGCONT)
	}
	if err := errors.Join(c.stop(), os.RemoveAll(c.data)); err != nil {
		t.Error(err)
	}
	_ = os.RemoveAll(c.home) // a disk of the test's own stays, empty
}

// processes returns the ids of the postmaster and its children, itself first.
func (c *Cluster) processes() ([]int, error) {
	text, err := os.ReadFile(filepath.Join(c.data, "postmaster.pid"))
	if err != nil {
		return nil, err
	}
	first, _, _ := strings.Cut(string(text), "\n")
	postmaster, err := strconv.Atoi(first)
	if err != nil {
		return nil, err
	}
	all := []int{postmaster}
	paths, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			continue // it has ended
		}
		// pid (name) state parent …; a name may hold anything.
		after := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
		if len(after) > 1 && after[1] == first {
			if pid, err := strconv.Atoi(filepath.Base(filepath.Dir(path))); err == nil {
				all = append(all, pid)
			}
		}
	}
	return all, nil
}

// signalAll sends a signal to the postmaster and its children.
func (c *Cluster) signalAll(t testing.TB, s syscall.Signal) {
	t.Helper()
	processes, err := c.processes()
	if err != nil {
		t.Fatal(err)
	}
	signal(t, processes, s)
}

// signal sends a signal to processes. One that has ended meanwhile is as well.
func signal(t testing.TB, processes []int, s syscall.Signal) {
	t.Helper()
	for _, pid := range processes {
		if err := syscall.Kill(pid, s); err != nil && !errors.Is(err, syscall.ESRCH) {
			t.Fatal(err)
		}
	}
}
