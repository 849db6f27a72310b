package reconcile_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/united24media/support/internal/giving"
	"github.com/united24media/support/internal/reconcile"
)

// importFile imports a file and returns how much of it was new.
func (h *house) importFile(text string) (*reconcile.Import, int) {
	h.t.Helper()
	m, bad, err := reconcile.ReadImport(strings.NewReader(text), h.zone, h.box.Now())
	ok(h.t, err)
	if len(bad) > 0 {
		h.t.Fatalf("bad rows: %+v", bad)
	}
	news, err := h.Record(h.t.Context(), m)
	ok(h.t, err)
	return m, news
}

func (h *house) byKey() map[string]*giving.Donation {
	h.t.Helper()
	found := map[string]*giving.Donation{}
	for _, d := range h.donations() {
		found[d.Key] = d
	}
	return found
}

func TestImportOfOurOwnFormat(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, h *house) {
		const file = "\ufeffdate;amount;currency;reference;email;name;country;interval;article;refunded\n" +
			"2026-01-31;10,50;eur;BANK-1;olena@example.org;Olena;ua;;troops;\n" +
			"2026-01-31 23:30;1000;JPY;;petro@example.org;;;month;;\n" +
			"31.01.2026;5;EUR;;;;;;;\n" +
			"31.01.2026;5;EUR;;;;;;;\n" +
			"2026-01-30;20.00;USD;\"Wire / 7\";;;;;;5\n"
		m, news := h.importFile(file)
		if m.Gifts != 5 || news != 5 {
			t.Errorf("%d gifts, %d new, want 5", m.Gifts, news)
		}
		before, err := h.ledger.Hash(t.Context(), h.store)
		ok(t, err)
		d := h.byKey()["BANK-1"]
		if d == nil || d.Gross != 1050 || d.Currency != "EUR" || d.Country != "UA" || d.Article != "troops" || d.Source != "offline" ||
			d.Supporter != "address:olena@example.org" || time.Unix(d.Created, 0).In(h.zone).Format("2006-01-02 15") != "2026-01-31 12" {
			t.Errorf("BANK-1 is %+v", d)
		}
		sums := map[string]int64{}
		for _, d := range h.donations() {
			sums[d.Currency] += d.Gross - d.Refunded
		}
		if sums["EUR"] != 2050 || sums["JPY"] != 1000 || sums["USD"] != 1500 {
			t.Errorf("sums: %v", sums)
		}
		if _, news := h.importFile(file); news != 0 {
			t.Errorf("the second time %d rows are new", news)
		}
		after, err := h.ledger.Hash(t.Context(), h.store)
		ok(t, err)
		if before != after {
			t.Error("importing twice changed something")
		}
		if _, news := h.importFile(strings.Replace(file, "10,50", "11,50", 1)); news != 1 || h.byKey()["BANK-1"].Gross != 1150 {
			t.Errorf("a correction: %d new, %+v", news, h.byKey()["BANK-1"])
		}
		h.level()
	})
}

