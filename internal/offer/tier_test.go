package offer

import (
	"bytes"
	"strings"
	"testing"
)

func TestCheckTiersFinds(t *testing.T) {
	t.Parallel()
	c, err := load()
	if err != nil {
		t.Fatal(err)
	}
	tests := map[string]struct{ old, with, want string }{
		"an id that is taken":           {`"id": "camera"`, `"id": "notebook"`, "its own"},
		"an id with a space":            {`"id": "camera"`, `"id": "a camera"`, "small letters"},
		"a name in one language less":   {`"uk": "Камера", `, ``, "the name is missing in uk"},
		"a perk that says nothing":      {`"No more asks to donate while you read"`, `" "`, "perk 1 is missing in en"},
		"a language we do not speak":    {`"uk": "Камера", `, `"uk": "Камера", "cs": "Kamera", `, "none of"},
		"an amount under the least":     {`"CZK": {"month": 12000`, `"CZK": {"month": 100`, "below the least"},
		"an amount that is no more":     {`"EUR": {"month": 1000`, `"EUR": {"month": 500`, "no more than the tier below"},
		"a currency without a price":    {`"PLN": {"month": 2000, "year": 20000},`, ``, "no price in PLN a month"},
		"a currency that isn't offered": {`"PLN": {"month": 2000,`, `"BRL": {}, "PLN": {"month": 2000,`, "not offered"},
		"a price by the week":           {`"EUR": {"month": 500,`, `"EUR": {"month": 500, "week": 200,`, "neither a month nor a year"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			changed := bytes.Replace(tierData, []byte(tt.old), []byte(tt.with), 1)
			if bytes.Equal(changed, tierData) {
				t.Fatalf("the tiers hold no %s", tt.old)
			}
			tiers, err := parseTiers(changed)
			if err != nil {
				t.Fatal(err)
			}
			if err := c.checkTiers(tiers); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("checkTiers() = %v; want it to say %q", err, tt.want)
			}
		})
	}
}

func TestTierFor(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		currency, interval string
		minor              int64
		want               string
	}{
		"under the lowest":    {"EUR", Month, 499, ""},
		"the lowest":          {"eur", Month, 500, "notebook"},
		"between two":         {"EUR", Month, 999, "notebook"},
		"the highest":         {"EUR", Year, 20000, "expedition"},
		"more than all":       {"EUR", Year, 900000, "expedition"},
		"a single gift":       {"EUR", Once, 900000, ""},
		"an unknown currency": {"BRL", Month, 900000, ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, ok := TierFor(tt.currency, tt.interval, tt.minor)
			if got.ID != tt.want || ok != (tt.want != "") {
				t.Errorf("TierFor = %q, %v; want %q", got.ID, ok, tt.want)
			}
		})
	}
}

func TestTierWords(t *testing.T) {
	t.Parallel()
	tier, ok := TierByID("camera")
	if !ok || tier.Name("uk") != "Камера" || tier.Name("pt") != "Camera" {
		t.Errorf("the tier camera is %q in Ukrainian and %q in a language we do not speak", tier.Name("uk"), tier.Name("pt"))
	}
	if perks := tier.Perks("de"); len(perks) != 1 || !strings.Contains(perks[0], "Brief") {
		t.Errorf("its perks in German are %q", perks)
	}
	if _, ok := TierByID("gold"); ok {
		t.Error("there is a tier nobody made")
	}
}
