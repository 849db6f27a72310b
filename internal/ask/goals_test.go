package ask

import (
	"testing"

	"github.com/united24media/support/internal/store"
)

func TestMoneyGoalLeavesOutWhatIsNotSettled(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.campaigns = []store.Campaign{{Slug: "armour", Name: "Armour", GoalKind: store.GoalMoney, Goal: 5_000_000, GoalCurrency: "EUR", Settled: 1_250_050}}
	if err := b.running.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	g, _ := decode(t, get(t, b.Ask, "/v1/ask?article=a&campaign=armour"))["goal"].(map[string]any)
	if g["text"] != "€12,500.50 of €50,000" || g["percent"] != 25.0 || g["note"] == nil {
		t.Errorf("the goal is %v", g)
	}
}
