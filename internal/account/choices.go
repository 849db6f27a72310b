package account

import (
	"net/http"
	"time"
	"unicode/utf8"

	"github.com/united24media/support/internal/clean"
	"github.com/united24media/support/internal/i18n"
	"github.com/united24media/support/internal/privacy"
	"github.com/united24media/support/internal/store"
)

// maxName is how long the name to be thanked by may be, in characters.
const maxName = 100

// A choicesView is what the page of choices shows.
type choicesView struct {
	store.Choices
	Lang      string
	Languages []choice
	Days      int    // after which who is kept out of sight is forgotten
	Error     string // about the name
}

// showChoices handles GET /account/choices.
func (s *Service) showChoices(v *visit) error {
	return s.renderChoices(v, http.StatusOK, v.choices, "")
}

func (s *Service) renderChoices(v *visit, status int, c store.Choices, trouble string) error {
	view := choicesView{Choices: c, Lang: v.lang, Error: trouble, Days: int(privacy.KeepDiscreet / (24 * time.Hour))}
	view.Languages = append(view.Languages, choice{Text: v.say("account.choices.lang.browser"), Chosen: c.Locale == ""})
	for _, lang := range i18n.Languages() {
		view.Languages = append(view.Languages, choice{Value: lang, Text: i18n.Name(lang), Chosen: c.Locale == lang})
	}
	return s.render(v.Context, choicesPage, status, v.lang, "account.choices.title", view)
}

// saveChoices handles POST /account/choices.
func (s *Service) saveChoices(v *visit) error {
	c := store.Choices{
		Address: v.address(), Public: v.PostForm("public") != "", Name: clean.Text(v.PostForm("name")),
		Renewals: v.PostForm("renewals") != "", Statement: v.PostForm("statement") != "", Reminders: v.PostForm("reminders") != "",
		Discreet: v.PostForm("discreet") != "",
	}
	if lang, ok := i18n.Match(v.PostForm("lang")); ok {
		c.Locale = lang
	}
	if utf8.RuneCountInString(c.Name) > maxName {
		return s.renderChoices(v, http.StatusUnprocessableEntity, c, v.say("error.name.long", i18n.Args{"Count": maxName}))
	}
	ctx := v.Request.Context()
	if err := s.Store.PutChoices(ctx, c, s.Now()); err != nil {
		return err
	}
	s.setCookie(v.Context, langCookie, c.Locale, AbsoluteTime) // what a link chose before counts no more
	v.Redirect(http.StatusSeeOther, "/account?done=saved")
	return nil
}
