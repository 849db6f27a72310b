package ask

import (
	"testing"

	"github.com/united24media/support/internal/policy"
)

func TestSwitchAndPolicyReachTheAnswer(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	ask := func(query string) map[string]any { return decode(t, get(t, b.Ask, "/v1/ask?article=a"+query)) }
	put := func(name, value string) error {
		b.facts[name] = value
		return b.policies.Refresh(t.Context())
	}
	if v := ask(""); v["show"] != true || dig(v, "placements", "mid", "level") != "normal" {
		t.Errorf("at first: %v", v["show"])
	}
	if err := put(policy.KindSwitch, policy.Off); err != nil {
		t.Fatal(err)
	}
	if v := ask(""); v["show"] != false || v["reason"] != "asks_off" || v["placements"] != nil || v["token"] != nil {
		t.Errorf("turned off: %v", v)
	}
	if err := put(policy.KindSwitch, ""); err != nil {
		t.Fatal(err)
	}
	if v := ask("&sensitivity=Funeral"); v["show"] != false || v["reason"] != "sensitive" {
		t.Errorf("a funeral: %v", v)
	}
	if err := put(policy.KindAsks, `{"rules":[{"name":"later","show":"none","placements":["mid"],"from":"2026-11-23T10:00"}]}`); err != nil {
		t.Fatal(err)
	}
	if v := ask("&placement=mid"); v["show"] != true || v["level"] != "normal" || len(v["schedule"].([]any)) != 2 {
		t.Errorf("before its time: %v %v %v", v["show"], v["level"], v["schedule"])
	}
	b.clock.Add(1800)
	if v := ask("&placement=mid"); v["show"] != false || v["reason"] != "policy" || v["level"] != "none" {
		t.Errorf("in its time: %v %v", v["show"], v["level"])
	}
	if v := ask(""); v["show"] != true || dig(v, "placements", "end", "level") != "normal" {
		t.Errorf("the other placement: %v", v["show"])
	}
	if err := put(policy.KindAsks, `{"rules":`); err == nil {
		t.Error("a broken policy was taken")
	}
	if v := ask("&placement=mid"); v["show"] != false {
		t.Error("a broken policy replaced the one before")
	}
}
