package ask

import (
	"bytes"

	"github.com/united24media/support/internal/policy"
)

// Preview returns the answer of GET /v1/ask to a query as it would be under a
// policy that nobody has published, with asks turned on.
func (s *Service) Preview(draft policy.Policy, query string) ([]byte, error) {
	t := &Service{
		base: s.base, currency: s.currency, counts: s.counts, campaigns: s.campaigns, policies: policy.Fixed(draft), signer: s.signer, now: s.now,
	}
	said, err := t.newVocabulary(t.policies.State())
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

// Why returns what GET /v1/ask/explain answers to a query under a policy that
// nobody has published.
func (s *Service) Why(draft policy.Policy, query string) (Explanation, error) {
	q, err := readQuestion(query)
	if err != nil {
		return Explanation{}, err
	}
	t := &Service{currency: s.currency, policies: policy.Fixed(draft), now: s.now}
	return t.explain(q), nil
}
