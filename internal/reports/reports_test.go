package reports

import (
	"context"
	"crypto/rand"
	"encoding/csv"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/united24media/support/internal/fault"
	"github.com/united24media/support/internal/giving"
	"github.com/united24media/support/internal/objects"
	"github.com/united24media/support/internal/store"
)

var kyiv = zone("Europe/Kyiv")

func zone(name string) *time.Location {
	z, err := time.LoadLocation(name)
	if err != nil {
		panic(err)
	}
	return z
}

// at returns an instant of Kyiv's clock.
func at(text string) int64 {
	t, err := time.ParseInLocation(time.DateTime, text, kyiv)
	if err != nil {
		panic(err)
	}
	return t.Unix()
}

// service returns reports over donations, on a database of their own.
func service(t *testing.T, donations ...*giving.Donation) *Service {
	t.Helper()
	db, err := store.Open("sqlite:" + filepath.Join(t.TempDir(), "support.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	if _, err := db.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	cells := giving.Cells{}
	for _, d := range donations {
		d.AddTo(cells, 1, kyiv)
	}
	if err := db.Ledger(t.Context(), func(tx *store.Tx) error {
		return errors.Join(tx.PutDonations(t.Context(), donations), tx.MoveSums(t.Context(), cells))
	}); err != nil {
		t.Fatal(err)
	}
	return New(Options{Store: db, Timezone: kyiv, Now: func() time.Time { return time.Unix(at("2026-04-01 12:00:00"), 5000) }})
}

// gifts are a few donations with every kind of figure.
func gifts() []*giving.Donation {
	won := giving.Attribution{Article: "uk-defense-secretary-troops", Placement: "mid", Status: "signed", UTMSource: "mail"}
	return []*giving.Donation{
		// The last second of January in Kyiv, when it is still January 31 in UTC too.
		{Key: "pi_1", Created: at("2026-01-31 23:59:59"), Currency: "EUR", Gross: 1000, First: true, Interval: giving.Once, Country: "DE",
			Settled: giving.Balance{Currency: "EUR", Fee: 45, Net: 955}, Attribution: won, Email: "ann@example.org", Name: "Ann", Source: "stripe", Charge: "ch_1"},
		// February in Kyiv, January in UTC.
		{Key: "pi_2", Created: at("2026-02-01 00:30:00"), Currency: "EUR", Gross: 2000, Refunded: 500, Disputed: 1500, Lost: 1500, Interval: giving.Month, Country: "UA", Attribution: won, Source: "stripe"},
		{Key: "pi_3", Created: at("2026-02-14 10:00:00"), Currency: "JPY", Gross: 5000, Disputed: 6000, Interval: giving.Month, Source: "stripe",
			Settled: giving.Balance{Currency: "EUR", Fee: 2, Net: -700}, Elsewhere: []giving.Balance{{Currency: "USD", Fee: 1500, Net: -1500}}},
		{Key: "pi_4", Created: at("2026-03-30 23:00:00"), Currency: "USD", Gross: 300, First: true, Interval: giving.Year, Source: "stripe",
			Attribution: giving.Attribution{Article: "=cmd|' /C calc'!A0", Campaign: "winter"}},
	}
}

// get returns the answer to a request with a new token of a role.
func get(t *testing.T, s *Service, h func(*gin.Context) error, role, address, accept string) (*httptest.ResponseRecorder, error) {
	t.Helper()
	text, err := s.CreateToken(t.Context(), "t-"+rand.Text(), role, store.Entry{})
	if err != nil {
		t.Fatal(err)
	}
	return ask(h, address, "Bearer "+text, accept, nil)
}

func ask(h func(*gin.Context) error, address, authorization, accept string, params gin.Params) (*httptest.ResponseRecorder, error) {
	w := httptest.NewRecorder()
	c, _ := gin.CreateTestContext(w)
	c.Params = params
	c.Request = httptest.NewRequest(http.MethodGet, address, nil)
	c.Request.Header.Set("Authorization", authorization)
	c.Request.Header.Set("Accept", accept)
	return w, h(c)
}

func TestReportJSON(t *testing.T) {
	t.Parallel()
	s := service(t, gifts()...)
	const head = `,"timezone":"Europe/Kyiv","as_of":"2026-04-01T08:59:59Z","rows":[`
	figures := map[string]string{
		"1":  `"currency":"EUR","settlement_currency":"EUR","donations":1,"new_supporters":1,"gross_minor":1000,"refunded_minor":0,"disputed_minor":0,"received_minor":1000,"fee_minor":45,"net_minor":955}`,
		"2":  `"currency":"EUR","settlement_currency":null,"donations":1,"new_supporters":0,"gross_minor":2000,"refunded_minor":500,"disputed_minor":1500,"received_minor":0,"fee_minor":null,"net_minor":null}`,
		"3":  `"currency":"JPY","settlement_currency":"EUR","donations":1,"new_supporters":0,"gross_minor":5000,"refunded_minor":0,"disputed_minor":6000,"received_minor":-1000,"fee_minor":2,"net_minor":-700}`,
		"3b": `"currency":"JPY","settlement_currency":"USD","donations":0,"new_supporters":0,"gross_minor":0,"refunded_minor":0,"disputed_minor":0,"received_minor":0,"fee_minor":1500,"net_minor":-1500}`,
		"4":  `"currency":"USD","settlement_currency":null,"donations":1,"new_supporters":1,"gross_minor":300,"refunded_minor":0,"disputed_minor":0,"received_minor":300,"fee_minor":null,"net_minor":null}`,
	}
	// lines joins rows: each is a key, then the name of its figures; "-" is a
	// total.
	lines := func(pairs ...string) string {
		var all []string
		for i := 0; i < len(pairs); i += 2 {
			if pairs[i] == "-" {
				all = append(all, "{"+figures[pairs[i+1]])
			} else {
				all = append(all, `{"key":"`+pairs[i]+`",`+figures[pairs[i+1]])
			}
		}
		return strings.Join(all, ",")
	}
	totals := lines("-", "2", "-", "1", "-", "3", "-", "3b", "-", "4")
	tests := map[string]struct{ from, to, by, rows, totals string }{
		"months, of months and days":   {"2026-01-31", "2026-04-01", "month", lines("2026-01", "1", "2026-02", "2", "2026-02", "3", "2026-02", "3b", "2026-03", "4"), totals},
		"days":                         {"2026-01-01", "2026-04-01", "day", lines("2026-01-31", "1", "2026-02-01", "2", "2026-02-14", "3", "2026-02-14", "3b", "2026-03-30", "4"), totals},
		"to is exclusive":              {"2026-01-31", "2026-02-01", "day", lines("2026-01-31", "1"), lines("-", "1")},
		"currencies":                   {"2026-01-01", "2027-01-01", "currency", lines("EUR", "2", "EUR", "1", "JPY", "3", "JPY", "3b", "USD", "4"), totals},
		"intervals, days at both ends": {"2026-01-02", "2026-03-31", "interval", lines("month", "2", "month", "3", "month", "3b", "once", "1", "year", "4"), totals},
		"countries":                    {"2026-02-01", "2026-02-15", "country", lines("", "3", "", "3b", "UA", "2"), lines("-", "2", "-", "3", "-", "3b")},
		"campaigns":                    {"2026-03-15", "2026-04-15", "campaign", lines("winter", "4"), lines("-", "4")},
		"variants, all unknown":        {"2026-03-30", "2026-03-31", "variant", lines("", "4"), lines("-", "4")},
		"tiers":                        {"2026-01-31", "2026-02-01", "tier", lines("", "1"), lines("-", "1")},
		"placements":                   {"2026-01-31", "2026-02-01", "placement", lines("mid", "1"), lines("-", "1")},
		"nothing":                      {"2025-01-01", "2026-01-01", "article", "", ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, err := get(t, s, s.Donations, RoleViewer, "/?from="+tt.from+"&to="+tt.to+"&by="+tt.by, "")
			want := `{"from":"` + tt.from + `","to":"` + tt.to + `","by":"` + tt.by + `"` + head + tt.rows + `],"totals":[` + tt.totals + `]}`
			if err != nil || w.Body.String() != want {
				t.Errorf("%v\ngot  %s\nwant %s", err, w.Body, want)
			}
		})
	}
}

func TestReportCSV(t *testing.T) {
	t.Parallel()
	s := service(t, gifts()...)
	w, err := get(t, s, s.Donations, RoleViewer, "/?from=2026-01-01&to=2027-01-01&by=article", "text/csv")
	const want = "key,currency,settlement_currency,donations,new_supporters,gross_minor,refunded_minor,disputed_minor,received_minor,fee_minor,net_minor,timezone\r\n" +
		",JPY,EUR,1,0,5000,0,6000,-1000,2,-700,Europe/Kyiv\r\n" +
		",JPY,USD,0,0,0,0,0,0,1500,-1500,Europe/Kyiv\r\n" +
		"'=cmd|' /C calc'!A0,USD,,1,1,300,0,0,300,,,Europe/Kyiv\r\n" +
		"uk-defense-secretary-troops,EUR,,1,0,2000,500,1500,0,,,Europe/Kyiv\r\n" +
		"uk-defense-secretary-troops,EUR,EUR,1,1,1000,0,0,1000,45,955,Europe/Kyiv\r\n"
	if err != nil || w.Body.String() != want {
		t.Errorf("%v\ngot  %s\nwant %s", err, w.Body, want)
	}
	if kind := w.Header().Get("Content-Type"); kind != "text/csv; charset=utf-8; header=present" {
		t.Errorf("Content-Type %s", kind)
	}
	if name := w.Header().Get("Content-Disposition"); name != `attachment; filename="donations-by-article_2026-01-01_2027-01-01_Europe-Kyiv.csv"` {
		t.Errorf("Content-Disposition %s", name)
	}
}

func TestCSVDefusesFormulas(t *testing.T) {
	t.Parallel()
	for _, key := range []string{"=1", "+1", "-1", "@x", "\t=1", "\r=1", "\n=1", "＝1", "＋1", "－1", "＠x"} {
		var out strings.Builder
		if err := (Report{Rows: []Row{{Key: key}}}).WriteCSV(&out); err != nil {
			t.Fatal(err)
		}
		lines, err := csv.NewReader(strings.NewReader(out.String())).ReadAll()
		if err != nil || !strings.HasPrefix(lines[1][0], "'") {
			t.Errorf("%q is written %q", key, out.String())
		}
	}
}

func TestWantsCSV(t *testing.T) {
	t.Parallel()
	for accept, want := range map[string]bool{
		"": false, "*/*": false, "application/json": false, "text/csv": true, "Text/CSV; charset=utf-8": true,
		"application/json, text/csv": false, "text/csv, application/json": true, "text/html, text/csv;q=0.9, */*;q=0.1": true,
		"text/csv;q=0.1, application/json": false, "application/json;q=0.5, text/csv; q=0.51": true, "text/csv;q=0": false,
		"text/csv;header=present;Q=0.2,application/json;q=0.125": true, "text/csv;q=much": false, "text/csv;q=2": false,
	} {
		if got := wantsCSV(accept); got != want {
			t.Errorf("wantsCSV(%q) = %v", accept, got)
		}
	}
}

func TestRefusedQueries(t *testing.T) {
	t.Parallel()
	s := service(t)
	tests := map[string]struct {
		handler      func(*gin.Context) error
		query, field string
	}{
		"no from":                {s.Donations, "to=2026-02-01&by=day", "from"},
		"no to":                  {s.Donations, "from=2026-02-01&by=day", "to"},
		"no by":                  {s.Donations, "from=2026-01-01&to=2026-02-01", "by"},
		"from no day":            {s.Donations, "from=2026-02-30&to=2026-02-01&by=day", "from"},
		"from a month":           {s.Donations, "from=2026-02&to=2026-02-01&by=day", "from"},
		"a year of three":        {s.Donations, "from=0999-01-01&to=2026-02-01&by=day", "from"},
		"to before from":         {s.Donations, "from=2026-02-01&to=2026-01-01&by=day", "to"},
		"to is from":             {s.Donations, "from=2026-02-01&to=2026-02-01&by=day", "to"},
		"by all":                 {s.Donations, "from=2026-01-01&to=2026-02-01&by=all", "by"},
		"by SQL":                 {s.Donations, "from=2026-01-01&to=2026-02-01&by=day'--", "by"},
		"an unknown parameter":   {s.Donations, "from=2026-01-01&to=2026-02-01&by=day&currency=EUR", "currency"},
		"from twice":             {s.Donations, "from=2026-01-01&from=2026-01-02&to=2026-02-01&by=day", "from"},
		"an unknown filter":      {s.List, "email=x", "email"},
		"a limit of none":        {s.List, "limit=0", "limit"},
		"a limit of too many":    {s.List, "limit=201", "limit"},
		"a cursor of no kind":    {s.List, "cursor=x", "cursor"},
		"a day of no kind":       {s.List, "from=yesterday", "from"},
		"an empty period":        {s.List, "from=2026-01-01&to=2026-01-01", "to"},
		"a status of no kind":    {s.List, "status=paid", "status"},
		"amounts of no kind":     {s.List, "amount_from=10.50&currency=EUR", "amount_from"},
		"amounts of nothing":     {s.List, "amount_from=100", "currency"},
		"amounts the wrong way":  {s.List, "amount_from=100&amount_to=99&currency=EUR", "amount_to"},
		"a text of no letters":   {s.List, "text=a%00", "text"},
		"a long text":            {s.List, "text=" + strings.Repeat("a", 201), "text"},
		"bytes that are no text": {s.List, "article=%ff", "article"},
		"who a viewer can't see": {s.List, "subscription=sub_1", "subscription"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := get(t, s, tt.handler, RoleViewer, "/?"+tt.query, "")
			f, ok := errors.AsType[*fault.Error](err)
			if !ok || f.Kind != fault.Invalid || f.Field != tt.field {
				t.Errorf("error %v; want one of %s", err, tt.field)
			}
		})
	}
}

