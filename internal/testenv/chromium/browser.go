// Package chromium lets tests walk through pages in Chromium: one Chromium for a
// test process, in which each tab is a reader of its own, who shares nothing
// with the others.
//
// Nothing here waits for a time: what a test waits for is a condition of the
// page, and gets half a minute for it, since machines that test are busy.
package chromium

import (
	"context"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"sync"

	"github.com/chromedp/chromedp"

	"github.com/united24media/support/internal/testenv"
)

// A running Chromium, in whose context tabs are opened.
type running struct {
	context.Context
	leash io.Closer // the browser ends when it is collected
}

// start starts the Chromium of this process. It ends with the process,
// however that ends.
var start = sync.OnceValues(func() (*running, error) {
	path, err := program()
	if err != nil {
		return nil, err
	}
	// Everything goes there, Chromium's sockets too, whose paths must be short.
	folder, err := os.MkdirTemp("", "chromium-")
	if err != nil {
		return nil, err
	}
	b := &running{}
	var kept error
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.UserDataDir(filepath.Join(folder, "profile")), chromedp.Env("TMPDIR="+folder),
		chromedp.Flag("disable-gpu", true), chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true),
		// A process that waits for the next page is one that nobody needs here.
		chromedp.Flag("disable-features", "Translate,SpareRendererForSitePerProcess"),
		chromedp.ModifyCmdFunc(func(cmd *exec.Cmd) { b.leash, kept = testenv.Leash(cmd, folder) }),
	)
	ctx, cancel := chromedp.NewExecAllocator(context.Background(), options...)
	b.Context, _ = chromedp.NewContext(ctx)
	if err := chromedp.Do(b); err != nil {
		cancel()
		return nil, err
	}
	return b, kept
})

// program returns the path of a Chromium or Chrome. The environment's
// SUPPORT_TEST_CHROMIUM names another one.
func program() (string, error) {
	if path := os.Getenv("SUPPORT_TEST_CHROMIUM"); path != "" {
		return testenv.Program(path)
	}
	for _, name := range []string{"chromium-browser", "google-chrome-stable", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return testenv.Program("chromium")
}
