package ask

import (
	"cmp"
	"strings"

	"github.com/united24media/support/internal/attribution"
	"github.com/united24media/support/internal/policy"
)

// An arm is a variant in an answer: everything that it changes, ready to show.
type arm struct {
	Name   string       `json:"name"`
	Weight int          `json:"weight"`
	Show   policy.Level `json:"show,omitempty"`
	Text   string       `json:"text"`
	Lead   string       `json:"lead"`
	Action string       `json:"action"`
	Token  string       `json:"token"`
}

// arms returns the variants of x as they stand in an answer; one alone once it
// is stopped.
func (s *Service) arms(x *policy.Experiment, base *placed, claim attribution.Claim) []arm {
	var all []arm
	for _, v := range x.Variants {
		if x.Stopped != "" && v.Name != x.Stopped {
			continue
		}
		claim.Variant = v.Name
		rest := strings.TrimPrefix(base.Text[len(base.Lead):], " ")
		text := v.Texts[claim.Lang][claim.Placement]
		a := arm{
			Name: v.Name, Weight: v.Weight, Show: v.Show, Token: s.signer.Sign(claim),
			Lead: cmp.Or(text.Lead, base.Lead), Action: cmp.Or(text.Action, base.Action),
		}
		a.Text = a.Lead + " " + cmp.Or(text.Rest, rest)
		all = append(all, a)
	}
	return all
}
