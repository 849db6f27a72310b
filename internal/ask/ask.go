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
	"sync"
	"sync/atomic"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/united24media/support/internal/attribution"
	"github.com/united24media/support/internal/campaign"
	"github.com/united24media/support/internal/counts"
	"github.com/united24media/support/internal/i18n"
	"github.com/united24media/support/internal/policy"
)

// Counts tells how many people support us.
type Counts interface {
	// Snapshot returns the counts as they are known now, without waiting.
	Snapshot() *counts.Snapshot
}

// Options is what [New] needs. Sites, Sandbox and Now may be left out.
type Options struct {
	PublicURL string   // how browsers reach the service, without a slash at its end
	Sites     []string // the news site's origins, which may frame an ask; may be empty
	Sandbox   bool     // no money moves, and pages say so
	Currency  string   // asked in where the reader's country and language point to none
	Counts    Counts
	Campaigns *campaign.Live
	Policies  *policy.Live
	Signer    *attribution.Signer
	Now       func() time.Time // time.Now if nil
}

// A Service answers article pages. It is safe for concurrent use.
type Service struct {
	base      string
	currency  string
	counts    Counts
	campaigns *campaign.Live
	policies  *policy.Live
	signer    *attribution.Signer
	now       func() time.Time

	words   map[string]*words // as they ship, by language
	said    atomic.Pointer[vocabulary]
	saying  sync.Mutex // held while said is made anew
	script  script
	sites   []string
	sandbox bool

	guideText guide
	guide     *ready

	asks, scopes, pictures *table
}

// New returns a service with everything made that can be made beforehand.
func New(o Options) (*Service, error) {
	if o.Counts == nil || o.Campaigns == nil || o.Policies == nil || o.Signer == nil {
		return nil, errors.New("ask: counts, campaigns, policies and a signer are needed")
	}
	s := &Service{
		base: o.PublicURL, currency: o.Currency, counts: o.Counts, campaigns: o.Campaigns, policies: o.Policies, signer: o.Signer, now: o.Now,
		script: newScript(), sites: o.Sites, sandbox: o.Sandbox,
	}
	if s.now == nil {
		s.now = time.Now
	}
	shipped, err := s.newVocabulary(&policy.State{}, i18n.Languages()...)
	if err != nil {
		return nil, err
	}
	s.words = shipped.words
	s.said.Store(shipped)
	s.guideText = s.newGuide()
	body, err := marshal(s.guideText)
	if err != nil {
		return nil, err
	}
	s.guide = newReady(jsonType, living, body, nil)
	s.asks = newTable(askBytes, askParameters, s.stamp, s.buildAsk)
	s.scopes = newTable(countBytes, scopeParameters, s.stampAsOf, s.buildSupporters)
	s.pictures = newTable(countBytes, pictureParameters, s.stamp, s.buildPicture)
	return s, nil
}

// Ask handles GET /v1/ask: what an article shows.
func (s *Service) Ask(c *gin.Context) error {
	return s.asks.answer(c.Writer, c.Request)
}

// stamp changes when an ask may: with the counts, the goals, what staff
// decided and when that is to begin or end, and the hour that its token carries.
func (s *Service) stamp() stamp {
	now, policies := s.now(), s.policies.State()
	return stamp{
		counts: s.counts.Snapshot().Version(),
		goals:  s.campaigns.Version(),
		hour:   attribution.Hour(now),
		policy: policies.Version,
		passed: policies.Passed(now.Unix()),
	}
}

// An answer is what GET /v1/ask answers, beside the texts and amounts of its
// language, which are spliced in: see [words].
type answer struct {
	Show     bool   `json:"show"`
	Reason   string `json:"reason,omitempty"` // why nothing shows: asks_off, sensitive or policy
	Article  string `json:"article"`
	Campaign string `json:"campaign,omitempty"`
	Currency string `json:"currency"` // to ask in at first
	Counts   struct {
		All     scopeCount `json:"all"`
		Article scopeCount `json:"article"`
		Text    string     `json:"text"` // "" while there is nothing to say
	} `json:"counts"`
	Goal *campaign.Progress `json:"goal"`

	*placed                       // when one placement was asked for
	Placements map[string]*placed `json:"placements,omitempty"` // else
}