func TestOnlyTokensOfOurs(t *testing.T) {
	t.Parallel()
	s := service(t)
	valid, err := s.CreateToken(t.Context(), "valid", RoleViewer, store.Entry{})
	if err != nil {
		t.Fatal(err)
	}
	ended, err := s.CreateToken(t.Context(), "ended", RoleFinance, store.Entry{})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.store.RevokeToken(t.Context(), "ended", time.Now(), store.Entry{}); err != nil {
		t.Fatal(err)
	}
	handlers := map[string]func(*gin.Context) error{"report": s.Donations, "list": s.List, "one": s.Donation}
	for name, authorization := range map[string]string{
		"none": "", "another scheme": "Basic " + valid, "no scheme": valid, "empty": "Bearer ", "unknown": "Bearer sup_x",
		"revoked": "Bearer " + ended, "one letter more": "Bearer " + valid + "A", "its hash": "Bearer " + hashToken(valid), "upper case": "Bearer " + strings.ToUpper(valid),
	} {
		for what, h := range handlers {
			if _, err := ask(h, "/?from=2026-01-01&to=2026-02-01&by=day", authorization, "", nil); !errors.Is(err, fault.Unauthorized) {
				t.Errorf("%s, %s: %v", what, name, err)
			}
		}
	}
	if _, err := ask(s.List, "/", "bearer "+valid, "", nil); err != nil {
		t.Errorf("the valid one: %v", err)
	}
	if strings.Trim(valid, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-") != "" {
		t.Errorf("a token has letters that must be escaped: %s", valid)
	}
}