func TestImportNamesEveryBadRow(t *testing.T) {
	t.Parallel()
	zone := time.UTC
	now := time.Date(2026, 2, 1, 0, 0, 0, 0, zone)
	for name, tt := range map[string]struct {
		file string
		line int
		want string // part of the reason, or of the error where line is 0
	}{
		"amount":                      {"date,amount,currency\n2026-01-31,ten,EUR\n", 2, "amount"},
		"nothing given":               {"date,amount,currency\n2026-01-31,0,EUR\n", 2, "more than zero"},
		"yen have no minor":           {"date,amount,currency\n2026-01-31,10.50,JPY\n", 2, "amount"},
		"currency":                    {"date,amount,currency\n2026-01-31,10,XTS\n", 2, "currency"},
		"day":                         {"date,amount,currency\n2026-02-30,10,EUR\n", 2, "date"},
		"day in the future":           {"date,amount,currency\n2027-01-31,10,EUR\n", 2, "date"},
		"either day":                  {"date,amount,currency\n03/04/2026,10,EUR\n", 2, "two days"},
		"email":                       {"date,amount,currency,email\n2026-01-31,10,EUR,olena\n", 2, "email"},
		"country":                     {"date,amount,currency,country\n2026-01-31,10,EUR,Ukraine\n", 2, "country"},
		"interval":                    {"date,amount,currency,interval\n2026-01-31,10,EUR,weekly\n", 2, "interval"},
		"refund above":                {"date,amount,currency,refunded\n2026-01-31,10,EUR,11\n", 2, "refunded"},
		"reference twice":             {"date,amount,currency,reference\n2026-01-31,10,EUR,A\n2026-01-31,10,EUR,A\n", 3, "twice"},
		"reference of Stripe":         {"date,amount,currency,reference\n2026-01-31,10,EUR,pi_1\n", 2, "Stripe"},
		"a cell too many":             {"date,amount,currency\n2026-01-31,10,EUR,x\n", 2, "4 cells, where the first line names 3 columns"},
		"an amount that a comma cuts": {"date,amount,currency\n2026-01-31,10,50,EUR\n", 2, `a cell with a ',' in it`},
		"a quote in the middle":       {"date,amount,currency,name\n2026-01-31,10,EUR,Olena \"Lena\" K\n2026-01-31,10,EUR,b\n", 2, "written twice"},
		"thousands that are none":     {"date;amount;currency\n2026-01-31;1.2500,00;EUR\n", 2, "amount"},
		"a fraction or thousands":     {"date,amount,currency\n2026-01-31,5.000,EUR\n", 2, "amount: \"5.000\" may be a fraction or thousands"},
		"thousands or a fraction":     {"date;amount;currency\n2026-01-31;1,250;EUR\n", 2, "such as 1250.00"},
		"thousands of yen, or yen":    {"date,amount,currency\n2026-01-31,5.000,JPY\n", 2, "may be a fraction"},
		"refunded in doubt":           {"date,amount,currency,refunded\n2026-01-31,9000,EUR,5.000\n", 2, "refunded"},
		"refunded by a word":          {"date;amount;currency;refunded\n2026-01-31;5;EUR;all\n", 2, "refunded"},
		"UTF-16":                      {"\xff\xfed\x00a\x00t\x00e\x00\n\x00", 0, "UTF-16"},
		"Stripe's customers":          {"id,Description,Email,Name,Created (UTC)\ncus_1,,a@example.org,A,2026-01-31 10:00\n", 0, "payments or subscriptions"},
		"GiveWP's currency":           {"Donation ID,Donation Total,Donation Status,Donation Date\n7,10.00,Complete,2026-01-31\n", 2, "Currency Code"},
		"GiveWP's day":                {"Donation ID,Donation Total,Currency Code,Donation Status,Donation Date\n7,10.00,EUR,Complete,31 січня 2026\n", 2, "Donation Date"},
		"GiveWP's total":              {"Donation ID,Donation Total,Currency Code,Donation Status,Donation Date\n7,10..00,EUR,Complete,2026-01-31\n", 2, "Donation Total"},
		"after a long cell":           {"date,amount,currency,name\n2026-01-31,10,EUR,\"a\nb\"\n2026-01-31,no,EUR,c\n", 4, "amount"},
		"not UTF-8":                   {"date,amount,currency,name\n2026-01-31,10,EUR,\xff\n", 2, "UTF-8"},
		"a column nobody uses":        {"date,amount,currency,colour\n", 0, "colour"},
		"no columns at all":           {"", 0, "columns"},
		"other columns":               {"a,b\n1,2\n", 0, "columns"},
		"GiveWP's status":             {"Donation ID,Donation Total,Currency Code,Donation Status,Donation Date\n7,10.00,EUR,Odd,2026-01-31\n", 2, "Donation Status"},
		"Stripe's id":                 {"id,Status,Customer ID\ntxn_1,Paid,\n", 2, "id"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, bad, err := reconcile.ReadImport(strings.NewReader(tt.file), zone, now)
			if tt.line == 0 {
				if err == nil || !strings.Contains(err.Error(), tt.want) {
					t.Errorf("err = %v, want one with %q", err, tt.want)
				}
				return
			}
			if err != nil || len(bad) != 1 || bad[0].Line != tt.line || !strings.Contains(bad[0].Reason, tt.want) {
				t.Errorf("bad rows %+v, %v; want one of line %d with %q", bad, err, tt.line, tt.want)
			}
		})
	}
}

