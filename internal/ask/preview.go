package ask

import (
	"bytes"

	"github.com/united24media/support/internal/campaign"
	"github.com/united24media/support/internal/policy"
)

// Preview returns the answer of GET /v1/ask to a query as it would be under a
// policy that nobody has published, with asks turned on; and with c in place of
// the campaigns that run, if it is not nil.
func (s *Service) Preview(draft policy.Policy, query string, c *campaign.Campaign) ([]byte, error) {
	t := &Service{
		base: s.base, currency: s.currency, counts: s.counts, campaigns: s.campaigns, policies: policy.Fixed(draft), signer: s.signer, now: s.now,
	}
	if c != nil {
		t.campaigns = campaign.Fixed(c)
	}
	q, err := readQuestion(query)
	if err != nil {
		return nil, err
	}
	said, err := t.newVocabulary(t.policies.State(), language(q.lang)) // staff look at one at a time
	if err != nil {
		return nil, err
	}
	t.said.Store(said)
	m, err := t.buildAsk(query, nil)
	if err != nil {
		return nil, err
	}
	return bytes.Join(m.plain.parts, nil), nil
}
