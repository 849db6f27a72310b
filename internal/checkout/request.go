package checkout

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/united24media/support/internal/attribution"
	"github.com/united24media/support/internal/clean"
	"github.com/united24media/support/internal/fault"
	"github.com/united24media/support/internal/i18n"
	"github.com/united24media/support/internal/money"
	"github.com/united24media/support/internal/offer"
)

// Limits of what is sent to us.
const (
	maxBody    = 16 << 10 // bytes
	maxSlug    = 200      // bytes of an article, placement, campaign, variant or tier
	maxAttempt = 100      // bytes
	maxName    = 100      // characters
	maxMessage = 255      // characters
	maxLocale  = 35       // bytes
	maxUTM     = 500      // characters of a value; longer ones are cut
	maxUTMs    = 8        // how many
	maxToken   = 1200     // bytes
)

// An input is a wish to give as it came, by JSON or by form.
type input struct {
	amountMinor *int64 // nil: none was given
	currency    string
	interval    string
	attempt     string
	token       string
	article     string
	placement   string
	campaign    string
	variant     string
	tier        string
	locale      string
	name        string
	anonymous   bool
	message     string
	showMessage bool
	discreet    bool // by our own form alone
	returnURL   string
	utm         map[string]string // by whole name: utm_source
}

// A request is a wish to give that can be met. Two with equal content are the
// same wish; the attempt is not content.
type request struct {
	attempt string
	ticket  string // of the form, if one of ours was used
	work    string // what proves that the ticket's holder is no program
	answer  string // to a challenge that says the same

	Amount      money.Amount
	Interval    string
	Article     string
	Placement   string
	Campaign    string
	Variant     string
	Tier        string
	Lang        string
	Attribution string // signed or unverified
	UTM         map[string]string
	Name        string
	Anonymous   bool
	Message     string
	ShowMessage bool `json:",omitempty"`
	ReturnURL   string
	Discreet    bool `json:",omitzero"` // keep the reader out of sight: neither name nor message is kept
}

// digest returns the fingerprint of r's content.
func (r request) digest() string {
	content, err := json.Marshal(r) // maps are written in order
	if err != nil {
		panic(fmt.Sprintf("checkout: a request of plain values can't be written: %v", err))
	}
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:])
}

// validate returns in as a request, or a [fault.Invalid] that names the first
// field at fault.
func (s *Service) validate(in input) (request, error) {
	r := request{
		attempt: in.attempt, Tier: in.tier, Anonymous: in.anonymous, ShowMessage: in.showMessage,
		Name: clean.Text(in.name), Message: clean.Text(in.message), ReturnURL: in.returnURL, UTM: map[string]string{},
	}
	var err error
	if r.Interval, r.Amount, err = checkAmount(in); err != nil {
		return r, err
	}
	if in.discreet {
		r.Discreet, r.Anonymous, r.ShowMessage, r.Name, r.Message = true, true, false, "", ""
	}
	if err := checkTexts(in, r); err != nil {
		return r, err
	}
	if r.ReturnURL != "" && s.returnable(r.ReturnURL) == "" {
		return r, fault.Field("return_url", "The return address must belong to one of the news site's origins.")
	}
	if r.Lang, err = language(in.locale); err != nil {
		return r, err
	}
	for name, value := range in.utm {
		if len(r.UTM) == maxUTMs {
			return r, fault.Field(name, "At most %d utm_ fields can be sent.", maxUTMs)
		}
		if value = clean.Cut(clean.Text(value), maxUTM); value != "" {
			r.UTM[name] = value
		}
	}
	s.attribute(&r, in)
	return r, nil
}

