package reconcile_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/united24media/support/internal/reconcile"
)

// A list of bank transfers as a European spreadsheet saves it, and as it saves
// it again: the same gifts, written otherwise, are nothing new.
func TestASpreadsheetWritesOtherwise(t *testing.T) {
	t.Parallel()
	h := newHouse(t, "sqlite:"+t.TempDir()+"/support.db")
	const first = "\ufeffdate;amount;currency;name;email;refunded\r\n" +
		"31.01.2026;1.250,50;EUR;\"Olena\r\n\"\"Lena\"\" K; Kyiv\";olena@example.org;\r\n" +
		"30.01.2026;5;eur;;;\r\n" +
		"30.01.2026;5;eur;;;\r\n" +
		"30.01.2026 14:30;10 000;UAH;Petro;;1 000,00\r\n" +
		";;;;;\r\n" +
		"\r\n" +
		";;;;;\r\n"
	m, news := h.importFile(first)
	if m.Gifts != 4 || m.Skipped != 0 || news != 4 {
		t.Errorf("%+v, %d new; want 4 gifts", m, news)
	}
	sums := map[string]int64{}
	for _, d := range h.donations() {
		sums[d.Currency] += d.Gross - d.Refunded
	}
	if sums["EUR"] != 126050 || sums["UAH"] != 900000 {
		t.Errorf("sums: %v", sums)
	}
	const again = "date\tamount\tcurrency\tname\temail\trefunded\n" +
		"2026-01-31\t1250.5\tEUR\t\"Olena\n\"\"Lena\"\" K; Kyiv\"\tOlena@example.org\t\n" +
		"2026-01-30\t5.00\tEUR\t\t\t\n" +
		"2026-01-30\t5.00\tEUR\t\t\t\n" +
		"2026-01-30 14:30:00\t10000.00\tUAH\tPetro\t\t1000\n"
	if _, news := h.importFile(first); news != 0 {
		t.Errorf("the second time %d rows are new", news)
	}
	before := len(h.donations())
	h.importFile(again)
	if n := len(h.donations()); n != before {
		t.Errorf("%d gifts once the spreadsheet wrote them otherwise, want %d", n, before)
	}
}

// giveWP writes an export of GiveWP's with all of its usual columns, as a German
// site shows them.
func giveWP(rows int, wrong map[int]string) string {
	var b strings.Builder
	b.WriteString("\ufeff\"Donation ID\",\"Seq ID\",\"Title Prefix\",\"First Name\",\"Last Name\",\"Email Address\",\"Company Name\",\"Address 1\",\"Address 2\",\"City\"," +
		"\"State\",\"Zip\",\"Country\",\"Donation Total\",\"Currency Code\",\"Currency Symbol\",\"Donation Status\",\"Payment Gateway\",\"Payment Mode\",\"Form ID\",\"Form Title\"," +
		"\"Form Level ID\",\"Form Level Title\",\"Donation Date\",\"Donation Time\",\"User ID\",\"Donor ID\",\"Donor IP Address\",\"Donor Comment\"\r\n")
	statuses := [...]string{"Complete", "Complete", "Complete", "Refunded", "Abandoned", "Failed", "Renewal"}
	for i := range rows {
		total := fmt.Sprintf("%d.%03d,%02d\u00a0€", 1+i%3, i%1000, i%100)
		if w := wrong[i]; w != "" {
			total = w
		}
		fmt.Fprintf(&b, "\"%d\",\"%d\",\"\",\"Jörg\",\"Müller-%d\",\"donor%d@example.org\",\"\",\"Weg 1\",\"\",\"Köln\",\"\",\"50667\",\"DE\",\"%s\",\"EUR\",\"€\",\"%s\","+
			"\"paypal\",\"live\",\"12\",\"Unterstützen\",\"\",\"\",\"%02d.01.2026\",\"14:30\",\"0\",\"%d\",\"\",\"Danke,\r\n\"\"weiter so\"\"\"\r\n",
			1000+i, i, i, i%700, total, statuses[i%len(statuses)], 1+i%28, i%700)
	}
	return b.String()
}

