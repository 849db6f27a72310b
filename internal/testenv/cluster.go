package testenv

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

const (
	clusterMasters = 3
	clusterSlots   = 16384
	// busOffset is what Redis adds to a node's port for the port on which
	// nodes talk; the sum must be a port too.
	busOffset    = 10_000
	highestPort  = 65_535
	clusterLimit = 60 * time.Second // for the nodes to agree
)

// RedisCluster returns the addresses of a Redis Cluster of three masters, as
// REDIS_URL takes them: comma-separated. It is empty, the test's own, and
// ends with the test.
func RedisCluster(t testing.TB) string {
	t.Helper()
	address, _ := RedisNodes(t)
	return address
}

// RedisNodes returns such a cluster and its nodes, which may be stopped.
func RedisNodes(t testing.TB) (address string, nodes []*Server) {
	t.Helper()
	addresses := make([]string, clusterMasters)
	for i := range addresses {
		nodes = append(nodes, clusterNode(t))
		addresses[i] = nodes[i].URL()
	}
	if err := join(t.Context(), nodes); err != nil {
		t.Fatalf("a Redis Cluster for the tests: %v", err)
	}
	return strings.Join(addresses, ","), nodes
}

// clusterNode starts a node that knows no other.
func clusterNode(t testing.TB) *Server {
	t.Helper()
	s, err := newServer(nodePort, "--cluster-enabled", "yes", "--cluster-node-timeout", "5000")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.remove(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// nodePort returns a free port whose bus port is free too.
func nodePort() (int, error) {
	const tries = 100 // the system chooses from a range that reaches too high
	for range tries {
		port, err := freePort()
		if err != nil {
			return 0, err
		}
		if port+busOffset > highestPort {
			continue
		}
		bus, err := listen(port + busOffset)
		if err == nil {
			return port, bus.Close()
		}
	}
	return 0, fmt.Errorf("no free port below %d whose bus port is free too", highestPort-busOffset)
}

// join makes one cluster of servers and waits until each says it is whole.
func join(ctx context.Context, servers []*Server) error {
	ctx, cancel := context.WithTimeout(ctx, clusterLimit)
	defer cancel()
	clients := make([]*redis.Client, len(servers))
	for i, s := range servers {
		clients[i] = s.client()
		defer clients[i].Close()
		from, to := i*clusterSlots/len(servers), (i+1)*clusterSlots/len(servers)-1
		if err := clients[i].ClusterAddSlotsRange(ctx, from, to).Err(); err != nil {
			return fmt.Errorf("slots %d to %d: %w", from, to, err)
		}
		// Distinct epochs: otherwise the nodes spend seconds making them so.
		if err := clients[i].Do(ctx, "CLUSTER", "SET-CONFIG-EPOCH", i+1).Err(); err != nil {
			return err
		}
	}
	for _, s := range servers[1:] {
		if err := clients[0].ClusterMeet(ctx, "127.0.0.1", strconv.Itoa(s.port)).Err(); err != nil {
			return err
		}
	}
	for i, s := range servers {
		whole := func(ctx context.Context) error { return isWhole(ctx, clients[i], len(servers)) }
		if err := s.running.ready(whole); err != nil {
			return err
		}
	}
	return nil
}

// isWhole returns nil if the node of client sees all slots served by n nodes.
func isWhole(ctx context.Context, client *redis.Client, n int) error {
	info, err := client.ClusterInfo(ctx).Result()
	if err != nil {
		return err
	}
	for _, want := range []string{"cluster_state:ok", fmt.Sprintf("cluster_size:%d", n)} {
		if !strings.Contains(info, want) {
			return fmt.Errorf("not %s yet", want)
		}
	}
	return nil
}
