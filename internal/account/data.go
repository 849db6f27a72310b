package account

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"github.com/united24media/support/internal/fault"
	"github.com/united24media/support/internal/i18n"
	"github.com/united24media/support/internal/limits"
	"github.com/united24media/support/internal/privacy"
	"github.com/united24media/support/internal/store"
	"github.com/united24media/support/internal/stripeapi"
)

// A dataView is what the page with everything about somebody shows.
type dataView struct {
	Lang   string
	Made   string
	Tables []privacy.Table
}

// everything returns all that is kept about the visitor, which takes a
// moment: it is asked for seldom.
func (s *Service) everything(v *visit) (*privacy.Record, error) {
	if err := s.allow(v.Context, limits.AccountData, v.address()); err != nil {
		return nil, err
	}
	return s.Privacy.Record(v.Request.Context(), store.ByAddress(v.address()))
}

// showData handles GET /account/data.
func (s *Service) showData(v *visit) error {
	record, err := s.everything(v)
	if err != nil {
		return err
	}
	return s.render(v.Context, dataPage, http.StatusOK, v.lang, "data.title", dataView{
		Lang: v.lang, Made: i18n.Date(v.lang, record.MadeAt.In(s.Zone)), Tables: record.Tables(v.lang, s.Zone),
	})
}

// downloadData handles GET /account/data.json.
func (s *Service) downloadData(v *visit) error {
	record, err := s.everything(v)
	if err != nil {
		return err
	}
	body, err := json.MarshalIndent(record, "", "  ")
	if err != nil {
		return err
	}
	v.Header("Cache-Control", "no-store")
	v.Header("Content-Disposition", `attachment; filename="my-data.json"`)
	v.Data(http.StatusOK, "application/json; charset=utf-8", append(body, '\n'))
	return nil
}

// An eraseView is what the page shows on which somebody has their data removed.
type eraseView struct {
	Lang    string
	Address string
	Members []memberView // that end with it
	Trouble string
	Field   string // the control it is about; "" if none
}

// showErase handles GET /account/erase.
func (s *Service) showErase(v *visit) error { return s.renderErase(v, http.StatusOK, "", "") }

func (s *Service) renderErase(v *visit, status int, trouble, field string) error {
	ctx := v.Request.Context()
	running, err := s.Privacy.Running(ctx, store.ByAddress(v.address()))
	if err != nil {
		return err
	}
	known, err := s.states(ctx, running)
	if err != nil {
		return err
	}
	view := eraseView{Lang: v.lang, Address: v.address(), Trouble: trouble, Field: field}
	for _, m := range running {
		view.Members = append(view.Members, s.member(v, m, known[m.Subscription], stripeapi.Standing{}))
	}
	return s.render(v.Context, erasePage, status, v.lang, "erase.title", view)
}

// eraseTime bounds an erasure that somebody waits for, within the time that an
// answer has.
const eraseTime = 50 * time.Second

// erase handles POST /account/erase: what runs ends, and what is known of the
// visitor goes, with this session. It is done at once: nobody has to be asked.
func (s *Service) erase(v *visit) error {
	if v.PostForm("sure") == "" {
		return s.renderErase(v, http.StatusUnprocessableEntity, v.say("erase.missing"), "sure")
	}
	if err := s.allow(v.Context, limits.AccountAct, v.address()); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(v.Request.Context()), eraseTime)
	defer cancel()
	_, err := s.Privacy.EraseSupporter(ctx, store.ByAddress(v.address()), store.Entry{Who: store.TheSupporter})
	if refused, ok := errors.AsType[*stripeapi.Error](err); ok {
		s.Log.WarnContext(ctx, "account: a membership could not be ended, so nobody was erased", "err", refused)
		return s.renderErase(v, http.StatusBadGateway, v.say("erase.refused"), "")
	}
	if err != nil && !errors.Is(err, fault.NotFound) { // who has nothing here leaves all the same
		return err
	}
	s.setCookie(v.Context, sessionCookie, "", 0)
	v.Redirect(http.StatusSeeOther, "/account?done=erased")
	return nil
}
