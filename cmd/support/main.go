// Command support is the whole product: the service and the commands that look
// after it. See README.md.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"

	"github.com/united24media/support/internal/config"
	"github.com/united24media/support/internal/offer"
	"github.com/united24media/support/internal/store"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	os.Exit(run(ctx, os.Args[1:], os.LookupEnv, os.Stdout, os.Stderr))
}

// Exit codes.
const (
	exitOK     = 0
	exitFailed = 1 // what was asked for did not succeed, or found something wrong
	exitUsage  = 2 // what was asked for can't be understood

	exitUnreachable = 2 // of reconcile: Stripe or the database can't be asked
)

// A command is one of the program's commands.
type command struct {
	name    string
	usage   string // what follows the name
	summary string // one line
	run     func(ctx context.Context, p *program, args []string) error
}

// commands returns all commands, in the order help lists them.
func commands() []command {
	return []command{
		{"serve", "", "runs the service; what happens without a command", runServe},
		{"migrate", "[up|status]", "brings the database's schema up to date, or shows it", runMigrate},
		{"doctor", "[ALERT]", "checks settings, database, Redis, Stripe, mail and clock; explains an alert", runDoctor},
		{"staff", "add EMAIL --role viewer|finance|admin | remove EMAIL | list | link EMAIL", "says who may open the staff pages, and makes sign-in addresses", runStaff},
		{"token", "create NAME --role viewer|finance | revoke NAME | list", "makes and ends tokens for reports", runToken},
		{"asks", "off|on|closed|policy [FILE]", "turns all asks off or on, or closes giving; shows or sets the policy of the asks", runAsks},
		{"verify", "", "recomputes everything without writing and tells each drift", runVerify},
		{"rebuild", "", "makes sums, counts and donations again from what Stripe said", runRebuild},
		{"replay", "EVENT_ID… | --parked", "applies stored events again", runReplay},
		{"stripe-setup", "[--live] [--dry-run]", "sets up webhook endpoint, products and portal at Stripe", runStripeSetup},
		{"reconcile", "[--since 96h] [--dry-run]", "compares everything with Stripe's lists and repairs what differs", runReconcile},
		{"import", "FILE.csv", "records gifts outside Stripe, or takes over those of an earlier system", runImport},
		{"demo-data", "[--seed N]", "fills the sandbox with three invented years of giving", runDemoData},
		{"report", "--from D --to D --by DIM [--as-of TIME] [--format table|csv|json]", "shows what was given in a period", runReport},
		{"close-month", "2026-01", "keeps a month's statement, or shows it with what changed since", runCloseMonth},
		{"payouts", "--from D --to D [--format table|csv|json] | PAYOUT_ID", "shows bank deposits and what each consists of", runPayouts},
		{"export", "donations|supporters|memberships --from D --to D [--format csv|jsonl]", "writes out what is stored, with who gave", runExport},
		{"bounce", "FILE", "reads a delivery report of a mail that came back: bounce /dev/stdin", runBounce},
		{"erase", "EMAIL", "removes a supporter's personal data everywhere; sums stay", runErase},
	}
}

// A program is what a command runs in.
type program struct {
	lookup func(name string) (value string, set bool)
	stdout io.Writer
	stderr io.Writer
}

// run runs the command that args name and returns the exit code. It returns
// when the command is done, or soon after ctx is.
func run(ctx context.Context, args []string, lookup func(string) (string, bool), stdout, stderr io.Writer) int {
	p := &program{lookup, stdout, stderr}
	err := p.dispatch(ctx, args)
	var misused usageError
	switch {
	case err == nil, errors.Is(err, flag.ErrHelp):
		return exitOK
	case errors.As(err, &misused):
		fmt.Fprintf(stderr, "support: %s\n", misused)
		return exitUsage
	case errors.Is(err, errTold):
		return exitFailed
	}
	text := err.Error()
	if store.Away(err) { // the driver tells each address on a line of its own
		text = "the database does not answer: " + strings.Join(strings.Fields(text), " ")
	}
	for line := range strings.SplitSeq(text, "\n") {
		fmt.Fprintf(stderr, "support: %s\n", line)
	}
	if _, unreachable := errors.AsType[unreachableError](err); unreachable {
		return exitUnreachable
	}
	return exitFailed
}

