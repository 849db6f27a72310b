// Package redisdb connects to Redis, or to a Redis Cluster, with the short
// timeouts of something that may always be absent.
package redisdb

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"
)

// Limits of one conversation with Redis.
const (
	dialTimeout = 500 * time.Millisecond
	callTimeout = time.Second // to write a command, and to read its answer
	poolTimeout = time.Second // to wait for a free connection
	poolSize    = 16          // connections to one server
	maxRetries  = 1           // for a connection that broke while idle
)

// Open returns a client for address: `redis://[user:password@]host[:port][/db]`,
// `rediss://…` for TLS, or several of them, comma-separated, for a cluster
// (user, password and scheme of the first are used for all, and those after
// the first may be bare host:port). It does not connect: a Redis that is gone
// is no reason not to start. An error names REDIS_URL and never holds a
// password.
func Open(address string) (redis.UniversalClient, error) {
	redis.SetLogger(quiet{})
	var all []*redis.Options
	scheme := ""
	for part := range strings.SplitSeq(address, ",") {
		if part = strings.TrimSpace(part); part == "" {
			continue
		}
		if s, _, ok := strings.Cut(part, "://"); !ok {
			part = scheme + "://" + part
		} else if scheme == "" {
			scheme = s
		}
		o, err := parse(part)
		if err != nil {
			return nil, err
		}
		all = append(all, o)
	}
	switch len(all) {
	case 0:
		return nil, errors.New("REDIS_URL: want redis://host:port, or several, comma-separated, for a cluster")
	case 1:
		return single(all[0]), nil
	}
	return cluster(all)
}

func parse(address string) (*redis.Options, error) {
	u, err := url.Parse(address)
	if err != nil || (u.Scheme != "redis" && u.Scheme != "rediss") {
		return nil, errors.New("REDIS_URL: want redis://host:port or rediss://host:port") // err would hold the password
	}
	o, err := redis.ParseURL(address)
	if err != nil {
		return nil, fmt.Errorf("REDIS_URL: the part after %s can't be read; want redis://host:port/db", u.Host)
	}
	return o, nil
}

func single(o *redis.Options) redis.UniversalClient {
	o.DialTimeout, o.DialerRetries = dialTimeout, 1
	o.ReadTimeout, o.WriteTimeout, o.PoolTimeout = callTimeout, callTimeout, poolTimeout
	o.ContextTimeoutEnabled = true
	o.MaxRetries, o.PoolSize = maxRetries, poolSize
	o.DisableIdentity = true
	o.MaintNotificationsConfig = &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}
	return redis.NewClient(o)
}

func cluster(all []*redis.Options) (redis.UniversalClient, error) {
	first := all[0]
	var addresses []string
	for _, o := range all {
		if o.DB != 0 {
			return nil, errors.New("REDIS_URL: a cluster has one database: leave the number after the address out")
		}
		if (o.TLSConfig == nil) != (first.TLSConfig == nil) {
			return nil, errors.New("REDIS_URL: use redis:// or rediss:// for every address of a cluster")
		}
		if !slices.Contains(addresses, o.Addr) {
			addresses = append(addresses, o.Addr)
		}
	}
	o := &redis.ClusterOptions{
		Addrs:    addresses,
		Username: first.Username, Password: first.Password, TLSConfig: first.TLSConfig,
		DialTimeout: dialTimeout, DialerRetries: 1,
		ReadTimeout: callTimeout, WriteTimeout: callTimeout, PoolTimeout: poolTimeout,
		ContextTimeoutEnabled: true,
		MaxRetries:            maxRetries, PoolSize: poolSize,
		DisableIdentity:          true,
		MaintNotificationsConfig: &maintnotifications.Config{Mode: maintnotifications.ModeDisabled},
	}
	if o.TLSConfig != nil {
		o.TLSConfig.ServerName = "" // each node is checked by its own name
	}
	return redis.NewClusterClient(o), nil
}

// quiet sends what go-redis says by itself to slog, at debug level: the users
// of a client report an outage once, in words.
type quiet struct{}

// Printf passes a message of go-redis on.
func (quiet) Printf(ctx context.Context, format string, args ...any) {
	slog.DebugContext(ctx, "redis: "+fmt.Sprintf(format, args...))
}
