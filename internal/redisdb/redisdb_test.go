package redisdb

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

func TestOpenReadsAddress(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		address string
		addrs   []string // one: a single server
		user    string
		pass    string
		db      int
		tls     bool
	}{
		"one":                 {"redis://127.0.0.1:7001", []string{"127.0.0.1:7001"}, "", "", 0, false},
		"default port":        {"redis://cache", []string{"cache:6379"}, "", "", 0, false},
		"password":            {"redis://u:p%2Cw@h:1/3", []string{"h:1"}, "u", "p,w", 3, false},
		"TLS":                 {"rediss://h:1", []string{"h:1"}, "", "", 0, true},
		"one and a comma":     {"redis://h:1,", []string{"h:1"}, "", "", 0, false},
		"cluster":             {"redis://a:1,redis://b:2,redis://c:3", []string{"a:1", "b:2", "c:3"}, "", "", 0, false},
		"cluster, short":      {"redis://u:p@a:1, b:2 ,c:3", []string{"a:1", "b:2", "c:3"}, "u", "p", 0, false},
		"cluster with TLS":    {"rediss://u:p@a:1,b:2", []string{"a:1", "b:2"}, "u", "p", 0, true},
		"cluster, one twice":  {"redis://a:1,a:1,b:2", []string{"a:1", "b:2"}, "", "", 0, false},
		"cluster, IPv6 nodes": {"redis://[::1]:1,[::1]:2", []string{"[::1]:1", "[::1]:2"}, "", "", 0, false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client, err := Open(tt.address)
			if err != nil {
				t.Fatal(err)
			}
			defer client.Close()
			var addrs []string
			var user, pass string
			var db int
			var secure bool
			switch c := client.(type) {
			case *redis.Client:
				o := c.Options()
				addrs, user, pass, db, secure = []string{o.Addr}, o.Username, o.Password, o.DB, o.TLSConfig != nil
			case *redis.ClusterClient:
				o := c.Options()
				addrs, user, pass, secure = o.Addrs, o.Username, o.Password, o.TLSConfig != nil
				if secure && o.TLSConfig.ServerName != "" {
					t.Errorf("every node would be checked as %q", o.TLSConfig.ServerName)
				}
			}
			// A cluster's client puts its addresses in an order of chance.
			if len(addrs) != len(tt.addrs) {
				t.Errorf("addresses %v, want %v", addrs, tt.addrs)
			}
			for _, want := range tt.addrs {
				if !strings.Contains(strings.Join(addrs, " "), want) {
					t.Errorf("addresses %v, want %v", addrs, tt.addrs)
				}
			}
			if user != tt.user || pass != tt.pass || db != tt.db || secure != tt.tls {
				t.Errorf("user %q, password %q, db %d, TLS %v", user, pass, db, secure)
			}
		})
	}
}

func TestOpenRefuses(t *testing.T) {
	t.Parallel()
	for name, address := range map[string]string{
		"nothing":             "",
		"commas":              " , ",
		"another scheme":      "http://u:hidden@h:1",
		"no scheme":           "h:1",
		"not a database":      "redis://u:hidden@h:1/x",
		"not a URL":           "redis://u:hidden@h:1\x7f",
		"cluster with db":     "redis://u:hidden@a:1/2,b:2",
		"cluster, half TLS":   "rediss://u:hidden@a:1,redis://b:2",
		"scheme after a host": "a:1,redis://u:hidden@b:2",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client, err := Open(address)
			if err == nil {
				client.Close()
				t.Fatal("no error")
			}
			if !strings.HasPrefix(err.Error(), "REDIS_URL: ") || strings.Contains(err.Error(), "hidden") {
				t.Errorf("error %q must name REDIS_URL and hold no password", err)
			}
		})
	}
}

// A Redis that is not there costs a short time, whatever go-redis tries.
func TestOpenWithoutServer(t *testing.T) {
	t.Parallel()
	for name, address := range map[string]string{
		"one":     "redis://127.0.0.1:1",
		"cluster": "redis://127.0.0.1:1,127.0.0.1:2,127.0.0.1:3",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client, err := Open(address)
			if err != nil {
				t.Fatal(err)
			}
			defer client.Close()
			ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
			defer cancel()
			started := time.Now()
			if err := client.Ping(ctx).Err(); err == nil {
				t.Error("a server that is not there answered")
			}
			if took := time.Since(started); took > 2*time.Second {
				t.Errorf("it took %v to find that nobody is there", took)
			}
			ctx, cancel = context.WithTimeout(context.Background(), 50*time.Millisecond)
			defer cancel()
			started = time.Now()
			client.Ping(ctx)
			if took := time.Since(started); took > 250*time.Millisecond {
				t.Errorf("a call bounded by 50 ms took %v", took)
			}
		})
	}
}
