package checkout

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/united24media/support/internal/attribution"
	"github.com/united24media/support/internal/fault"
	"github.com/united24media/support/internal/store"
)

func asFault(err error) (*fault.Error, bool) { return errors.AsType[*fault.Error](err) }

// answer reads the fields of a JSON answer that tests look at.
func answer(t *testing.T, w *httptest.ResponseRecorder) (a struct {
	ID, URL, Field, Detail string
	RetryAfter             int `json:"retry_after"`
},
) {
	t.Helper()
	if err := json.Unmarshal(w.Body.Bytes(), &a); err != nil {
		t.Fatalf("%d %q: %v", w.Code, w.Body, err)
	}
	return a
}

// row returns the checkout of a session.
func (b *bench) row(t *testing.T, session string) store.Checkout {
	t.Helper()
	row, ok, err := b.Store.CheckoutBySession(t.Context(), session)
	if err != nil || !ok {
		t.Fatalf("the checkout of %s: %v, %v", session, ok, err)
	}
	return row
}

const gift = `{"amount_minor": 1000, "currency": "eur", "interval": "once", "article": "troops", "placement": "mid"}`

func TestCreateOnce(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	w := b.post(`{"amount_minor":1000,"currency":"eur","interval":"once","article":"troops","placement":"mid","campaign":"spring",
		"variant":"b","tier":"","locale":"uk-UA","name":"Оля","anonymous":false,"message":"Тримайтеся","message_public":true,
		"return_url":"` + site + `/a?b=c","utm_source":"news","utm_medium":"mail","utm_campaign":"x","utm_term":"y","token":null}`)
	got := answer(t, w)
	if w.Code != http.StatusCreated || !strings.HasPrefix(got.ID, "co_") || got.URL != "https://checkout.stripe.com/c/pay/cs_test_1" {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	row := b.row(t, "cs_test_1")
	sent := b.stripe.last()
	metadata := map[string]string{
		"support_v": "1", "checkout": got.ID, "article": "troops", "placement": "mid", "campaign": "spring", "variant": "b",
		"locale": "uk", "attribution": "unverified", "utm_source": "news", "utm_medium": "mail", "utm_campaign": "x",
	}
	want := url.Values{
		"mode": {"payment"}, "submit_type": {"donate"}, "client_reference_id": {got.ID}, "locale": {"en"},
		"expires_at":              {fmt.Sprint(row.ExpiresAt.Unix())},
		"line_items[0][quantity]": {"1"}, "line_items[0][price_data][currency]": {"eur"},
		"line_items[0][price_data][unit_amount]": {"1000"}, "line_items[0][price_data][product]": {"support_once"},
		"payment_intent_data[description]": {"Пожертва для UNITED24 Media"},
		"success_url":                      {here + "/thanks?session_id={CHECKOUT_SESSION_ID}"},
		"cancel_url": {here + "/support?amount=10.00&article=troops&campaign=spring&currency=EUR&interval=once&lang=uk" +
			"&placement=mid&return_url=https%3A%2F%2Funited24media.example%2Fa%3Fb%3Dc&utm_campaign=x&utm_medium=mail&utm_source=news&utm_term=y&variant=b"},
	}
	for key, value := range metadata {
		want.Set("metadata["+key+"]", value)
		want.Set("payment_intent_data[metadata]["+key+"]", value)
	}
	for key := range sent {
		if sent.Get(key) != want.Get(key) {
			t.Errorf("sent %s = %q, want %q", key, sent.Get(key), want.Get(key))
		}
	}
	for key := range want {
		if sent.Get(key) == "" {
			t.Errorf("did not send %s", key)
		}
	}
	if row.Name != "Оля" || row.Message != "Тримайтеся" || !row.ShowMessage || row.Anonymous || row.Status != store.CheckoutOpen {
		t.Errorf("the row is %+v", row)
	}
	for key, values := range sent {
		if strings.Contains(strings.Join(values, ""), "Оля") {
			t.Errorf("Stripe got the name in %s", key)
		}
	}
}

func TestCreateRecurring(t *testing.T) {
	t.Parallel()
	for _, interval := range []string{"month", "year"} {
		t.Run(interval, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			w := b.post(`{"amount_minor":500,"currency":"GBP","interval":"` + interval + `","locale":"de","tier":"friend"}`)
			if w.Code != http.StatusCreated {
				t.Fatalf("%d %s", w.Code, w.Body)
			}
			sent := b.stripe.last()
			for key, want := range map[string]string{
				"mode": "subscription", "submit_type": "", "locale": "de",
				"line_items[0][price_data][recurring][interval]": interval,
				"line_items[0][price_data][product]":             "support_recurring",
				"subscription_data[metadata][tier]":              "friend",
				"subscription_data[metadata][support_v]":         "1",
				"payment_intent_data[metadata][support_v]":       "",
				"metadata[checkout]":                             answer(t, w).ID,
			} {
				if got := sent.Get(key); got != want {
					t.Errorf("sent %s = %q, want %q", key, got, want)
				}
			}
		})
	}
}

