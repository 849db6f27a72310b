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

// authorize returns the token a request bears, or a [fault.Unauthorized].
func (s *Service) authorize(c *gin.Context) (store.Token, error) {
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

func hashToken(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}