func TestImportFromGiveWP(t *testing.T) {
	t.Parallel()
	h := newHouse(t, "sqlite:"+t.TempDir()+"/support.db")
	m, _ := h.importFile(`"Donation ID","First Name","Last Name","Email Address","Country","Donation Total","Currency Code","Currency Symbol","Donation Status","Payment Gateway","Payment Mode","Form Title","Donation Date","Donation Time"
"11","Olena","K","olena@example.org","UA","1,250.50","USD","$","Complete","offline","live","Main","January 31, 2026","2:30 pm"
"12","Petro","","petro@example.org","Ukraine","$20.00","USD","$","Refunded","paypal","live","Main","2026-01-30","14:30"
"13","","","","","5.00","USD","$","Abandoned","stripe","live","Main","2026-01-30",""
"14","","","","","5.00","USD","$","Complete","manual","test","Main","2026-01-30",""
`)
	if m.Format != "GiveWP's" || m.Gifts != 2 || m.Skipped != 2 {
		t.Errorf("imported %+v", m)
	}
	d := h.byKey()["givewp_11"]
	if d == nil || d.Gross != 125050 || d.Name != "Olena K" || time.Unix(d.Created, 0).In(h.zone).Format("2006-01-02 15:04") != "2026-01-31 14:30" {
		t.Errorf("the first is %+v", d)
	}
	if d := h.byKey()["givewp_12"]; d == nil || d.Refunded != 2000 || d.Live() {
		t.Errorf("the second is %+v", d)
	}
	h.level()
}

func TestImportTakesOverWhatAnEarlierSystemMadeAtStripe(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, h *house) {
		charge, err := h.box.ForeignCharge(3000, "usd", "olena@example.org")
		ok(t, err)
		other, err := h.box.ForeignCharge(700, "usd", "petro@example.org")
		ok(t, err)
		h.deliver()
		if n := len(h.donations()); n != 0 {
			t.Fatalf("%d donations of another system", n)
		}
		m, _ := h.importFile("id,Created date (UTC),Amount,Currency,Status,Customer ID,article (metadata)\n" +
			charge + ",2026-01-31 10:00:00,30.00,usd,Paid,,troops\n" + other + ",2026-01-31 10:00:00,7.00,usd,Failed,,\n")
		if m.Adopted != 1 || m.Skipped != 1 {
			t.Errorf("imported %+v", m)
		}
		h.sweep(reconcile.Sweep{Since: time.Hour})
		all := h.donations()
		if len(all) != 1 || all[0].Gross != 3000 || all[0].Article != "troops" || all[0].Settled.Currency != "EUR" {
			t.Errorf("donations: %+v", all)
		}
		h.level()
	})
}

func TestALongImport(t *testing.T) {
	t.Parallel()
	h := newHouse(t, "sqlite:"+t.TempDir()+"/support.db")
	var file strings.Builder
	file.WriteString("date,amount,currency,reference,email\n")
	const rows = 12_000
	for i := range rows {
		fmt.Fprintf(&file, "2026-01-31,10,EUR,R%d,donor%d@example.org\n", i, i%500)
	}
	if _, news := h.importFile(file.String()); news != rows {
		t.Errorf("%d rows were new, want %d", news, rows)
	}
	counts, err := h.store.ScopesSince(t.Context(), 0)
	ok(t, err)
	if len(counts) != 1 || counts[0].Supporters != 500 {
		t.Errorf("counts: %+v", counts)
	}
}

// changing is a file that somebody saves between two readings.
type changing struct {
	*strings.Reader
	then string
}

func (c *changing) Seek(offset int64, whence int) (int64, error) {
	if c.Size() > 0 && c.Len() == 0 { // it was read
		c.Reader = strings.NewReader(c.then)
	}
	return c.Reader.Seek(offset, whence)
}

func TestImportIsAllRowsOrNone(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, h *house) {
		text := "date;amount;currency;reference\n"
		for i := range 4100 { // more than is held at once
			text += fmt.Sprintf("2026-01-31;5;EUR;BANK-%d\n", i)
		}
		m, bad, err := reconcile.ReadImport(&changing{strings.NewReader(text), text + "2026-01-31;five;EUR;BANK-X\n"}, h.zone, h.box.Now())
		if err != nil || len(bad) > 0 || m.Gifts != 4100 {
			t.Fatalf("%+v, bad rows %v, %v", m, bad, err)
		}
		if news, err := h.Record(t.Context(), m); err == nil || news != 0 || !strings.Contains(err.Error(), "line 4102: amount") {
			t.Errorf("a file that went bad: %d rows recorded, %v", news, err)
		}
		if n := len(h.donations()); n != 0 {
			t.Errorf("%d donations of a file with a bad row", n)
		}
		if _, news := h.importFile(text); news != 4100 {
			t.Errorf("%d rows are new, want 4100", news)
		}
	})
}
