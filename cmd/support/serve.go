package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/united24media/support/internal/config"
	"github.com/united24media/support/internal/ledger"
	"github.com/united24media/support/internal/staff/desk"
	"github.com/united24media/support/internal/store"
	"github.com/united24media/support/internal/web"
)

// Times of the service's life.
const (
	endTime     = 20 * time.Second // for what is in flight when the service ends
	migrateWait = time.Second      // before asking again a database that is not there
)

// runServe is `support serve`: it runs until ctx is done, then ends what is in
// flight.
func runServe(ctx context.Context, p *program, args []string) (err error) {
	_, parse := p.flags("serve")
	rest, err := parse(args)
	if err != nil {
		return err
	}
	if err := none("serve", rest); err != nil {
		return err
	}
	settings, err := p.settings()
	if err != nil {
		return err
	}
	log := slog.New(logHandler(p.stderr))

	public, err := listen(ctx, "SUPPORT_ADDR", settings.Addr)
	if err != nil {
		return err
	}
	defer public.Close() //nolint:errcheck // closed by the server before, in good times
	admin, err := listenAdmin(ctx, settings, log)
	if err != nil {
		return err
	}
	defer admin.Close() //nolint:errcheck // as above
	settings = settings.Listening(public.Addr().String())
	tell(log, settings)

	s, err := build(settings, local(public.Addr()), log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	return s.serve(ctx, public, admin, func() { p.greet(settings, s.firstLink(ctx, settings)) })
}

// logHandler writes logs as JSON, or, on a terminal, as people read them.
func logHandler(w io.Writer) slog.Handler {
	if f, ok := w.(*os.File); ok && terminal(f) {
		return slog.NewTextHandler(w, nil)
	}
	return slog.NewJSONHandler(w, nil)
}

// listen opens a listener; an error names the setting it came from.
func listen(ctx context.Context, setting, addr string) (net.Listener, error) {
	ln, err := new(net.ListenConfig).Listen(ctx, "tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", setting, err)
	}
	return ln, nil
}

// listenAdmin opens the listener of metrics and profiles. Where nobody asked for
// its address, one that is taken is no reason not to start: a second replica on
// this machine gets a free one.
func listenAdmin(ctx context.Context, settings config.Settings, log *slog.Logger) (net.Listener, error) {
	const setting = "SUPPORT_ADMIN_ADDR"
	ln, err := listen(ctx, setting, settings.AdminAddr)
	if err == nil || settings.Given(setting) {
		return ln, err
	}
	host, _, splitErr := net.SplitHostPort(settings.AdminAddr)
	if splitErr != nil {
		return nil, err
	}
	if ln, err = listen(ctx, setting, net.JoinHostPort(host, "0")); err == nil {
		log.Warn("the usual address of metrics and profiles is taken", "taken", settings.AdminAddr, "instead", ln.Addr().String())
	}
	return ln, err
}

// local returns the address at which this process reaches its own listener,
// whatever the world calls it.
func local(addr net.Addr) string {
	at, err := netip.ParseAddrPort(addr.String())
	if err != nil {
		return "http://" + addr.String()
	}
	ip := at.Addr()
	if ip.IsUnspecified() {
		ip = netip.AddrFrom4([4]byte{127, 0, 0, 1})
	}
	return "http://" + netip.AddrPortFrom(ip, at.Port()).String()
}

// serve answers requests until ctx is done. What answers requests ends first,
// what they wait for (the ledger above all) after it. greet is called when
// everything runs.
func (s *service) serve(ctx context.Context, public, admin net.Listener, greet func()) error {
	background, endBackground := context.WithCancel(context.WithoutCancel(ctx))
	defer endBackground()
	front, frontCtx := errgroup.WithContext(ctx)
	front.Go(func() error { return web.Serve(frontCtx, public, s.handler, endTime, s.log) })
	front.Go(func() error { return web.ServeAdmin(frontCtx, admin, s.metrics) })
	front.Go(func() error { return s.calm.watch(frontCtx, s.store.Ping) })

	var parts errgroup.Group
	front.Go(func() error {
		if err := s.migrate(frontCtx); err != nil {
			return err
		}
		if !s.current.Load() {
			return nil // it ends before it began
		}
		s.checkTimezone(frontCtx)
		for _, part := range s.parts {
			parts.Go(func() error { return part(background) })
		}
		greet()
		return nil
	})
	err := front.Wait()
	endBackground()
	return errors.Join(err, parts.Wait())
}