func checkAmount(in input) (interval string, a money.Amount, err error) {
	if in.interval == "" {
		return "", a, fault.Field("interval", "Say how often: once, month or year.")
	}
	if _, ok := offer.Get("EUR", in.interval); !ok {
		return "", a, fault.Field("interval", "The interval must be once, month or year.")
	}
	if in.currency == "" {
		return "", a, fault.Field("currency", "Name a currency, such as EUR.")
	}
	o, ok := offer.Get(in.currency, in.interval)
	if !ok {
		return "", a, fault.Field("currency", "Gifts are taken in %s.", strings.Join(offer.Currencies(), ", "))
	}
	if in.amountMinor == nil {
		return "", a, fault.Field("amount_minor", "Give the amount in minor units, such as 1000 for 10.00.")
	}
	a = money.Amount{Minor: *in.amountMinor, Currency: o.Currency}
	least, most := money.Amount{Minor: o.Min, Currency: o.Currency}, money.Amount{Minor: o.Max, Currency: o.Currency}
	switch err := o.Admits(a.Minor); {
	case errors.Is(err, offer.ErrLow):
		return "", a, fault.Field("amount_minor", "The least is %d, which is %s.", least.Minor, least)
	case errors.Is(err, offer.ErrHigh):
		return "", a, fault.Field("amount_minor", "The most is %d, which is %s.", most.Minor, most)
	case err != nil:
		return "", a, fault.Field("amount_minor", "%s has no such fraction: give a whole multiple.", o.Currency)
	}
	return o.Interval, a, nil
}

// checkTexts checks the fields that are text.
func checkTexts(in input, r request) error {
	for _, f := range [...]struct{ name, value string }{
		{"article", in.article}, {"campaign", in.campaign}, {"variant", in.variant}, {"tier", in.tier},
	} {
		if !isSlug(f.value) {
			return fault.Field(f.name, "The %s is a name of up to %d letters, digits and -_.~/:+.", f.name, maxSlug)
		}
	}
	switch {
	case !isPlacement(in.placement):
		return fault.Field("placement", "A placement is mid or end; leave it out for a gift from elsewhere.")
	case len(in.attempt) > maxAttempt || in.attempt != clean.Text(in.attempt):
		return fault.Field("attempt", "The attempt is an id of your own, up to %d plain characters.", maxAttempt)
	case len(in.token) > maxToken || in.token != clean.Text(in.token):
		return fault.Field("token", "The token is not one of ours; leave it out.")
	case utf8.RuneCountInString(r.Name) > maxName:
		return fault.Field("name", "The name may have up to %d characters.", maxName)
	case utf8.RuneCountInString(r.Message) > maxMessage:
		return fault.Field("message", "The message may have up to %d characters.", maxMessage)
	}
	return nil
}

// language returns our language for a locale: English where we lack it.
func language(locale string) (string, error) {
	if len(locale) > maxLocale || strings.ContainsFunc(locale, func(r rune) bool {
		return (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z') && r != '-' && r != '_'
	}) {
		return "", fault.Field("locale", "The locale is a language tag, such as uk or en-GB.")
	}
	return i18n.Negotiate(locale, ""), nil
}

// Whether a token of ours stands behind an attribution.
const (
	signed     = "signed"
	unverified = "unverified"
)

// attribute sets what won the gift. A token of ours fills in what the caller
// left out; where the two differ the caller's word counts. That is unverified,
// as it is without a token, except for the campaign: a site may run one that
// the ask with the token knew nothing of.
func (s *Service) attribute(r *request, in input) {
	r.Article, r.Placement, r.Campaign, r.Variant = in.article, in.placement, in.campaign, in.variant
	r.Attribution = unverified
	if in.token == "" {
		return
	}
	claim, err := s.Signer.Verify(in.token, s.Now())
	if errors.Is(err, attribution.ErrInvalid) {
		return
	}
	agree := true
	for _, f := range [...]struct {
		given *string
		claim string
	}{
		{&r.Article, claim.Article}, {&r.Placement, claim.Placement}, {&r.Variant, claim.Variant},
	} {
		if *f.given == "" {
			*f.given = slugOrNone(f.claim)
		}
		agree = agree && *f.given == f.claim
	}
	if r.Campaign == "" {
		r.Campaign = slugOrNone(claim.Campaign)
	}
	if agree && err == nil {
		r.Attribution = signed
	}
}
