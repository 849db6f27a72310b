package reports

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"regexp"
	"strings"
	"sync"

	"github.com/gin-gonic/gin"

	"github.com/united24media/support/internal/fault"
	"github.com/united24media/support/internal/store"
)

// The roles of tokens. A viewer sees sums and gifts; finance also who gave.
const (
	RoleViewer  = "viewer"
	RoleFinance = "finance"
)

// tokenPrefix lets people and secret scanners know a token of ours.
const tokenPrefix = "sup_"

var tokenName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)

// CheckTokenName returns a [fault.Invalid] for what can't name a token.
func CheckTokenName(name string) error {
	if !tokenName.MatchString(name) {
		return fault.Field("name", "A token's name has 1 to 64 letters, digits, dots, - or _.")
	}
	return nil
}

// CreateToken stores a new token, with its entry of the audit log, and returns
// its text, which is kept nowhere.
// It returns a [fault.Invalid] for a name or role that won't do, and a
// [fault.Conflict] for a name that is taken.
func (s *Service) CreateToken(ctx context.Context, name, role string, e store.Entry) (string, error) {
	if err := CheckTokenName(name); err != nil {
		return "", err
	}
	if role != RoleViewer && role != RoleFinance {
		return "", fault.Field("role", "A token's role is viewer or finance.")
	}
	var random [32]byte
	_, _ = rand.Read(random[:]) // never fails, by its documentation
	text := tokenPrefix + base64.RawURLEncoding.EncodeToString(random[:])
	err := s.store.AddToken(ctx, store.Token{Name: name, Role: role, Created: s.now()}, hashToken(text), e)
	return text, err
}

// How many requests that bear one token are answered at once, and when one more
// may be sent again, in seconds.
const (
	maxAtOnce   = 4
	retryAtOnce = 5
)

// authorize returns the token a request bears and how to tell that the request
// has ended, or a [fault.Unauthorized], or a [fault.Limited] where the token has
// too many under way. That the token reads here is in the audit log before
// anything is answered.
func (s *Service) authorize(c *gin.Context) (token store.Token, leave func(), err error) {
	if token, err = s.borne(c); err != nil {
		return store.Token{}, nil, err
	}
	leave, ok := s.atOnce.Enter(token.Name)
	if !ok {
		busy := fault.New(fault.Limited, "As many requests as one token may have are under way; wait for their answers.")
		busy.RetryAfter = retryAtOnce
		return store.Token{}, nil, busy
	}
	if err = s.note(c, token); err != nil {
		leave()
		return store.Token{}, nil, err
	}
	return token, leave, nil
}

// borne returns the token a request bears, or a [fault.Unauthorized].
func (s *Service) borne(c *gin.Context) (store.Token, error) {
	scheme, text, _ := strings.Cut(c.GetHeader("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") || !strings.HasPrefix(text, tokenPrefix) {
		return store.Token{}, fault.New(fault.Unauthorized, "Send a token: Authorization: Bearer sup_…; make one with `support token create`.")
	}
	// The index is searched for a hash, of which a caller can't choose the
	// beginning, so the time it takes tells nothing of a token.
	token, err := s.store.TokenByHash(c.Request.Context(), hashToken(text))
	if errors.Is(err, fault.NotFound) || err == nil && !token.Revoked.IsZero() {
		return store.Token{}, fault.New(fault.Unauthorized, "The token is not known, or was revoked.")
	}
	return token, err
}

// TokenWho returns what the audit log calls a token that reads.
func TokenWho(name string) string { return "token " + name }

// heard is which token read what in which hour, so that the database is told
// the first time and not asked again.
type heard struct {
	sync.Mutex

	hours map[read]int64 // the last one, in hours since 1970
}

// A read is a token on a route.
type read struct{ token, route string }

// note writes into the audit log that a token reads a route: once an hour, so
// that a program which asks every second does not fill it.
func (s *Service) note(c *gin.Context, token store.Token) error {
	now := s.now()
	at, hour := read{token.Name, c.FullPath()}, now.Unix()/3600
	s.heard.Lock()
	known := s.heard.hours[at] == hour
	s.heard.Unlock()
	if known {
		return nil
	}
	err := s.store.AuditTokenRead(c.Request.Context(), at.token, at.route, store.Entry{
		At: now, Who: TokenWho(at.token), Action: "token.read", Subject: at.route, Detail: "role " + token.Role,
	})
	if err != nil {
		return err
	}
	s.heard.Lock()
	defer s.heard.Unlock()
	if s.heard.hours == nil {
		s.heard.hours = map[read]int64{}
	}
	s.heard.hours[at] = hour
	return nil
}

func hashToken(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}
