// Package audit shows and exports the audit log.
package audit

import (
	"bufio"
	_ "embed" // for the page
	"encoding/csv"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/united24media/support/internal/fault"
	"github.com/united24media/support/internal/look"
	"github.com/united24media/support/internal/reports"
	"github.com/united24media/support/internal/staff/desk"
	"github.com/united24media/support/internal/store"
)

//go:embed audit.html
var auditHTML string

const (
	path       = "/staff/audit"
	page       = 50   // entries on a page
	exportPage = 1000 // entries that an export holds in memory
)

// Options are what the screen needs.
type Options struct {
	Desk *desk.Desk
}

// An Audit is the screen.
type Audit struct {
	Options
	page *look.Template
}

// New returns the screen.
func New(o Options) *Audit { return &Audit{Options: o, page: o.Desk.Template(auditHTML)} }

// Routes returns the screen's addresses.
func (a *Audit) Routes() []desk.Route {
	return []desk.Route{
		{Method: http.MethodGet, Path: path, Need: desk.Admin, Nav: "Audit", Handle: a.show},
		{Method: http.MethodGet, Path: path + "/export", Need: desk.Admin, Long: true, Handle: a.export},
	}
}

// A view is what the page shows.
type view struct {
	Entries              []store.Entry
	Names                store.AuditNames
	Who, Action, Subject string
	From, To             string // as they were typed
	Filtered             bool
	Newer, Older         string // addresses; "" at the ends
	CSV, JSONL, Check    string // addresses
	State                *store.AuditState
	Zone                 string
}

// filter reads what narrows the log down. To is a day, the last one.
func (a *Audit) filter(values url.Values) (store.AuditFilter, error) {
	f := store.AuditFilter{Who: values.Get("who"), Action: values.Get("action"), Subject: values.Get("subject")}
	for name, at := range map[string]*time.Time{"from": &f.From, "to": &f.To} {
		text := values.Get(name)
		if text == "" {
			continue
		}
		day, err := time.ParseInLocation(time.DateOnly, text, a.Desk.Zone)
		if err != nil {
			return f, fault.Field(name, "Write a day such as 2026-01-31.")
		}
		*at = day
	}
	if !f.To.IsZero() {
		f.To = f.To.AddDate(0, 0, 1)
	}
	return f, nil
}

// show handles GET /staff/audit.
func (a *Audit) show(v *desk.Visit) error {
	ctx, values := v.Request.Context(), v.Request.URL.Query()
	f, err := a.filter(values)
	if err != nil {
		return err
	}
	before, err := number(values, "before")
	if err != nil {
		return err
	}
	body := view{
		Who: f.Who, Action: f.Action, Subject: f.Subject, From: values.Get("from"), To: values.Get("to"),
		Filtered: f != store.AuditFilter{}, Zone: a.Desk.Zone.String(),
	}
	if body.Entries, err = a.Desk.Store.AuditBefore(ctx, f, before, page+1); err != nil {
		return err
	}
	if body.Names, err = a.Desk.Store.AuditNames(ctx); err != nil {
		return err
	}
	address := func(to, name, value string) string {
		q := url.Values{}
		for _, field := range []string{"who", "action", "subject", "from", "to"} {
			if values.Get(field) != "" {
				q.Set(field, values.Get(field))
			}
		}
		if name != "" {
			q.Set(name, value)
		}
		if len(q) == 0 {
			return to
		}
		return to + "?" + q.Encode()
	}
	if len(body.Entries) > page {
		body.Entries = body.Entries[:page]
		body.Older = address(path, "before", strconv.FormatInt(body.Entries[page-1].Number, 10))
	}
	if before > 0 {
		body.Newer = address(path, "", "")
	}
	body.CSV, body.JSONL = address(path+"/export", "format", "csv"), address(path+"/export", "format", "jsonl")
	body.Check = address(path, "check", "chain")
	if values.Get("check") != "" {
		state, err := a.Desk.Store.CheckAudit(ctx)
		if err != nil {
			return err
		}
		body.State = &state
	}
	return a.Desk.Render(v, a.page, desk.Page{Title: "Audit", Body: body})
}

