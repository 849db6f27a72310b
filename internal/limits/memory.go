package limits

import (
	"context"
	"sync"
	"time"
)

// memory keeps a limiter's state in this process: throttled.GCRAStoreCtx. It
// remembers the keys used last, between keys and twice as many: what is not
// used while keys others are is forgotten.
type memory struct {
	now  func() time.Time
	keys int

	mu            sync.Mutex
	recent, older map[string]int64
}

func newMemory(keys int, now func() time.Time) *memory {
	return &memory{now: now, keys: keys, recent: make(map[string]int64)}
}

// GetWithTime returns the value of key, -1 if there is none, and the time.
func (m *memory) GetWithTime(_ context.Context, key string) (int64, time.Time, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	value, ok := m.get(key)
	if !ok {
		value = -1
	}
	return value, m.now(), nil
}

// SetIfNotExistsWithTTL sets key if it has no value, and reports whether it had none.
func (m *memory) SetIfNotExistsWithTTL(_ context.Context, key string, value int64, _ time.Duration) (bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, ok := m.get(key); ok {
		return false, nil
	}
	m.set(key, value)
	return true, nil
}

// CompareAndSwapWithTTL sets key if its value is old, and reports whether it was.
func (m *memory) CompareAndSwapWithTTL(_ context.Context, key string, old, value int64, _ time.Duration) (bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if is, ok := m.get(key); !ok || is != old {
		return false, nil
	}
	m.set(key, value)
	return true, nil
}

func (m *memory) get(key string) (int64, bool) {
	if value, ok := m.recent[key]; ok {
		return value, true
	}
	value, ok := m.older[key]
	return value, ok
}

func (m *memory) set(key string, value int64) {
	if _, ok := m.recent[key]; !ok && len(m.recent) >= m.keys {
		m.recent, m.older = make(map[string]int64), m.recent
	}
	m.recent[key] = value
}