func TestCreateRefuses(t *testing.T) {
	t.Parallel()
	with := func(field string) string {
		return `{"amount_minor":1000,"currency":"EUR","interval":"once",` + field + `}`
	}
	long := strings.Repeat("я", 256)
	tests := map[string]struct{ body, field string }{
		"no body":                        {``, ""},
		"not JSON":                       {`amount_minor=1000`, ""},
		"an array":                       {`[]`, ""},
		"null":                           {`null`, ""},
		"two values":                     {gift + gift, ""},
		"no amount":                      {`{"currency":"EUR","interval":"once"}`, "amount_minor"},
		"nothing":                        {`{"amount_minor":0,"currency":"EUR","interval":"once"}`, "amount_minor"},
		"less than nothing":              {`{"amount_minor":-1,"currency":"EUR","interval":"once"}`, "amount_minor"},
		"too little":                     {`{"amount_minor":99,"currency":"EUR","interval":"once"}`, "amount_minor"},
		"too much":                       {`{"amount_minor":1000001,"currency":"EUR","interval":"once"}`, "amount_minor"},
		"too much each month":            {`{"amount_minor":200001,"currency":"EUR","interval":"month"}`, "amount_minor"},
		"more than fits":                 {`{"amount_minor":1000000000000000000000,"currency":"EUR","interval":"once"}`, "amount_minor"},
		"an exponent":                    {`{"amount_minor":1e18,"currency":"EUR","interval":"once"}`, "amount_minor"},
		"a fraction":                     {`{"amount_minor":1000.5,"currency":"EUR","interval":"once"}`, "amount_minor"},
		"a fraction of zero":             {`{"amount_minor":1000.0,"currency":"EUR","interval":"once"}`, "amount_minor"},
		"an amount as text":              {`{"amount_minor":"1000","currency":"EUR","interval":"once"}`, "amount_minor"},
		"NaN as text":                    {`{"amount_minor":"NaN","currency":"EUR","interval":"once"}`, "amount_minor"},
		"too few yen":                    {`{"amount_minor":10,"currency":"JPY","interval":"once"}`, "amount_minor"},
		"half a króna":                   {`{"amount_minor":50050,"currency":"ISK","interval":"once"}`, "amount_minor"},
		"one fils":                       {`{"amount_minor":5001,"currency":"KWD","interval":"once"}`, "amount_minor"},
		"no currency":                    {`{"amount_minor":1000,"interval":"once"}`, "currency"},
		"a currency that is none":        {`{"amount_minor":1000,"currency":"XTS","interval":"once"}`, "currency"},
		"a currency that is not offered": {`{"amount_minor":1000,"currency":"RUB","interval":"once"}`, "currency"},
		"no interval":                    {`{"amount_minor":1000,"currency":"EUR"}`, "interval"},
		"an interval that is none":       {`{"amount_minor":1000,"currency":"EUR","interval":"week"}`, "interval"},
		"an interval in capitals":        {`{"amount_minor":1000,"currency":"EUR","interval":"ONCE"}`, "interval"},
		"an unknown field":               {with(`"price":1`), "price"},
		"a known field in capitals":      {with(`"Article":"x"`), "Article"},
		"an e-mail, which is Stripe's":   {with(`"email":"a@b.c"`), "email"},
		"an article that is no name":     {with(`"article":"a b"`), "article"},
		"an article that is too long":    {with(`"article":"` + long + `"`), "article"},
		"an article that is a number":    {with(`"article":1`), "article"},
		"a placement that is no name":    {with(`"placement":"<mid>"`), "placement"},
		"a placement that is none":       {with(`"placement":"sidebar"`), "placement"},
		"a campaign with a line break":   {with(`"campaign":"a\nb"`), "campaign"},
		"a variant with a NUL":           {with(`"variant":"a\u0000"`), "variant"},
		"a tier with a quote":            {with(`"tier":"a\"b"`), "tier"},
		"an attempt that is too long":    {with(`"attempt":"` + long + `"`), "attempt"},
		"an attempt with a NUL":          {with(`"attempt":"a\u0000"`), "attempt"},
		"a token that is too long":       {with(`"token":"` + strings.Repeat("A", 1300) + `"`), "token"},
		"a locale with a space":          {with(`"locale":"e n"`), "locale"},
		"a locale that is too long":      {with(`"locale":"` + long + `"`), "locale"},
		"a name that is too long":        {with(`"name":"` + long + `"`), "name"},
		"a name that is an object":       {with(`"name":{}`), "name"},
		"a message that is too long":     {with(`"message":"` + long + `"`), "message"},
		"anonymous as text":              {with(`"anonymous":"yes"`), "anonymous"},
		"a public message as a number":   {with(`"message_public":1`), "message_public"},
		"a way back to another site":     {with(`"return_url":"https://evil.example/"`), "return_url"},
		"a way back by another scheme":   {with(`"return_url":"javascript:alert(1)"`), "return_url"},
		"a way back without a scheme":    {with(`"return_url":"//united24media.example/"`), "return_url"},
		"a way back with a name in it":   {with(`"return_url":"https://united24media.example@evil.example/"`), "return_url"},
		"a way back by a longer host":    {with(`"return_url":"https://united24media.example.evil.example/"`), "return_url"},
		"a way back with a backslash":    {with(`"return_url":"https://united24media.example\\@evil.example/"`), "return_url"},
		"a utm field that is a list":     {with(`"utm_source":[]`), "utm_source"},
		"a utm field without a name":     {with(`"utm_":"x"`), "utm_"},
	}
	b := newBench(t)
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := b.post(tt.body)
			if got := answer(t, w); w.Code != http.StatusBadRequest || got.Field != tt.field || got.Detail == "" {
				t.Errorf("%d %s; want 400 for the field %q", w.Code, w.Body, tt.field)
			}
		})
	}
	t.Cleanup(func() {
		if n := b.stripe.calls(); n > 0 {
			t.Errorf("Stripe was asked %d times", n)
		}
	})
}

