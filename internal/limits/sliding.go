package limits

import (
	"context"
	"strings"
	"time"

	"github.com/throttled/throttled/v2"
)

// A sliding is a store in which a key may be two, today's and yesterday's: what
// yesterday's holds is where today's begins, so that no limit begins anew at
// midnight.
type sliding struct{ throttled.GCRAStoreCtx }

// keySeparator stands between today's key and yesterday's.
const keySeparator = "|"

// GetWithTime returns the value of today's key, -1 if there is none, and the
// store's time. The first time, it is yesterday's where that still counts.
func (s sliding) GetWithTime(ctx context.Context, key string) (int64, time.Time, error) {
	today, before, two := strings.Cut(key, keySeparator)
	value, now, err := s.GCRAStoreCtx.GetWithTime(ctx, today)
	if err != nil || value != -1 || !two {
		return value, now, err
	}
	if value, now, err = s.GCRAStoreCtx.GetWithTime(ctx, before); err != nil {
		return 0, now, err
	}
	left := time.Unix(0, value).Sub(now)
	if left <= 0 {
		return -1, now, nil
	}
	// Where another set it meanwhile, the limiter notices and asks again.
	_, err = s.GCRAStoreCtx.SetIfNotExistsWithTTL(ctx, today, value, left)
	return value, now, err
}

// SetIfNotExistsWithTTL sets today's key if it has no value, and reports whether
// it had none.
func (s sliding) SetIfNotExistsWithTTL(ctx context.Context, key string, value int64, ttl time.Duration) (bool, error) {
	today, _, _ := strings.Cut(key, keySeparator)
	return s.GCRAStoreCtx.SetIfNotExistsWithTTL(ctx, today, value, ttl)
}

// CompareAndSwapWithTTL sets today's key if its value is old, and reports
// whether it was.
func (s sliding) CompareAndSwapWithTTL(ctx context.Context, key string, old, value int64, ttl time.Duration) (bool, error) {
	today, _, _ := strings.Cut(key, keySeparator)
	return s.GCRAStoreCtx.CompareAndSwapWithTTL(ctx, today, old, value, ttl)
}