func TestRefusedTokens(t *testing.T) {
	t.Parallel()
	s := service(t)
	for _, tt := range [][3]string{{"", RoleViewer, "name"}, {"two words", RoleViewer, "name"}, {"-x", RoleViewer, "name"}, {"desk", "admin", "role"}, {"desk", "", "role"}} {
		_, err := s.CreateToken(context.Background(), tt[0], tt[1], store.Entry{})
		if f, ok := errors.AsType[*fault.Error](err); !ok || f.Field != tt[2] {
			t.Errorf("CreateToken(%q, %q): %v", tt[0], tt[1], err)
		}
	}
}

func TestDonationJSON(t *testing.T) {
	t.Parallel()
	s := service(t, gifts()...)
	const public = `{"id":"pi_1","created_at":"2026-01-31T21:59:59Z","source":"stripe","interval":"once","tier":"","currency":"EUR",` +
		`"gross_minor":1000,"refunded_minor":0,"disputed_minor":0,"received_minor":1000,"status":"received","settlement_currency":"EUR","fee_minor":45,"net_minor":955,` +
		`"new_supporter":true,"article":"uk-defense-secretary-troops","placement":"mid","campaign":"","variant":"","country":"DE","locale":"",` +
		`"attribution":"signed","utm_source":"mail","utm_medium":"","utm_campaign":"","method":""`
	const detail = `,"settlement_rate":null,"elsewhere":[],"refunds":[],"disputes":[],"payout":null}`
	for role, want := range map[string]string{
		RoleViewer:  public + detail,
		RoleFinance: public + `,"email":"ann@example.org","name":"Ann","customer":"","charge":"ch_1","invoice":"","subscription":""` + detail,
	} {
		text, err := s.CreateToken(t.Context(), role, role, store.Entry{})
		if err != nil {
			t.Fatal(err)
		}
		w, err := ask(s.Donation, "/", "Bearer "+text, "", gin.Params{{Key: "id", Value: "pi_1"}})
		if err != nil || w.Body.String() != want {
			t.Errorf("%s: %v\ngot  %s\nwant %s", role, err, w.Body, want)
		}
		if _, err := ask(s.Donation, "/", "Bearer "+text, "", gin.Params{{Key: "id", Value: "pi_0"}}); !errors.Is(err, fault.NotFound) {
			t.Errorf("a donation that is not there: %v", err)
		}
	}
}

