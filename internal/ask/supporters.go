package ask

import (
	"encoding/json"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/united24media/support/internal/counts"
)

// supporters is the answer of GET /v1/supporters. A count that nobody knows is
// null, and then stale.
type supporters struct {
	Scope      string     `json:"scope"`
	Supporters *int64     `json:"supporters"`
	Members    *int64     `json:"members"`
	AsOf       *time.Time `json:"as_of"`
	Stale      bool       `json:"stale"`
}

// Supporters handles GET /v1/supporters: how many people support us, because
// of an article, or in a campaign.
func (s *Service) Supporters(c *gin.Context) error {
	return s.scopes.answer(c.Writer, c.Request)
}

// stampAsOf is the stamp of answers that show when their counts were right.
func (s *Service) stampAsOf() stamp {
	snapshot := s.counts.Snapshot()
	return stamp{counts: snapshot.Version(), asOf: snapshot.AsOf().Unix()}
}

func (s *Service) buildSupporters(query string, _ *made) (*made, error) {
	scope, _, err := readScope(query, scopeParameters)
	if err != nil {
		return nil, err
	}
	count := s.counts.Snapshot().Count(scope)
	answer := supporters{Scope: scope, Stale: count.Stale}
	answer.Supporters, answer.Members = known(count)
	if !count.AsOf.IsZero() {
		asOf := count.AsOf.UTC().Truncate(time.Second)
		answer.AsOf = &asOf
	}
	body, err := json.Marshal(answer)
	if err != nil {
		return nil, err
	}
	return &made{ready: newReady(jsonType, living, body, nil)}, nil
}

// known returns the two numbers of a count, nil where nobody knows them.
func known(c counts.Count) (supporters, members *int64) {
	if !c.Known {
		return nil, nil
	}
	return &c.Supporters, &c.Members
}
