package testenv

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// A Disk is a small file system of a test's own, which can be filled.
type Disk struct {
	t      testing.TB
	Folder string
}

// NewDisk mounts a disk of so many megabytes in memory; it is gone with the
// test. Where nothing may be mounted the test is skipped, in words.
func NewDisk(t testing.TB, megabytes int) *Disk {
	t.Helper()
	folder, err := newHome("disk") // which the servers' user may enter
	if err != nil {
		t.Fatal(err)
	}
	d := &Disk{t, folder}
	t.Cleanup(func() {
		if err := os.Remove(folder); err != nil {
			t.Error(err)
		}
	})
	err = unix.Mount("tmpfs", d.Folder, "tmpfs", 0, fmt.Sprintf("size=%dm", megabytes))
	if err != nil {
		t.Skipf("LEFT OUT: a full disk, because this user may not mount a small one: %v", err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(d.Folder, unix.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return d
}

// Fill leaves no byte free.
func (d *Disk) Fill() {
	d.t.Helper()
	file, err := os.Create(d.ballast())
	if err != nil {
		d.t.Fatal(err)
	}
	_, err = io.Copy(file, endless{})
	if err = errors.Join(err, file.Close()); !errors.Is(err, syscall.ENOSPC) {
		d.t.Fatalf("filling a disk: %v", err)
	}
}

// Free gives back what Fill took.
func (d *Disk) Free() {
	d.t.Helper()
	if err := os.Remove(d.ballast()); err != nil {
		d.t.Fatal(err)
	}
}

func (d *Disk) ballast() string { return filepath.Join(d.Folder, "ballast") }

// endless reads as zeros without end.
type endless struct{}

func (endless) Read(p []byte) (int, error) { return len(p), nil }
