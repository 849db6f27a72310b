package main

import (
	"context"
	"fmt"
	"text/tabwriter"
	"time"

	"github.com/united24media/support/internal/reports"
	"github.com/united24media/support/internal/store"
)

// runToken is `support token create|revoke|list`.
func runToken(ctx context.Context, p *program, args []string) error {
	set, parse := p.flags("token")
	role := set.String("role", reports.RoleViewer, "viewer sees sums and gifts; finance also who gave")
	rest, err := parse(args)
	if err != nil {
		return err
	}
	if len(rest) == 0 {
		return usagef("token needs one of create, revoke, list; try: support token list")
	}
	wants := map[string]int{"create": 2, "revoke": 2, "list": 1}[rest[0]]
	switch {
	case wants == 0:
		return usagef("token has no %q; did you mean: support token %s", rest[0], nearest(rest[0], []string{"create", "revoke", "list"}))
	case len(rest) < wants:
		return usagef("token %s needs a name; try: support token %s NAME", rest[0], rest[0])
	case len(rest) > wants:
		return usagef("token %s: %q is one argument too many", rest[0], rest[wants])
	case *role != reports.RoleViewer && *role != reports.RoleFinance:
		return usagef("there is no role %q; did you mean: --role %s", *role, nearest(*role, []string{reports.RoleViewer, reports.RoleFinance}))
	}
	if rest[0] == "create" {
		if err := reports.CheckTokenName(rest[1]); err != nil {
			return usagef("token create %q: %s Try: support token create NAME", rest[1], plain(err))
		}
	}
	return p.withMigrated(ctx, func(db *store.Store) error {
		switch rest[0] {
		case "create":
			return p.createToken(ctx, db, rest[1], *role)
		case "revoke":
			return p.revokeToken(ctx, db, rest[1])
		}
		return p.listTokens(ctx, db)
	})
}

// createToken prints the token alone on standard output, for scripts.
func (p *program) createToken(ctx context.Context, db *store.Store, name, role string) error {
	service := reports.New(reports.Options{Store: db, Timezone: time.UTC, Now: time.Now})
	text, err := service.CreateToken(ctx, name, role, detailed(commandLine("token.create", name), "role "+role))
	if err != nil {
		return plain(err)
	}
	fmt.Fprintf(p.stderr, "Token %s (%s). It is shown this once:\n", name, role)
	fmt.Fprintln(p.stdout, text)
	return nil
}

func (p *program) revokeToken(ctx context.Context, db *store.Store, name string) error {
	if err := db.RevokeToken(ctx, name, time.Now(), commandLine("token.revoke", name)); err != nil {
		return plain(err)
	}
	fmt.Fprintf(p.stderr, "Token %s is revoked.\n", name)
	return nil
}

func (p *program) listTokens(ctx context.Context, db *store.Store) error {
	tokens, err := db.Tokens(ctx)
	if err != nil {
		return err
	}
	table := tabwriter.NewWriter(p.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "NAME\tROLE\tCREATED\tLAST READ\tREVOKED")
	for _, t := range tokens {
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\n", t.Name, t.Role, t.Created.Format(time.RFC3339), orDash(t.Used), orDash(t.Revoked))
	}
	return table.Flush()
}

// orDash returns a time, or a dash where there is none.
func orDash(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.Format(time.RFC3339)
}

// withMigrated is withStore with the schema brought up to date before, so that
// a first command may come before the first serve.
func (p *program) withMigrated(ctx context.Context, f func(db *store.Store) error) error {
	return p.withStore(func(db *store.Store) error {
		if _, err := db.Migrate(ctx); err != nil {
			return err
		}
		return f(db)
	})
}