// number reads a number that an address of ours holds; 0 if it is not there.
func number(values url.Values, name string) (int64, error) {
	if values.Get(name) == "" {
		return 0, nil
	}
	n, err := strconv.ParseInt(values.Get(name), 10, 64)
	if err != nil || n < 0 {
		return 0, fault.Field(name, "That is no number of an entry.")
	}
	return n, nil
}

// export handles GET /staff/audit/export, oldest first. That it was exported is
// in the export.
func (a *Audit) export(v *desk.Visit) error {
	ctx, values := v.Request.Context(), v.Request.URL.Query()
	f, err := a.filter(values)
	if err != nil {
		return err
	}
	format := values.Get("format")
	mediaType := map[string]string{"csv": "text/csv; charset=utf-8; header=present", "jsonl": "application/jsonl"}[format]
	if mediaType == "" {
		return fault.Field("format", "The format is csv or jsonl.")
	}
	e := a.Desk.By(v, "audit.export", format)
	if err := a.Desk.Audit(ctx, e); err != nil {
		return err
	}
	entries, err := a.Desk.Store.AuditAfter(ctx, f, 0, exportPage)
	if err != nil {
		return err
	}
	v.Header("Content-Type", mediaType)
	v.Header("Content-Disposition", fmt.Sprintf(`attachment; filename="audit-%s.%s"`, a.Desk.Now().In(a.Desk.Zone).Format(time.DateOnly), format))
	out := bufio.NewWriter(v.File())
	write := writeLines(out)
	if format == "csv" {
		write = writeCSV(out)
	}
	for after := int64(0); ; {
		for _, e := range entries {
			after = e.Number
			if err := write(e); err != nil {
				return err
			}
		}
		if len(entries) < exportPage {
			return out.Flush()
		}
		if entries, err = a.Desk.Store.AuditAfter(ctx, f, after, exportPage); err != nil {
			return err
		}
	}
}

// columns name what is exported of an entry.
var columns = [...]string{"number", "at", "who", "action", "subject", "reason", "detail", "hash"}

// timeFormat keeps the microseconds, which the hash covers.
const timeFormat = "2006-01-02T15:04:05.000000Z07:00"

func cells(e store.Entry) [len(columns)]string {
	return [...]string{strconv.FormatInt(e.Number, 10), e.At.UTC().Format(timeFormat), e.Who, e.Action, e.Subject, e.Reason, e.Detail, e.Hash}
}

// writeCSV writes entries as RFC 4180 wants it, with cells that no spreadsheet
// runs.
func writeCSV(w *bufio.Writer) func(store.Entry) error {
	out := csv.NewWriter(w)
	out.UseCRLF = true
	err := out.Write(columns[:])
	return func(e store.Entry) error {
		if err != nil {
			return err
		}
		row := cells(e)
		for i := range row {
			row[i] = reports.Defused(row[i])
		}
		if err = out.Write(row[:]); err == nil {
			out.Flush()
			err = out.Error()
		}
		return err
	}
}

// writeLines writes entries as JSON, one a line.
func writeLines(w *bufio.Writer) func(store.Entry) error {
	out := json.NewEncoder(w)
	return func(e store.Entry) error {
		return out.Encode(struct {
			Number  int64  `json:"number"`
			At      string `json:"at"`
			Who     string `json:"who"`
			Action  string `json:"action"`
			Subject string `json:"subject"`
			Reason  string `json:"reason"`
			Detail  string `json:"detail"`
			Hash    string `json:"hash"`
		}{e.Number, e.At.UTC().Format(timeFormat), e.Who, e.Action, e.Subject, e.Reason, e.Detail, e.Hash})
	}
}
