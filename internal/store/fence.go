package store

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

const (
	lookAround = 2 * time.Second // how often the other hosts are asked
	lookTime   = time.Second     // for their answers
)

// A fence keeps this process from a primary whose place was taken. If it comes
// back both take writes, and pgx uses the first that does. But a standby that
// takes over begins the next timeline of its database: so of several hosts one
// is not used that is on a lower one than was seen. A process that reaches both
// is on the right one within [lookAround]; one that reaches the old one alone
// can't know.
type fence struct {
	hosts []*pgconn.Config                                  // one each
	valid func(ctx context.Context, c *pgconn.PgConn) error // what else a connection must be

	first sync.Once // asks all hosts

	mu     sync.Mutex
	newest map[string]int64 // the highest timeline that was seen, by database system
	looked time.Time        // when all hosts were asked since
}

// newFence returns a fence around the hosts of an address, of which the one is
// used that takes writes: a standby reads on, and would be asked to record for
// as long as its connections last. It is nil where there is one host.
func newFence(cfg *pgx.ConnConfig) *fence {
	f := &fence{valid: cfg.ValidateConnect, newest: map[string]int64{}}
	if f.valid == nil {
		f.valid = pgconn.ValidateConnectTargetSessionAttrsReadWrite
	}
	known := map[string]*pgconn.Config{}
	for _, way := range append([]*pgconn.FallbackConfig{{Host: cfg.Host, Port: cfg.Port, TLSConfig: cfg.TLSConfig}}, cfg.Fallbacks...) {
		at := fmt.Sprintf("%s:%d", way.Host, way.Port)
		if host := known[at]; host != nil { // another way to it: without TLS, say
			host.Fallbacks = append(host.Fallbacks, way)
			continue
		}
		host := cfg.Config.Copy()
		host.Host, host.Port, host.TLSConfig, host.Fallbacks, host.ValidateConnect = way.Host, way.Port, way.TLSConfig, nil, nil
		known[at], f.hosts = host, append(f.hosts, host)
	}
	if len(f.hosts) < 2 {
		return nil
	}
	return f
}

// A lineage is what a server writes on. The zero lineage is that of one which
// does not know, as other databases that speak PostgreSQL's protocol.
type lineage struct {
	system   string
	timeline int64
}

// lineageKey is under which a connection keeps its server's lineage.
const lineageKey = "lineage"

// lineageOf asks a server that takes writes.
func lineageOf(ctx context.Context, c *pgconn.PgConn) lineage {
	results, err := c.Exec(ctx, `SELECT system_identifier, substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8) FROM pg_control_system()`).ReadAll()
	if err != nil || len(results) != 1 || len(results[0].Rows) != 1 {
		return lineage{}
	}
	row := results[0].Rows[0]
	timeline, err := strconv.ParseInt(string(row[1]), 16, 64)
	if err != nil {
		return lineage{}
	}
	return lineage{string(row[0]), timeline}
}

// validate lets a new connection be used if its server takes writes and nobody
// took its place.
func (f *fence) validate(ctx context.Context, c *pgconn.PgConn) error {
	if err := f.valid(ctx, c); err != nil {
		return err
	}
	at := lineageOf(ctx, c)
	f.saw(at)
	f.first.Do(f.look) // nothing is used before all were asked
	if f.overtaken(at) {
		return errors.New("another server took this one's place")
	}
	c.CustomData()[lineageKey] = at
	return nil
}

// leads reports whether a connection of the pool still leads to the right
// server. It has the others asked now and then.
func (f *fence) leads(c *pgconn.PgConn) bool {
	if f.due() {
		go f.look()
	}
	at, _ := c.CustomData()[lineageKey].(lineage)
	return !f.overtaken(at)
}

// due reports whether the caller is to ask all hosts again.
func (f *fence) due() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if time.Since(f.looked) < lookAround {
		return false
	}
	f.looked = time.Now()
	return true
}

// look asks all hosts at once, and returns when they answered or had their time.
func (f *fence) look() {
	ctx, cancel := context.WithTimeout(context.Background(), lookTime)
	defer cancel()
	var all sync.WaitGroup
	for _, host := range f.hosts {
		all.Go(func() {
			c, err := pgconn.ConnectConfig(ctx, host)
			if err != nil {
				return // it is away
			}
			f.saw(lineageOf(ctx, c))
			_ = c.Close(ctx) // nothing is under way
		})
	}
	all.Wait()
}

func (f *fence) saw(at lineage) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.newest[at.system] = max(f.newest[at.system], at.timeline)
}

func (f *fence) overtaken(at lineage) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return at.timeline < f.newest[at.system]
}
