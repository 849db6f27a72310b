// Command with runs a command beside a PostgreSQL and a Redis of its own,
// which it names in the environment (see package testenv), and ends as the
// command ended:
//
//	go run ./internal/testenv/with go test ./...
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
	"time"

	"github.com/united24media/support/internal/testenv"
)

// patience is how long a command may take to end after a signal.
const patience = 10 * time.Second

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// run returns the exit code of the command args.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	if len(args) == 0 {
		fmt.Fprintln(stderr, "with: want a command to run")
		return 2
	}
	servers, endServers, err := testenv.Shared()
	if err != nil {
		fmt.Fprintln(stderr, "with:", err)
		return 1
	}
	defer func() {
		if err := endServers(); err != nil {
			fmt.Fprintln(stderr, "with:", err)
		}
	}()
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Env = append(os.Environ(), servers...)
	cmd.Stdout, cmd.Stderr = stdout, stderr
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = patience
	err = cmd.Run()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok && exit.Exited() {
		return exit.ExitCode()
	}
	if err != nil {
		fmt.Fprintln(stderr, "with:", err)
		return 1
	}
	return 0
}
