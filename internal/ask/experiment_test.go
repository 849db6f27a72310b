package ask

import (
	"fmt"
	"math"
	"net/http"
	"testing"
	"time"

	"github.com/united24media/support/internal/ask/embed/bundle"
	"github.com/united24media/support/internal/policy"
	"github.com/united24media/support/internal/testenv/chromium"
)

const twoVariants = `"variants":[{"name":"control","weight":1},{"name":"short","weight":3,"texts":{"en":{"mid":{"lead":"Stand with us.","action":"Give"}}}}]`

func TestAnswerHoldsTheVariants(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	ask := func(fields, query string) map[string]any {
		b.facts[policy.KindAsks] = `{"experiments":[{"id":"x","placements":["mid"]` + fields + `,` + twoVariants + `}]}`
		if err := b.policies.Refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
		return decode(t, get(t, b.Ask, "/v1/ask?article=a"+query))
	}
	v := ask("", "")
	variants, _ := dig(v, "placements", "mid", "variants").([]any)
	if len(variants) != 2 || dig(v, "placements", "end", "variants") != nil {
		t.Fatalf("mid has %v, end %v", variants, dig(v, "placements", "end", "variants"))
	}
	for i, want := range []struct{ name, text, action string }{
		{"control", "We bring you stories from the ground. Your support keeps our team in the field.", "Donate now"},
		{"short", "Stand with us. Your support keeps our team in the field.", "Give"},
	} {
		claim, err := b.signer.Verify(dig(variants[i], "token").(string), start)
		if err != nil || claim.Variant != want.name || claim.Placement != policy.Mid {
			t.Errorf("the token of %s says %+v, %v", want.name, claim, err)
		}
		if dig(variants[i], "text") != want.text || dig(variants[i], "action") != want.action {
			t.Errorf("%s says %v", want.name, variants[i])
		}
	}
	if variants, _ := dig(ask("", "&lang=de"), "placements", "mid", "variants").([]any); dig(variants[1], "lead") != "Wir erzählen Ihnen, was vor Ort geschieht." {
		t.Errorf("without German texts the variant says %v", variants[1])
	}
	if variants, _ := dig(ask(`,"stopped":"short"`, ""), "placements", "mid", "variants").([]any); len(variants) != 1 || dig(variants[0], "name") != "short" {
		t.Errorf("stopped: %v", variants)
	}
	if variants := dig(ask(`,"until":"2026-11-23T10:00"`, ""), "placements", "mid", "variants"); variants == nil {
		t.Error("it ended before its time")
	}
	b.clock.Add(1800)
	if variants := dig(decode(t, get(t, b.Ask, "/v1/ask?article=a")), "placements", "mid", "variants"); variants != nil {
		t.Errorf("after its end: %v", variants)
	}
}

// TestShare holds the device's hash to what an experiment needs, in Chromium.
func TestShare(t *testing.T) {
	t.Parallel()
	module, err := bundle.Module("embed/src", "device.ts", "device")
	if err != nil {
		t.Fatal(err)
	}
	f := serveSite(t, map[string]http.HandlerFunc{"/page": func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprintf(w, `<!doctype html><title>x</title><link rel=icon href=data:,><script>%s</script>`, module)
	}})
	b := chromium.New(t, 390, 800)
	b.Open(f.URL+"/page", `typeof device === 'object'`)
	const ids = 4000
	shares := chromium.Eval[[][]float64](b, fmt.Sprintf(`Array.from({length: %d}, () => {
		const id = crypto.getRandomValues(new Uint32Array(1))[0]
		localStorage.setItem('u24-support:id', JSON.stringify([id]))
		return [device.share('one', true), device.share('two', true), device.share('one', true)]
	})`, ids))
	var low, both float64
	for _, s := range shares {
		if s[0] != s[2] || s[0] < 0 || s[0] >= 1 {
			t.Fatalf("shares %v: not stable, or not within 0 and 1", s)
		}
		if s[0] < 0.25 {
			low++
			if s[1] < 0.5 {
				both++
			}
		}
	}
	// Five standard deviations: a fair hash fails once in two million runs.
	if want, off := ids*0.25, 5*math.Sqrt(ids*0.25*0.75); math.Abs(low-want) > off {
		t.Errorf("%v of %v lie in the first quarter, want %v ± %v", low, ids, want, off)
	}
	if want, off := low*0.5, 5*math.Sqrt(low*0.25); math.Abs(both-want) > off {
		t.Errorf("%v of %v lie in the first half of the other experiment, want %v ± %v", both, low, want, off)
	}
	if chromium.Eval[float64](b, `device.share('one', false) + device.share('one', false)`) != 2*chromium.Eval[float64](b, `device.share('one', false)`) {
		t.Error("without storage a page view does not stay with its share")
	}
}

func TestVariantReachesReaderAndLink(t *testing.T) {
	t.Parallel()
	var f *site
	f = serveSite(t, map[string]http.HandlerFunc{"/page": fixture(&f, strictPolicy, "", asked(`storage="allowed"`)), "/site.css": styles(nil)})
	f.facts[policy.KindAsks] = `{"experiments":[{"id":"x","placements":["mid"],` + twoVariants[:len(twoVariants)-1] + `,{"name":"holdback","weight":1,"show":"none"}]}]}`
	if err := f.policies.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	b := chromium.New(t, 390, 800)
	b.Open(f.URL+"/page?u24-variant=short", shown)
	link := chromium.Eval[map[string]string](b, `Object.fromEntries(new URL(`+mid+`.shadowRoot.querySelector('.give').href).searchParams)`)
	claim, err := f.signer.Verify(link["token"], time.Now())
	if err != nil || claim.Variant != "short" || link["variant"] != "short" {
		t.Errorf("the link carries %v", link)
	}
	if text := chromium.Eval[string](b, mid+`.shadowRoot.querySelector('[part=text]').textContent`); text != "Stand with us. Your support keeps our team in the field." {
		t.Errorf("the variant says %q", text)
	}
	b.Open(f.URL+"/page?u24-variant=holdback", end+`?.shadowRoot?.querySelector('.give') && !`+mid+`.shadowRoot.firstChild`)
	// Left to itself, a device stays with one variant.
	seen := map[string]bool{}
	for i := range 4 {
		b.Open(fmt.Sprint(f.URL, "/page?", i), end+`?.shadowRoot?.querySelector('.give')`)
		seen[chromium.Eval[string](b, mid+`.shadowRoot.querySelector('[part=text]')?.textContent || 'nothing'`)] = true
	}
	if len(seen) != 1 {
		t.Errorf("one device saw %v", seen)
	}
}
