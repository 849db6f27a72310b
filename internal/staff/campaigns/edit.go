package campaigns

import (
	"cmp"
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/united24media/support/internal/campaign"
	"github.com/united24media/support/internal/fault"
	"github.com/united24media/support/internal/i18n"
	"github.com/united24media/support/internal/money"
	"github.com/united24media/support/internal/offer"
	"github.com/united24media/support/internal/staff/desk"
	"github.com/united24media/support/internal/staff/parts"
	"github.com/united24media/support/internal/store"
)

// A work is the campaign that a member writes: their draft, else what is in
// force, else a new one.
type work struct {
	campaign.Document
	Slug   string
	Newest store.Version
	Draft  bool
}

func (s *Campaigns) work(ctx context.Context, slug string, m desk.Member) (work, error) {
	w := work{Slug: slug}
	var err error
	if w.Newest, err = s.Desk.Store.Newest(ctx, campaign.Kind(slug)); err != nil {
		return w, err
	}
	draft, err := s.Desk.Store.DraftOf(ctx, campaign.Kind(slug), m.Email)
	if err != nil {
		return w, err
	}
	if draft.Body != "" {
		if w.Document, err = campaign.Parse([]byte(draft.Body)); err == nil {
			w.Draft = true
			return w, nil
		}
	}
	c, err := s.stored(ctx, slug)
	if errors.Is(err, fault.NotFound) {
		return w, nil
	}
	w.Document = c.Document
	return w, err
}

// language is one language's fields.
type language struct {
	Code, Name               string
	Title, Lead, Called, Alt string
	Open                     bool
}

// An editView is what the form shows.
type editView struct {
	Slug, Problem  string
	New            bool
	Languages      []language
	Kinds          []choice
	Currencies     []choice
	Amount         string
	From, Until    string
	TimeZone, Zone string
	Picture        string
	Hash           string
	Max            int
}

// A choice is one of several to choose from.
type choice struct {
	Value, Text string
	Chosen      bool
}

// showEdit handles GET /staff/campaigns/edit?slug=…; without a slug, of a new
// campaign.
func (s *Campaigns) showEdit(v *desk.Visit) error {
	slug := v.Query("slug")
	w, err := s.work(v.Request.Context(), slug, v.Member)
	if err != nil {
		return err
	}
	return s.renderEdit(v, slug, slug == "", w.Document, amountOf(w.Goal), "", http.StatusOK)
}

func amountOf(g campaign.Goal) string {
	switch g.Kind {
	case store.GoalSupporters:
		return strconv.FormatInt(g.Amount, 10)
	case store.GoalMoney:
		whole, fraction, _ := strings.Cut(money.Amount{Minor: g.Amount, Currency: g.Currency}.Decimal(), ".")
		if strings.Trim(fraction, "0") == "" {
			return whole
		}
		return whole + "." + fraction
	}
	return ""
}

func (s *Campaigns) renderEdit(v *desk.Visit, slug string, isNew bool, d campaign.Document, amount, problem string, status int) error {
	view := editView{
		Slug: slug, New: isNew, Problem: problem, Amount: amount, From: d.From, Until: d.Until, TimeZone: d.TimeZone, Zone: s.Desk.Zone.String(),
		Picture: address(d.Picture), Hash: d.Picture, Max: campaign.MaxUpload,
	}
	for _, kind := range [...][2]string{{"", "no goal"}, {store.GoalSupporters, "supporters"}, {store.GoalMoney, "money, settled"}} {
		view.Kinds = append(view.Kinds, choice{kind[0], kind[1], kind[0] == d.Goal.Kind})
	}
	for _, code := range offer.Currencies() {
		view.Currencies = append(view.Currencies, choice{code, code, code == d.Goal.Currency})
	}
	for _, code := range i18n.Languages() {
		l := language{Code: code, Name: i18n.Name(code), Called: d.Names[code], Title: d.Pages[code].Title, Lead: d.Pages[code].Lead, Alt: d.Alt[code]}
		l.Open = code == i18n.Default || problem != ""
		view.Languages = append(view.Languages, l)
	}
	title := "New campaign"
	if !isNew {
		title = "Edit " + cmp.Or(d.Name(i18n.Default), slug)
	}
	return s.Desk.RenderStatus(v, s.edit, desk.Page{Title: title, Body: view}, status)
}