func TestGiveWPsExportAsItComes(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 2, 1, 0, 0, 0, 0, time.UTC)
	const rows = 20_000
	m, bad, err := reconcile.ReadImport(strings.NewReader(giveWP(rows, nil)), time.UTC, now)
	if err != nil || len(bad) > 0 || m.Gifts+m.Skipped != rows || m.Skipped != 5714 || m.Format != "GiveWP's" {
		t.Fatalf("%+v, bad rows %v, %v", m, bad, err)
	}
	_, bad, err = reconcile.ReadImport(strings.NewReader(giveWP(rows, map[int]string{7: "viel", 19_600: "1,2,3"})), time.UTC, now)
	if err != nil || len(bad) != 2 || bad[0].Line != 2+2*7 || bad[1].Line != 2+2*19_600 || !strings.Contains(bad[1].Reason, "column Donation Total") {
		t.Errorf("bad rows %+v, %v; want those of lines %d and %d", bad, err, 2+2*7, 2+2*19_600)
	}
	h := newHouse(t, "sqlite:"+t.TempDir()+"/support.db")
	if m, news := h.importFile(giveWP(70, nil)); news != m.Gifts || m.Gifts != 50 {
		t.Errorf("%d gifts, %d new", m.Gifts, news)
	}
	if _, news := h.importFile(giveWP(70, nil)); news != 0 {
		t.Errorf("the second time %d are new", news)
	}
	h.level()
}

// Stripe's export of payments has a row for each attempt. What failed is passed
// over, also where it was of a PaymentIntent that was paid then.
func TestStripesExportAsItComes(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	b.WriteString("id,Created date (UTC),Amount,Amount Refunded,Currency,Captured,Converted Amount,Converted Amount Refunded,Converted Currency,Decline Reason,Description,Fee," +
		"Refunded date (UTC),Statement Descriptor,Status,Seller Message,Taxes On Fee,Card ID,Customer ID,Customer Description,Customer Email,Invoice ID,PaymentIntent ID,article (metadata)\r\n")
	const rows = 20_000
	for i := range rows {
		status := [...]string{"Failed", "Paid", "Failed", "Refunded"}[i%4]
		fmt.Fprintf(&b, "ch_%d,2026-01-31 10:00:00,\"1.030,00\",\"0,00\",eur,TRUE,\"1.030,00\",\"0,00\",eur,,\"Gift, with\r\ntwo lines\",\"1,20\",,,%s,,\"0,00\",card_%d,,,,,pi_%d,troops\r\n",
			i, status, i, i/2)
	}
	m, bad, err := reconcile.ReadImport(strings.NewReader(b.String()), time.UTC, time.Date(2026, 2, 1, 0, 0, 0, 0, time.UTC))
	if err != nil || len(bad) > 0 || m.Adopted != rows/2 || m.Skipped != rows/2 || m.Format != "Stripe's" {
		t.Errorf("%+v, bad rows %v, %v", m, bad, err)
	}
}

func TestBadRowsWithoutEnd(t *testing.T) {
	t.Parallel()
	text := "date,amount,currency\n" + strings.Repeat("2026-01-31,five,EUR\n", 1000)
	m, bad, err := reconcile.ReadImport(strings.NewReader(text), time.UTC, time.Date(2026, 2, 1, 0, 0, 0, 0, time.UTC))
	if err != nil || len(bad) != 200 || !m.More {
		t.Errorf("%d bad rows are named, more: %t, %v; want 200, and more", len(bad), m.More, err)
	}
	m, _, _ = reconcile.ReadImport(strings.NewReader(text[:200]), time.UTC, time.Date(2026, 2, 1, 0, 0, 0, 0, time.UTC))
	if m.More {
		t.Error("more than is named, where all is")
	}
}
