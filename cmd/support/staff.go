package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/mail"
	"os/user"
	"text/tabwriter"
	"time"

	"github.com/united24media/support/internal/fault"
	"github.com/united24media/support/internal/staff/desk"
	"github.com/united24media/support/internal/store"
)

// runStaff is `support staff add|remove|list|link`.
func runStaff(ctx context.Context, p *program, args []string) error {
	set, parse := p.flags("staff")
	role := set.String("role", "", "viewer sees sums, finance also names, admin also who works here and the settings")
	rest, err := parse(args)
	if err != nil {
		return err
	}
	words := []string{"add", "remove", "list", "link"}
	if len(rest) == 0 {
		return usagef("staff needs one of add, remove, list, link; try: support staff list")
	}
	wants := map[string]int{"add": 2, "remove": 2, "list": 1, "link": 2}[rest[0]]
	switch {
	case wants == 0:
		return usagef("staff has no %q; did you mean: support staff %s", rest[0], nearest(rest[0], words))
	case len(rest) < wants:
		return usagef("staff %s needs an address; try: support staff %s EMAIL", rest[0], rest[0])
	case len(rest) > wants:
		return usagef("staff %s: %q is one argument too many", rest[0], rest[wants])
	case *role != "" && rest[0] != "add":
		return usagef("staff %s takes no --role; try: support staff add EMAIL --role viewer", rest[0])
	}
	if rest[0] == "add" {
		if err := checkMember(rest[1], *role); err != nil {
			return err
		}
	}
	settings, err := p.settings()
	if err != nil {
		return err
	}
	return p.withMigrated(ctx, func(db *store.Store) error {
		d := newDesk(settings, db, nil, slog.New(slog.DiscardHandler))
		switch rest[0] {
		case "add":
			return p.addStaff(ctx, d, rest[1], *role)
		case "remove":
			return p.removeStaff(ctx, d, rest[1])
		case "link":
			return p.linkStaff(ctx, d, rest[1])
		}
		return p.listStaff(ctx, d)
	})
}

// checkMember returns a usage error for what can't be somebody's address or
// role.
func checkMember(email, role string) error {
	if address, err := mail.ParseAddress(email); err != nil || address.Address != email {
		return usagef("%q is no e-mail address; try: support staff add name@example.org --role viewer", email)
	}
	var roles []string
	for _, r := range desk.Roles() {
		roles = append(roles, string(r))
	}
	switch {
	case role == "":
		return usagef("staff add needs a role; try: support staff add %s --role %s", email, roles[0])
	case !desk.Role(role).Allows(desk.Viewer):
		return usagef("there is no role %q; did you mean: --role %s", role, nearest(role, roles))
	}
	return nil
}

// commandLine returns an audit entry about what a command does, by whoever this
// machine says is calling.
func commandLine(action, subject string) store.Entry {
	who := "command line"
	if u, err := user.Current(); err == nil {
		who += " (" + u.Username + ")"
	}
	return store.Entry{At: time.Now(), Who: who, Action: action, Subject: subject}
}

// detailed returns an entry that says what changed.
func detailed(e store.Entry, detail string) store.Entry {
	e.Detail = detail
	return e
}

// addStaff stores somebody new and prints their sign-in address, alone, on
// standard output.
func (p *program) addStaff(ctx context.Context, d *desk.Desk, email, role string) error {
	m := store.Staff{ID: desk.NewMemberID(), Email: email, Role: role, Created: time.Now()}
	if err := d.Store.AddStaff(ctx, m, detailed(commandLine("staff.add", email), "role "+role)); err != nil {
		return plain(err)
	}
	fmt.Fprintf(p.stderr, "%s may open the staff pages (%s).\n", email, role)
	return p.printLink(ctx, d, m)
}

func (p *program) linkStaff(ctx context.Context, d *desk.Desk, email string) error {
	m, err := d.Store.StaffByEmail(ctx, email)
	if err != nil {
		return p.noSuchMember(ctx, d, email, err)
	}
	return p.printLink(ctx, d, m)
}

func (p *program) printLink(ctx context.Context, d *desk.Desk, m store.Staff) error {
	_, address, err := d.NewLink(ctx, m, desk.LinkLife, "", commandLine("staff.link", m.Email))
	if err != nil {
		return plain(err)
	}
	fmt.Fprintf(p.stderr, "It signs them in once, within %d hours:\n", int(desk.LinkLife.Hours()))
	fmt.Fprintln(p.stdout, address)
	return nil
}

func (p *program) removeStaff(ctx context.Context, d *desk.Desk, email string) error {
	m, err := d.Store.StaffByEmail(ctx, email)
	if err != nil {
		return p.noSuchMember(ctx, d, email, err)
	}
	if err := d.Store.RemoveStaff(ctx, m.ID, commandLine("staff.remove", m.Email)); err != nil {
		return plain(err)
	}
	fmt.Fprintf(p.stderr, "%s is removed, and signed out everywhere.\n", m.Email)
	return nil
}

// noSuchMember says who comes nearest to an address that nobody has.
func (p *program) noSuchMember(ctx context.Context, d *desk.Desk, email string, err error) error {
	if !errors.Is(err, fault.NotFound) {
		return err
	}
	members, listErr := d.Store.StaffList(ctx)
	if listErr != nil || len(members) == 0 {
		return errors.New("nobody works here yet; try: support staff add EMAIL --role admin")
	}
	var emails []string
	for _, m := range members {
		emails = append(emails, m.Email)
	}
	return fmt.Errorf("nobody works here as %s; did you mean: %s", email, nearest(email, emails))
}

func (p *program) listStaff(ctx context.Context, d *desk.Desk) error {
	members, err := d.Store.StaffList(ctx)
	if err != nil {
		return err
	}
	table := tabwriter.NewWriter(p.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "EMAIL\tROLE\tADDED\tLAST SEEN")
	for _, m := range members {
		seen := "-"
		if !m.SignedIn.IsZero() {
			seen = m.SignedIn.Format(time.RFC3339)
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\n", m.Email, m.Role, m.Created.Format(time.RFC3339), seen)
	}
	return table.Flush()
}
