// Package ask is what an article page shows of us: the ask with its texts,
// amounts, counts and goal as one answer that any cache may keep, the script
// that draws it, the counts by themselves, and an example article.
//
// Answers are the same for all who ask with the same address. They are made
// once, kept in memory and sent from there: no request waits for a database,
// for Redis, or for anything else.
package ask

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/united24media/support/internal/attribution"
	"github.com/united24media/support/internal/counts"
	"github.com/united24media/support/internal/i18n"
)

// Counts tells how many people support us.
type Counts interface {
	// Snapshot returns the counts as they are known now, without waiting.
	Snapshot() *counts.Snapshot
}

// Options is what [New] needs. All must be given but Now.
type Options struct {
	PublicURL string // how browsers reach the service, without a slash at its end
	Currency  string // asked in where the reader's country and language point to none
	Counts    Counts
	Goals     *Goals
	Signer    *attribution.Signer
	Now       func() time.Time // time.Now if nil
}

// A Service answers article pages. It is safe for concurrent use.
type Service struct {
	base     string
	currency string
	counts   Counts
	goals    *Goals
	signer   *attribution.Signer
	now      func() time.Time

	words  map[string]*words // by language
	script script
	guide  *ready

	asks, scopes, pictures *table
}

// New returns a service with everything made that can be made beforehand.
func New(o Options) (*Service, error) {
	if o.Counts == nil || o.Goals == nil || o.Signer == nil {
		return nil, errors.New("ask: counts, goals and a signer are needed")
	}
	s := &Service{
		base: o.PublicURL, currency: o.Currency, counts: o.Counts, goals: o.Goals, signer: o.Signer, now: o.Now,
		words: map[string]*words{}, script: newScript(),
	}
	if s.now == nil {
		s.now = time.Now
	}
	for _, lang := range i18n.Languages() {
		w, err := s.newWords(lang)
		if err != nil {
			return nil, fmt.Errorf("texts of the ask in %s: %w", lang, err)
		}
		s.words[lang] = w
	}
	var err error
	if s.guide, err = s.newGuide(); err != nil {
		return nil, err
	}
	s.asks = newTable(s.stamp, s.buildAsk)
	s.scopes = newTable(s.stampAsOf, s.buildSupporters)
	s.pictures = newTable(s.stamp, s.buildPicture)
	return s, nil
}

// Ask handles GET /v1/ask: what an article shows.
func (s *Service) Ask(c *gin.Context) error {
	return s.asks.answer(c.Writer, c.Request)
}

// stamp changes when an ask may: with the counts, the goals, and the hour that
// its token carries.
func (s *Service) stamp() stamp {
	return stamp{
		counts: s.counts.Snapshot().Version(),
		goals:  s.goals.load().version,
		hour:   attribution.Hour(s.now()),
	}
}

// An answer is what GET /v1/ask answers, beside the texts and amounts of its
// language, which are spliced in: see [words].
type answer struct {
	Show     bool   `json:"show"`
	Article  string `json:"article"`
	Campaign string `json:"campaign,omitempty"`
	Currency string `json:"currency"` // to ask in at first
	Counts   struct {
		All     scopeCount `json:"all"`
		Article scopeCount `json:"article"`
		Text    string     `json:"text"` // "" while there is nothing to say
	} `json:"counts"`
	Goal *goal `json:"goal"`

	*placed                       // when one placement was asked for
	Placements map[string]*placed `json:"placements,omitempty"` // else
}

// placed is an ask's part that depends on where it stands.
type placed struct {
	Text   string `json:"text"`
	Lead   string `json:"lead"` // the start of Text that is set strongly
	Action string `json:"action"`
	Token  string `json:"token"`
}

// A scopeCount is null where nobody knows it.
type scopeCount struct {
	Scope      string `json:"scope"`
	Supporters *int64 `json:"supporters"`
	Members    *int64 `json:"members"`
	Stale      bool   `json:"stale"`
}

func (s *Service) buildAsk(query string, last *made) (*made, error) {
	q, err := readQuestion(query)
	if err != nil {
		return nil, err
	}
	from := s.inputs(q)
	if last != nil && last.from == from {
		return &made{ready: last.ready, from: from}, nil
	}
	w := s.words[language(q.lang)]
	a := answer{Show: true, Article: q.article, Campaign: q.campaign, Currency: s.currencyFor(q.country, w.lang)}
	a.Counts.All = from.all.public("all")
	a.Counts.Article = from.article.public("article:" + q.article)
	a.Counts.Text = w.counts(from.all, from.article)
	a.Goal = w.goal(from.goal, from.campaign)
	if q.placement != "" {
		a.placed = s.place(q, q.placement, w, from.hour)
	} else {
		a.Placements = map[string]*placed{}
		for _, placement := range placements {
			a.Placements[placement] = s.place(q, placement, w, from.hour)
		}
	}
	body, err := json.Marshal(a)
	if err != nil {
		return nil, err
	}
	return &made{ready: newReady(jsonType, living, splice(body, w.static)), from: from}, nil
}

// inputs gathers what the answer to q depends on.
func (s *Service) inputs(q question) inputs {
	snapshot := s.counts.Snapshot()
	from := inputs{
		hour:    attribution.Hour(s.now()),
		all:     figuresOf(snapshot.Count("all")),
		article: figuresOf(snapshot.Count("article:" + q.article)),
	}
	if q.campaign != "" {
		from.goal = s.goals.load().bySlug[q.campaign]
		from.campaign = figuresOf(snapshot.Count("campaign:" + q.campaign))
	}
	return from
}

func figuresOf(c counts.Count) figures {
	return figures{supporters: c.Supporters, members: c.Members, known: c.Known, stale: c.Stale}
}

func (f figures) public(scope string) scopeCount {
	c := scopeCount{Scope: scope, Stale: f.stale}
	if f.known {
		c.Supporters, c.Members = &f.supporters, &f.members
	}
	return c
}

// place returns the texts and the token of one placement.
func (s *Service) place(q question, placement string, w *words, hour int64) *placed {
	p := w.placed[placement]
	p.Token = s.signer.Sign(attribution.Claim{
		Article: q.article, Placement: placement, Campaign: q.campaign, Lang: w.lang, Hour: hour,
	})
	return &p
}

// splice joins two JSON objects, neither of them empty.
func splice(a, b []byte) []byte {
	joined := make([]byte, 0, len(a)+len(b))
	joined = append(joined, a[:len(a)-1]...)
	joined = append(joined, ',')
	return append(joined, b[1:]...)
}