func TestCreateRefusesLongBody(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	if w := b.post(`{"message":"` + strings.Repeat("x", maxBody) + `"}`); w.Code != http.StatusRequestEntityTooLarge {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

// What people type may hold anything; what we keep can be shown anywhere.
func TestCreateCleansTexts(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ typed, kept string }{
		"composed":                    {"Ole\u0301na", "Oléna"},
		"a line break":                {"a\r\nBcc: x", "a Bcc: x"},
		"NUL and bell":                {"a\u0000b\u0007", "ab"},
		"right to left override":      {"a\u202eb\u2066c", "abc"},
		"zero width":                  {"a\u200bb\u200d\ufeffc", "abc"},
		"blank letters":               {"\u3164\u115fa", "a"},
		"markup stays, to be escaped": {`<img src=x onerror=alert(1)>`, `<img src=x onerror=alert(1)>`},
		"only spaces":                 {" \u00a0\u2003 ", ""},
		"255 characters":              {strings.Repeat("ї", 255), strings.Repeat("ї", 255)},
	}
	b := newBench(t)
	n := 0
	for name, tt := range tests {
		body, _ := json.Marshal(map[string]any{"amount_minor": 1000, "currency": "EUR", "interval": "once", "message": tt.typed})
		w := b.post(string(body))
		if w.Code != http.StatusCreated {
			t.Errorf("%s: %d %s", name, w.Code, w.Body)
			continue
		}
		n++
		if got := b.row(t, fmt.Sprintf("cs_test_%d", n)).Message; got != tt.kept {
			t.Errorf("%s: kept %q, want %q", name, got, tt.kept)
		}
	}
}

func TestAttribution(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	claim := attribution.Claim{Article: "troops", Placement: "mid", Variant: "b", Hour: attribution.Hour(b.clock)}
	old := claim
	old.Hour -= 31 * 24
	winter := claim
	winter.Campaign = "winter"
	token, late, campaign := b.Signer.Sign(claim), b.Signer.Sign(old), b.Signer.Sign(winter)
	tests := []struct{ name, fields, article, placement, campaign, status string }{
		{"a token alone", `"token":"` + token + `"`, "troops", "mid", "", "signed"},
		{"a token that agrees", `"article":"troops","placement":"mid","token":"` + token + `"`, "troops", "mid", "", "signed"},
		{"another article", `"article":"other","token":"` + token + `"`, "other", "mid", "", "unverified"},
		{"another variant", `"variant":"c","token":"` + token + `"`, "troops", "mid", "", "unverified"},
		{"another placement", `"placement":"end","token":"` + token + `"`, "troops", "end", "", "unverified"},
		{"an added campaign", `"campaign":"x","token":"` + token + `"`, "troops", "mid", "x", "signed"},
		{"the token's campaign", `"token":"` + campaign + `"`, "troops", "mid", "winter", "signed"},
		{"another campaign", `"campaign":"x","token":"` + campaign + `"`, "troops", "mid", "x", "signed"},
		{"an old token is not lost", `"token":"` + late + `"`, "troops", "mid", "", "unverified"},
		{"a forged token", `"article":"troops","token":"x` + token + `"`, "troops", "", "", "unverified"},
		{"an empty token", `"article":"troops","token":""`, "troops", "", "", "unverified"},
		{"none", `"article":"troops"`, "troops", "", "", "unverified"},
	}
	for i, tt := range tests {
		w := b.post(`{"amount_minor":1000,"currency":"EUR","interval":"once",` + tt.fields + `}`)
		if w.Code != http.StatusCreated {
			t.Fatalf("%s: %d %s", tt.name, w.Code, w.Body)
		}
		row := b.row(t, fmt.Sprintf("cs_test_%d", i+1))
		if row.Article != tt.article || row.Placement != tt.placement || row.Campaign != tt.campaign || row.Attribution != tt.status {
			t.Errorf("%s: %q %q %q %q", tt.name, row.Article, row.Placement, row.Campaign, row.Attribution)
		}
		told := b.stripe.last()
		if got := told.Get("metadata[attribution]"); got != tt.status || told.Get("metadata[campaign]") != tt.campaign {
			t.Errorf("%s: told Stripe %q, campaign %q", tt.name, got, told.Get("metadata[campaign]"))
		}
	}
}

func TestMetadataIsCut(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	long := strings.Repeat("ї", 600)
	if w := b.post(`{"amount_minor":1000,"currency":"EUR","interval":"once","utm_source":"` + long + `"}`); w.Code != http.StatusCreated {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	if got := b.stripe.last().Get("metadata[utm_source]"); got != long[:2*500] {
		t.Errorf("sent %d characters", len([]rune(got)))
	}
}

func TestAttempt(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	withAttempt := func(amount int, id string) string {
		return fmt.Sprintf(`{"amount_minor":%d,"currency":"EUR","interval":"once","attempt":%q}`, amount, id)
	}
	first := b.post(withAttempt(1000, "a"))
	again := b.post(withAttempt(1000, "a"))
	other := b.post(withAttempt(2000, "a"))
	second := b.post(withAttempt(2000, "b"))
	if first.Code != 201 || again.Code != 200 || first.Body.String() != again.Body.String() {
		t.Errorf("the same attempt: %d %s, then %d %s", first.Code, first.Body, again.Code, again.Body)
	}
	if other.Code != http.StatusConflict {
		t.Errorf("other content: %d %s", other.Code, other.Body)
	}
	if second.Code != 201 || answer(t, second).URL == answer(t, first).URL {
		t.Errorf("another attempt: %d %s", second.Code, second.Body)
	}
	if n := b.stripe.calls(); n != 2 {
		t.Errorf("Stripe was asked %d times, want 2", n)
	}
	// A day later the session is over, and the same wish gets a new one.
	b.clock = b.clock.Add(24 * time.Hour)
	if w := b.post(withAttempt(1000, "a")); w.Code != 200 || answer(t, w).URL == answer(t, first).URL {
		t.Errorf("after the session ended: %d %s", w.Code, w.Body)
	}
}

func TestSimultaneousAttempts(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	var group sync.WaitGroup
	urls, created := make([]string, 8), atomic.Int64{}
	for i := range urls {
		group.Go(func() {
			w := b.post(`{"amount_minor":1000,"currency":"EUR","interval":"once","attempt":"double press"}`)
			if w.Code == 201 || w.Code == 200 {
				urls[i] = answer(t, w).URL
			}
			if w.Code == 201 {
				created.Add(1)
			}
		})
	}
	group.Wait()
	for _, u := range urls {
		if u == "" || u != urls[0] {
			t.Fatalf("got %q", urls)
		}
	}
	if len(b.stripe.sessions) != 1 {
		t.Errorf("%d sessions", len(b.stripe.sessions))
	}
	if n := created.Load(); n != 1 {
		t.Errorf("%d were told that they are the first", n)
	}
}

func TestLimit(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.limit.left = 3
	for range 50 {
		b.post(gift)
	}
	w := b.post(gift)
	if got := answer(t, w); w.Code != http.StatusTooManyRequests || got.RetryAfter != 90 {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if n := b.stripe.calls(); n != 3 {
		t.Errorf("Stripe was asked %d times, want 3", n)
	}
	if got := b.limit.keys[0]; got != "checkout 203.0.113.0/24" {
		t.Errorf("the limit is of %q", got)
	}
}

func TestWithoutDatabase(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	if err := b.Store.Close(); err != nil {
		t.Fatal(err)
	}
	if w := b.post(gift); w.Code != 503 || b.stripe.calls() != 0 {
		t.Errorf("%d after %d calls to Stripe", w.Code, b.stripe.calls())
	}
}

// No body makes the reader of bodies panic, and what it lets through is valid.
func FuzzReadInput(f *testing.F) {
	f.Add(gift)
	f.Add(`{"amount_minor":1e999,"utm_x":"\ud800","anonymous":null}`)
	s := &Service{Options: Options{
		SiteOrigins: []string{site}, Now: time.Now,
		Signer: attribution.NewSigner([][]byte{[]byte("a secret of thirty-two bytes or more")}),
	}}
	f.Fuzz(func(t *testing.T, body string) {
		r := httptest.NewRequest(http.MethodPost, "/v1/checkouts", strings.NewReader(body))
		in, err := readInput(httptest.NewRecorder(), r)
		if err != nil {
			if _, ok := asFault(err); !ok {
				t.Errorf("%q: %v is not for the caller", body, err)
			}
			return
		}
		valid, err := s.validate(in)
		if err != nil {
			return
		}
		for _, text := range []string{valid.Name, valid.Message, valid.Article, valid.attempt, valid.ReturnURL} {
			if strings.ContainsAny(text, "\x00\r\n\u202e\u200b") {
				t.Errorf("%q lets %q through", body, text)
			}
		}
		again, err := s.validate(in)
		if err != nil || valid.Amount.Minor < 100 || valid.digest() != again.digest() {
			t.Errorf("%q becomes %+v", body, valid)
		}
	})
}
