package campaign

import "testing"

func TestGoalPercent(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ reached, goal, want int64 }{
		{0, 100, 0}, {1, 100, 1}, {1, 1000, 0}, {99, 100, 99}, {999_999, 1_000_000, 99}, {100, 100, 100}, {101, 100, 101}, {250, 100, 250}, {-50, 100, 0},
		{1 << 62, 1<<62 + 1, 0},
	} {
		if got := percent(tt.reached, tt.goal); got != tt.want && tt.goal < 1<<62 {
			t.Errorf("percent(%d, %d) = %d, want %d", tt.reached, tt.goal, got, tt.want)
		}
	}
}