func TestDonationList(t *testing.T) {
	t.Parallel()
	s := service(t, gifts()...)
	know(t, s, map[objects.Ref]objects.Register{
		"charge/ch_1":    &objects.Charge{Created: 1, Intent: "pi_1", Customer: "cus_1"},
		"refund/re_1":    &objects.Refund{Created: 1, Charge: "ch_1"},
		"customer/cus_1": &objects.Customer{},
	})
	ids := func(role, query string) (all []string) {
		t.Helper()
		for page := 0; page < 10; page++ {
			w, err := get(t, s, s.List, role, "/?"+query, "")
			if err != nil {
				t.Fatal(err)
			}
			if role == RoleViewer && strings.Contains(w.Body.String(), "@") {
				t.Errorf("a viewer sees %s", w.Body)
			}
			var answer struct {
				Donations []struct{ ID string }
				Next      *string `json:"next_cursor"`
			}
			if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil {
				t.Fatal(err)
			}
			for _, d := range answer.Donations {
				all = append(all, d.ID)
			}
			if answer.Next == nil {
				return all
			}
			values, _ := url.ParseQuery(query)
			values.Set("cursor", *answer.Next)
			query = values.Encode()
		}
		t.Fatal("the list has no end")
		return nil
	}
	for query, want := range map[string][]string{
		"":                              {"pi_4", "pi_3", "pi_2", "pi_1"},
		"limit=1":                       {"pi_4", "pi_3", "pi_2", "pi_1"},
		"limit=2":                       {"pi_4", "pi_3", "pi_2", "pi_1"},
		"from=2026-02-01":               {"pi_4", "pi_3", "pi_2"}, // midnight in Kyiv
		"from=2026-01-31&to=2026-02-01": {"pi_1"},
		"currency=eur&limit=1":          {"pi_2", "pi_1"},
		"interval=month&country=ua":     {"pi_2"},
		"campaign=summer":               nil,
		"article=uk-defense-secretary-troops&placement=mid": {"pi_2", "pi_1"},
		"status=lost":                               {"pi_2"},
		"amount_from=1500&currency=eur":             {"pi_2"},
		"amount_from=1&amount_to=1000&currency=eur": {"pi_1"},
		"text=pi_":                {"pi_4", "pi_3", "pi_2", "pi_1"},
		"text=pi_3&to=2026-02-15": {"pi_3"},
		"text=Ann":                nil, // a viewer finds no persons, whatever they search for
		"text=ch_1":               nil,
	} {
		if got := ids(RoleViewer, query); !slices.Equal(got, want) {
			t.Errorf("%s: %q; want %q", query, got, want)
		}
	}
	for query, want := range map[string][]string{
		"text=ANN":               {"pi_1"},
		"text=ann@example.org":   {"pi_1"},
		"text=nn":                nil,
		"text=ch_1":              {"pi_1"},
		"text=re_1":              {"pi_1"},
		"text=cus_":              {"pi_1"},
		"text=ch_1&currency=usd": nil,
	} {
		if got := ids(RoleFinance, query); !slices.Equal(got, want) {
			t.Errorf("%s, for finance: %q; want %q", query, got, want)
		}
	}
}

// know stores what is known of objects, and which name which.
func know(t *testing.T, s *Service, registers map[objects.Ref]objects.Register) {
	t.Helper()
	states := map[string]string{}
	var links []store.Link
	for ref, r := range registers {
		states[string(ref)] = objects.Encode(r)
		for _, to := range r.Links() {
			links = append(links, store.Link{To: string(to), From: string(ref)})
		}
	}
	if err := s.store.Ledger(t.Context(), func(tx *store.Tx) error {
		return errors.Join(tx.PutRegisters(t.Context(), states), tx.PutLinks(t.Context(), links))
	}); err != nil {
		t.Fatal(err)
	}
}