// A refusal is the answer where nothing shows, now and later.
type refusal struct {
	Show    bool   `json:"show"` // false
	Reason  string `json:"reason"`
	Article string `json:"article"`
}

// Reasons why nothing shows.
const (
	reasonOff       = "asks_off"
	reasonSensitive = "sensitive"
	reasonPolicy    = "policy"
)

// placed is an ask's part that depends on where it stands.
type placed struct {
	Level    policy.Level   `json:"level"`              // when the answer was made
	Schedule []policy.Phase `json:"schedule,omitempty"` // where the level changes with time
	Text     string         `json:"text"`
	Lead     string         `json:"lead"` // the start of Text that is set strongly
	Action   string         `json:"action"`
	Token    string         `json:"token"`

	Experiment string `json:"experiment,omitempty"` // its id
	Variants   []arm  `json:"variants,omitempty"`   // one of which takes the place of what stands above
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
	w, err := s.say(s.policies.State(), language(q.lang))
	if err != nil {
		return nil, err
	}
	asked := placements
	if q.placement != "" {
		asked = []string{q.placement}
	}
	there, reason := s.place(q, asked, w)
	if len(there) == 0 {
		body, err := json.Marshal(refusal{Reason: reason, Article: q.article})
		return &made{ready: newReady(jsonType, living, body, nil), from: from}, err
	}
	a := answer{
		Show: reason == "", Reason: reason, Article: q.article, Campaign: q.campaign, Currency: s.currencyFor(q.country, w.lang),
	}
	if from.goal != nil {
		a.Goal = from.goal.Progress(w.lang, from.campaign.supporters, from.campaign.known)
	}
	a.Counts.All = from.all.public("all")
	a.Counts.Article = from.article.public("article:" + q.article)
	a.Counts.Text = w.counts(from.all, from.article)
	if a.Placements = there; q.placement != "" {
		a.placed, a.Placements = there[q.placement], nil
	}
	body, err := json.Marshal(a)
	if err != nil {
		return nil, err
	}
	return &made{ready: newReady(jsonType, living, unclosed(body), w.ending), from: from}, nil
}

// inputs gathers what the answer to q depends on.
func (s *Service) inputs(q question) inputs {
	snapshot, policies, now := s.counts.Snapshot(), s.policies.State(), s.now()
	from := inputs{
		hour:    attribution.Hour(now),
		policy:  policies.Version,
		passed:  policies.Passed(now.Unix()),
		all:     figuresOf(snapshot.Count("all")),
		article: figuresOf(snapshot.Count("article:" + q.article)),
	}
	if q.campaign != "" {
		from.goal = s.campaigns.Running(q.campaign)
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

// place returns the placements that show now or at some time, with their texts
// and tokens, and why none shows now, or "".
func (s *Service) place(q question, asked []string, w *words) (there map[string]*placed, reason string) {
	policies, now := s.policies.State(), s.now()
	switch {
	case policies.Off:
		return nil, reasonOff
	case policies.Sensitivity(q.sensitivity) == policy.None:
		return nil, reasonSensitive
	}
	there, reason = map[string]*placed{}, reasonPolicy
	for _, placement := range asked {
		schedule := policies.Schedule(q.page(w.lang), placement)
		if len(schedule) == 1 && schedule[0].Show == policy.None {
			continue
		}
		p := w.placed[placement]
		if p.Level = policy.At(schedule, now); p.Level != policy.None {
			reason = ""
		}
		if len(schedule) > 1 {
			p.Schedule = schedule
		}
		claim := attribution.Claim{
			Article: q.article, Placement: placement, Campaign: q.campaign, Lang: w.lang, Hour: attribution.Hour(now),
		}
		p.Token = s.signer.Sign(claim)
		if x := policies.Experiment(placement, now); x != nil {
			p.Experiment, p.Variants = x.ID, s.arms(x, &p, claim)
		}
		there[placement] = &p
	}
	return there, reason
}

// unclosed returns a JSON object without its closing brace, for an ending that
// brings the rest.
func unclosed(object []byte) []byte { return object[:len(object)-1] }
