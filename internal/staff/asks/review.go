package asks

import (
	"errors"
	"net/http"
	"strconv"

	"github.com/united24media/support/internal/fault"
	"github.com/united24media/support/internal/i18n"
	"github.com/united24media/support/internal/policy"
	"github.com/united24media/support/internal/staff/desk"
	"github.com/united24media/support/internal/staff/parts"
	"github.com/united24media/support/internal/store"
)

// showReview handles GET /staff/asks/review: what a draft changes, how it looks,
// and the button that publishes it.
func (a *Asks) showReview(v *desk.Visit) error { return a.renderReview(v, "", http.StatusOK) }

func (a *Asks) renderReview(v *desk.Visit, problem string, status int) error {
	w, err := a.work(v.Request.Context(), v.Member)
	if err != nil {
		return err
	}
	inForce, err := parse(w.Newest.Body)
	if err != nil {
		return err
	}
	lang := v.Query("lang")
	if lang != all {
		lang = known(lang)
	}
	return a.Desk.RenderStatus(v, a.review, desk.Page{Title: "Look at the draft", Body: struct {
		Draft, Behind   bool
		Problem, Reason string
		Newest          store.Version
		Changes         []policy.Change
		Langs           []choice
		Frames          []frame
	}{w.Draft, w.Behind, problem, v.PostForm("reason"), w.Newest, policy.Diff(inForce, w.Policy), previewLangs(lang), frames(lang, "draft")}}, status)
}

// previewLangs returns the links to the preview in each language, and in all.
func previewLangs(lang string) []choice {
	var list []choice
	for _, code := range append(i18n.Languages(), all) {
		name := i18n.Name(code)
		if code == all {
			name = "All languages"
		}
		list = append(list, choice{Text: name, Value: code, URL: path + "/review?lang=" + code + "#preview", Chosen: code == lang})
	}
	return list
}

// publish handles POST /staff/asks/publish.
func (a *Asks) publish(v *desk.Visit) error {
	ctx, reason := v.Request.Context(), parts.Reason(v.PostForm("reason"))
	w, err := a.work(ctx, v.Member)
	if err != nil {
		return err
	}
	base, err := strconv.ParseInt(v.PostForm("base"), 10, 64)
	switch {
	case err != nil || !w.Draft:
		return a.Desk.Back(v, path, "There was nothing to publish.")
	case reason == "":
		return a.renderReview(v, "Reason: say in a few words why, for whoever looks at it later.", http.StatusUnprocessableEntity)
	}
	return a.put(v, w.Policy, base, reason, "asks.publish")
}

// put publishes p after a version, and says so.
func (a *Asks) put(v *desk.Visit, p policy.Policy, base int64, reason, action string) error {
	ctx := v.Request.Context()
	before, err := a.Desk.Store.Newest(ctx, policy.KindAsks)
	if err != nil {
		return err
	}
	inForce, err := parse(before.Body)
	if err != nil {
		return err
	}
	entry := a.Desk.By(v, action, policy.KindAsks)
	entry.Detail = told(policy.Diff(inForce, p))
	number, err := a.Desk.Store.Publish(ctx, a.by(v, policy.KindAsks, text(p), reason), base, nil, entry)
	if refused, ok := errors.AsType[*fault.Error](err); ok && refused.Kind == fault.Conflict {
		return a.renderReview(v, refused.Detail, http.StatusConflict)
	}
	if err != nil {
		return err
	}
	return a.Desk.Back(v, path, "Version "+strconv.FormatInt(number, 10)+" is published. Readers see it within 10 seconds.")
}

// told writes changes for the audit log, the first of them in full.
func told(changes []policy.Change) string {
	const most = 1000 // bytes
	var out string
	for i, c := range changes {
		line := c.Where + ": " + c.Before + " → " + c.After + "\n"
		if len(out)+len(line) > most {
			return out + "and " + strconv.Itoa(len(changes)-i) + " more"
		}
		out += line
	}
	return out
}

// discard handles POST /staff/asks/discard.
func (a *Asks) discard(v *desk.Visit) error {
	if err := a.Desk.Store.DropDraft(v.Request.Context(), policy.KindAsks, v.Member.Email); err != nil {
		return err
	}
	return a.Desk.Back(v, path, "Your draft is thrown away. Nothing that readers see has changed.")
}

// showVersion handles GET /staff/asks/versions/NUMBER: what it changed, and the
// way back to it.
func (a *Asks) showVersion(v *desk.Visit) error {
	return a.renderVersion(v, v.Param("number"), "", http.StatusOK)
}

func (a *Asks) renderVersion(v *desk.Visit, number, problem string, status int) error {
	ctx := v.Request.Context()
	n, err := strconv.ParseInt(number, 10, 64)
	if err != nil {
		return fault.New(fault.NotFound, "A version has a number.")
	}
	version, err := a.Desk.Store.VersionOf(ctx, policy.KindAsks, n)
	if err != nil {
		return err
	}
	newest, err := a.Desk.Store.Newest(ctx, policy.KindAsks)
	if err != nil {
		return err
	}
	var before store.Version
	if n > 1 {
		if before, err = a.Desk.Store.VersionOf(ctx, policy.KindAsks, n-1); err != nil {
			return err
		}
	}
	is, err := parse(version.Body)
	if err != nil {
		return err
	}
	was, err := parse(before.Body)
	if err != nil {
		return err
	}
	inForce, err := parse(newest.Body)
	if err != nil {
		return err
	}
	return a.Desk.RenderStatus(v, a.version, desk.Page{Title: "Version " + number, Body: struct {
		Version, Newest store.Version
		Admin           bool
		Problem         string
		Changed, Back   []policy.Change // by it; and to come back to it
		Text            string
		Frames          []frame
	}{version, newest, v.Member.Role.Allows(desk.Admin), problem, policy.Diff(was, is), policy.Diff(inForce, is), text(is), frames(i18n.Default, number)}}, status)
}

// restore handles POST /staff/asks/restore: an earlier version is published
// again.
func (a *Asks) restore(v *desk.Visit) error {
	ctx, number, reason := v.Request.Context(), v.PostForm("number"), parts.Reason(v.PostForm("reason"))
	if reason == "" {
		return a.renderVersion(v, number, "Reason: say in a few words why.", http.StatusUnprocessableEntity)
	}
	n, err := strconv.ParseInt(number, 10, 64)
	if err != nil {
		return fault.New(fault.NotFound, "A version has a number.")
	}
	version, err := a.Desk.Store.VersionOf(ctx, policy.KindAsks, n)
	if err != nil {
		return err
	}
	base, err := strconv.ParseInt(v.PostForm("base"), 10, 64)
	if err != nil {
		return fault.Field("base", "Open the version again and press the button there.")
	}
	p, err := parse(version.Body)
	if err != nil {
		return err
	}
	return a.put(v, p, base, reason, "asks.restore")
}
