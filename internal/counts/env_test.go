package counts

import (
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/united24media/support/internal/redisdb"
)

// connect returns a client for a Redis of a test.
func connect(t testing.TB, url string) redis.UniversalClient {
	t.Helper()
	client, err := redisdb.Open(url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := client.Close(); err != nil {
			t.Error(err)
		}
	})
	return client
}