// errTold fails a command that has already said why.
var errTold = errors.New("told already")

// A usageError says in one line what can't be understood, and what can.
type usageError string

func (e usageError) Error() string { return string(e) }

func usagef(format string, args ...any) error { return usageError(fmt.Sprintf(format, args...)) }

func (p *program) dispatch(ctx context.Context, args []string) error {
	if len(args) == 0 {
		args = []string{"serve"}
	}
	switch args[0] {
	case "help", "--help", "-help", "-h":
		p.help()
		return nil
	}
	var names []string
	for _, c := range commands() {
		if c.name == args[0] {
			return c.run(ctx, p, args[1:])
		}
		names = append(names, c.name)
	}
	return usagef("there is no command %q; did you mean: support %s", args[0], nearest(args[0], names))
}

func (p *program) help() {
	fmt.Fprint(p.stdout, "Support: readers give, it is recorded, the count goes up.\n\nusage: support [command]\n\n")
	width := 0
	for _, c := range commands() {
		width = max(width, len(c.name))
	}
	for _, c := range commands() {
		fmt.Fprintf(p.stdout, "  %-*s  %s\n", width, c.name, c.summary)
	}
	fmt.Fprint(p.stdout, "\n`support COMMAND --help` tells more. Settings come from the environment: see README.md.\n")
}

// flags returns the flag set of a command and what reads args with it. Flags
// may stand before and after the other arguments, which are returned.
func (p *program) flags(name string) (set *flag.FlagSet, parse func(args []string) ([]string, error)) {
	set = flag.NewFlagSet(name, flag.ContinueOnError)
	set.SetOutput(io.Discard) // a mistake is told in one line, by run
	return set, func(args []string) (rest []string, err error) {
		for {
			if err := set.Parse(args); errors.Is(err, flag.ErrHelp) {
				p.commandHelp(set)
				return nil, err
			} else if err != nil {
				return nil, flagError(set, args, err)
			}
			if set.NArg() == 0 {
				return rest, nil
			}
			rest, args = append(rest, set.Arg(0)), set.Args()[1:]
		}
	}
}

func (p *program) commandHelp(set *flag.FlagSet) {
	for _, c := range commands() {
		if c.name == set.Name() {
			fmt.Fprintf(p.stdout, "usage: support %s %s\n\nIt %s.\n", c.name, c.usage, c.summary)
		}
	}
	set.SetOutput(p.stdout)
	set.PrintDefaults()
}

// flagError says what is wrong with a flag, and names the nearest there is.
func flagError(set *flag.FlagSet, args []string, err error) error {
	const undefined = "flag provided but not defined: -"
	name, ok := strings.CutPrefix(err.Error(), undefined)
	if !ok {
		return usagef("%s: %v; try: support %s --help", set.Name(), err, set.Name())
	}
	var names []string
	set.VisitAll(func(f *flag.Flag) { names = append(names, f.Name) })
	if len(names) == 0 {
		return usagef("%s takes no flag --%s; try: support %s --help", set.Name(), name, set.Name())
	}
	return usagef("%s has no flag --%s; did you mean: --%s", set.Name(), name, nearest(name, names))
}

// none refuses arguments where a command takes none.
func none(command string, rest []string) error {
	if len(rest) > 0 {
		return usagef("%s takes no argument %q; try: support %s --help", command, rest[0], command)
	}
	return nil
}

// settings returns the effective settings, or all that is wrong with them.
func (p *program) settings() (config.Settings, error) {
	s, err := p.load()
	if err != nil {
		return s, fmt.Errorf("these settings can't be used:\n%w", err)
	}
	return s, nil
}

// load reads the settings, and tells every problem in one error, a line each.
func (p *program) load() (config.Settings, error) {
	s, err := config.Load(p.lookup)
	if s.Currency != "" && !slices.Contains(offer.Currencies(), s.Currency) {
		err = errors.Join(err, fmt.Errorf("SUPPORT_CURRENCY: gifts are not asked for in %s; want one of %s",
			s.Currency, strings.Join(offer.Currencies(), ", ")))
	}
	return s, err
}