// save handles POST /staff/campaigns/edit: it keeps the campaign in the
// visitor's draft.
func (s *Campaigns) save(v *desk.Visit) error {
	ctx := v.Request.Context()
	if err := v.Request.ParseMultipartForm(maxForm); err != nil && !errors.Is(err, http.ErrNotMultipart) {
		return fault.Wrap(fault.Invalid, err, "The form could not be read; a picture has at most 1 MiB.")
	}
	slug, isNew := strings.TrimSpace(v.PostForm("slug")), v.PostForm("new") != ""
	d, problem := s.read(v)
	newest, err := s.Desk.Store.Newest(ctx, campaign.Kind(slug))
	if err != nil {
		return err
	}
	if err := campaign.CheckSlug(slug); err != nil {
		problem = cmp.Or(parts.Sentence(err), problem)
	} else if isNew && newest.Number > 0 {
		problem = "Slug: there is a campaign " + slug + " already; edit that one, or choose another slug."
	}
	if problem == "" {
		if picture, err := s.uploaded(v); err != nil {
			problem = parts.Sentence(err)
		} else if picture != "" {
			d.Picture = picture
		}
	}
	checked, err := campaign.Parse([]byte(text(d)))
	if err != nil {
		problem = cmp.Or(problem, parts.Sentence(err))
	}
	if problem != "" {
		return s.renderEdit(v, slug, isNew, d, v.PostForm("amount"), problem, http.StatusUnprocessableEntity)
	}
	err = s.Desk.Store.PutDraft(ctx, store.Draft{Kind: campaign.Kind(slug), Who: v.Member.Email, Base: newest.Number, Body: text(checked), At: s.Desk.Now()})
	if err != nil {
		return err
	}
	return s.Desk.Back(v, path+"/review?"+url.Values{"slug": {slug}}.Encode(), "Kept in your draft. Readers see nothing of it until you publish.")
}

// read returns what a form says, and what is wrong with it before it is looked
// at as a campaign.
func (s *Campaigns) read(v *desk.Visit) (d campaign.Document, problem string) {
	line := func(name string) string { return strings.Join(strings.Fields(v.PostForm(name)), " ") }
	d = campaign.Document{
		Names: map[string]string{}, Pages: map[string]campaign.Page{}, Alt: map[string]string{},
		From: line("from"), Until: line("until"), TimeZone: line("zone"), Picture: line("picture-now"),
	}
	if v.PostForm("picture-remove") != "" {
		d.Picture = ""
	}
	if d.From != "" || d.Until != "" {
		d.TimeZone = cmp.Or(d.TimeZone, s.Desk.Zone.String())
	}
	for _, lang := range i18n.Languages() {
		if name := line("name." + lang); name != "" {
			d.Names[lang] = name
		}
		if alt := line("alt." + lang); alt != "" {
			d.Alt[lang] = alt
		}
		if page := (campaign.Page{Title: line("title." + lang), Lead: line("lead." + lang)}); page != (campaign.Page{}) {
			d.Pages[lang] = page
		}
	}
	d.Goal.Kind = line("kind")
	amount := strings.ReplaceAll(line("amount"), " ", "")
	switch d.Goal.Kind {
	case "":
		return d, ""
	case store.GoalMoney:
		d.Goal.Currency = line("currency")
		a, err := money.Parse(amount, d.Goal.Currency)
		if err != nil {
			return d, "Goal: write an amount in " + d.Goal.Currency + ", such as 60000."
		}
		d.Goal.Amount = a.Minor
	default:
		n, err := strconv.ParseInt(amount, 10, 64)
		if err != nil {
			return d, "Goal: write how many people, such as 2000."
		}
		d.Goal.Amount = n
	}
	return d, ""
}

// uploaded stores the picture of a form, if it has one, and returns its hash.
func (s *Campaigns) uploaded(v *desk.Visit) (string, error) {
	file, header, err := v.Request.FormFile("picture")
	if errors.Is(err, http.ErrMissingFile) || errors.Is(err, http.ErrNotMultipart) {
		return "", nil
	}
	if err != nil {
		return "", errors.New("picture: it could not be read; choose it again")
	}
	defer file.Close()
	if header.Size == 0 {
		return "", nil
	}
	data, err := io.ReadAll(io.LimitReader(file, campaign.MaxUpload+1))
	if err != nil {
		return "", errors.New("picture: it could not be read; choose it again")
	}
	picture, err := campaign.NewPicture(data)
	if err != nil {
		return "", err
	}
	return picture.Hash, s.Desk.Store.PutPicture(v.Request.Context(), picture, s.Desk.Now())
}