// migrate brings the schema up to date, and waits for a database that is not
// there yet, or not all the time, and for who holds what a step changes: asks
// are answered meanwhile, without counts.
// It returns an error where the database is there and the schema can't be made
// current.
func (s *service) migrate(ctx context.Context) error {
	for {
		_, err := s.store.Migrate(ctx)
		if err == nil {
			s.current.Store(true)
			return nil
		}
		if ctx.Err() != nil {
			return nil // the service ends before it began
		}
		switch {
		case store.Held(err):
			s.log.Warn("somebody reads for long what the schema's next step changes; trying again", "err", err)
		case store.Away(err) || s.store.Ping(ctx) != nil:
			s.log.Warn("the database does not answer; trying again", "err", err)
		default:
			return err
		}
		select {
		case <-time.After(migrateWait):
		case <-ctx.Done():
			return nil
		}
	}
}

// checkTimezone keeps the time zone that days in sums are of, and warns where
// it was changed since: old and new days would be mixed until a rebuild.
func (s *service) checkTimezone(ctx context.Context) {
	zone := s.zone.String()
	kept, err := s.store.Fact(ctx, ledger.FactTimezone)
	if err == nil && kept == "" {
		kept, err = zone, s.store.PutFact(ctx, ledger.FactTimezone, zone)
	}
	switch {
	case ctx.Err() != nil: // the service ends already
	case err != nil:
		s.log.Warn("the time zone of the sums could not be looked up", "err", err)
	case kept != zone:
		s.log.Warn("SUPPORT_TIMEZONE was changed; run `support rebuild`, or reports mix days of both", "from", kept, "to", zone)
	}
}

// tell logs the effective settings, without secrets, and what is worth a word.
func tell(log *slog.Logger, settings config.Settings) {
	log.Info("settings", "effective", settings.Lines())
	for _, warning := range settings.Warnings {
		log.Warn(warning)
	}
}

// greet tells a person where to look. staff is an address that signs into the
// staff pages, "" where none was made.
func (p *program) greet(s config.Settings, staff string) {
	year := time.Now().Year()
	lines := [][2]string{
		{"Example article", s.PublicURL + "/"},
		{"Support page", s.PublicURL + "/support"},
		{"Staff pages", cmp.Or(staff, s.PublicURL+"/staff")},
		{"", fmt.Sprintf("which signs you in once; for another: %s staff link %s", self(), firstMember)},
		{"Report", fmt.Sprintf("%s report --from %d-01-01 --to %d-01-01 --by article", self(), year, year+1)},
		{"Report token", self() + " token create me --role viewer"},
	}
	if staff == "" {
		lines = slices.Delete(lines, 3, 4)
	}
	what := "Support is running in its sandbox: no money moves."
	if !s.Sandbox() {
		what, lines = "Support is running.", lines[1:]
	}
	fmt.Fprintf(p.stdout, "%s\n\n", what)
	for _, line := range lines {
		fmt.Fprintf(p.stdout, "  %-16s %s\n", line[0], line[1])
	}
	fmt.Fprintf(p.stdout, "\nCtrl-C ends it.\n")
}

// firstMember is who the first run lets into the sandbox's staff pages.
const firstMember = "admin@localhost"

// firstLink returns an address that signs whoever started a sandbox into the
// staff pages, made anew at every start; "" where there are real members, where
// money could move, or where others than this machine can come.
func (s *service) firstLink(ctx context.Context, settings config.Settings) string {
	if !settings.Sandbox() || !onLoopback(settings.Addr) || !onLoopback(settings.PublicURL) {
		return ""
	}
	d := newDesk(settings, s.store, nil, s.log)
	address, err := firstLink(ctx, d)
	if err != nil && ctx.Err() == nil {
		s.log.Warn("no address for the staff pages was made", "err", err)
	}
	return address
}

func firstLink(ctx context.Context, d *desk.Desk) (string, error) {
	members, err := d.Store.StaffList(ctx)
	if err != nil {
		return "", err
	}
	first := store.Staff{ID: desk.NewMemberID(), Email: firstMember, Role: string(desk.Admin), Created: time.Now()}
	if len(members) == 0 {
		if err := d.Store.AddStaff(ctx, first, commandLine("staff.add", firstMember)); err != nil {
			return "", err
		}
		members = append(members, first)
	}
	if len(members) != 1 || members[0].Email != firstMember {
		return "", nil
	}
	_, address, err := d.NewLink(ctx, members[0], desk.LinkLife, "", commandLine("staff.link", firstMember))
	return address, err
}

// onLoopback reports whether an address, with or without a scheme, is one of
// this machine alone.
func onLoopback(address string) bool {
	_, rest, ok := strings.Cut(address, "://")
	if !ok {
		rest = address
	}
	host, _, err := net.SplitHostPort(rest)
	if err != nil {
		host = rest
	}
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}

// self returns what a person types to call this program.
func self() string {
	if path, err := os.Executable(); err == nil && strings.Contains(path, "go-build") { // where go run puts it
		return "go run ./cmd/support"
	}
	return "support"
}
