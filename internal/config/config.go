// Package config reads the program's settings from the environment: defaults
// in code, every problem reported at once, secrets never printed.
package config

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"time"
	_ "time/tzdata" // a bare machine may have no time zones of its own
)

// Settings are the effective settings. Those of an address that is given only
// when the listener is open are filled by [Settings.Listening].
type Settings struct {
	Addr           string          // SUPPORT_ADDR: host:port of the public listener
	AdminAddr      string          // SUPPORT_ADMIN_ADDR: host:port of metrics and profiles
	PublicURL      string          // SUPPORT_PUBLIC_URL: without a slash at its end
	SiteOrigins    []string        // SUPPORT_SITE_ORIGINS: scheme://host[:port], at least one
	Secrets        []Secret        // SUPPORT_SECRET: newest first, at least one
	Timezone       *time.Location  // SUPPORT_TIMEZONE: days in reports
	Currency       string          // SUPPORT_CURRENCY: upper case; known to Stripe is for the caller to check
	DatabaseURL    Secret          // DATABASE_URL: sqlite:PATH or postgres://…
	RedisURL       Secret          // REDIS_URL: empty means counts in process
	StripeKey      Secret          // STRIPE_SECRET_KEY: empty means the sandbox
	WebhookSecrets []Secret        // STRIPE_WEBHOOK_SECRET: at least one
	StripeAPIURL   string          // STRIPE_API_URL: empty means Stripe itself, or the sandbox without a key
	SMTPURL        Secret          // SMTP_URL: empty means mail is kept
	MailFrom       string          // SUPPORT_MAIL_FROM
	OIDC           OIDC            // OIDC_…: zero means none
	Challenge      Challenge       // TURNSTILE_…: zero means none
	TrustedProxies []netip.Prefix  // SUPPORT_TRUSTED_PROXIES
	CountryHeader  string          // SUPPORT_COUNTRY_HEADER: believed from trusted proxies only
	Grace          time.Duration   // SUPPORT_GRACE: how long a past-due member counts
	OTLPEndpoint   string          // OTEL_EXPORTER_OTLP_ENDPOINT: empty means no traces
	DataFolder     string          // the folder of the SQLite file, else "data"
	Warnings       []string        // what is allowed and yet worth a word
	given          map[string]bool // the settings that are not at their default
}

// OIDC is staff's single sign-on.
type OIDC struct {
	Issuer   string
	ClientID string
	Secret   Secret
}

// A Challenge is a service that tells browsers of people from programs.
type Challenge struct {
	SiteKey string
	Secret  Secret
	URL     string // without a slash at its end
}

// Limits of secrets, in bytes.
const (
	minSecret        = 32
	minWebhookSecret = 8  // after its prefix; Stripe's have 32 or more
	minPlainSecret   = 16 // of a webhook secret without the prefix
)

// Prefixes of webhook secrets: Stripe's, and among those the sandbox's.
const (
	webhookPrefix = "whsec_"
	sandboxPrefix = webhookPrefix + "sandbox_"
)

// Sandbox reports whether the built-in sandbox stands in Stripe's place.
func (s Settings) Sandbox() bool { return s.StripeKey.Empty() }

// RedisOpen reports whether Redis is on another machine and asks for no
// password.
func (s Settings) RedisOpen() bool {
	open := false
	for i, part := range strings.Split(s.RedisURL.Reveal(), ",") {
		part = strings.TrimSpace(part)
		if i > 0 && !strings.Contains(part, "://") {
			part = "redis://" + part
		}
		u, err := url.Parse(part)
		if err != nil || part == "" {
			continue
		}
		_, guarded := u.User.Password()
		if i == 0 && guarded { // it is used for all
			return false
		}
		open = open || !loopback(u.Hostname())
	}
	return open
}

// Live reports whether real money moves.
func (s Settings) Live() bool {
	key := s.StripeKey.Reveal()
	return strings.HasPrefix(key, "sk_live_") || strings.HasPrefix(key, "rk_live_")
}

// SQLite reports whether the database is a file of this machine.
func (s Settings) SQLite() bool {
	return strings.HasPrefix(s.DatabaseURL.Reveal(), "sqlite:")
}

// Given reports whether a setting was set, and is not at its default.
func (s Settings) Given(name string) bool { return s.given[name] }

// Listening returns s with the addresses that follow from the public listener
// where none were set: addr is where it listens, with its real port.
func (s Settings) Listening(addr string) Settings {
	if !s.given["SUPPORT_PUBLIC_URL"] {
		s.PublicURL = "http://" + reachable(s.Addr, addr)
	}
	if !s.given["SUPPORT_SITE_ORIGINS"] {
		s.SiteOrigins = []string{originOf(s.PublicURL)}
	}
	return s
}

// reachable returns a host and port that a browser on this machine can open:
// the host as it was set, with the port that is really listened on.
func reachable(set, addr string) string {
	host, _, err := net.SplitHostPort(set)
	if err != nil {
		return addr
	}
	_, port, err := net.SplitHostPort(addr)
	if err != nil {
		return addr
	}
	if ip, err := netip.ParseAddr(host); host == "" || err == nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return net.JoinHostPort(host, port)
}

// originOf returns the origin of an address that was checked before, as
// browsers write it.
func originOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return address
	}
	host := strings.ToLower(u.Host)
	switch {
	case u.Scheme == "http":
		host = strings.TrimSuffix(host, ":80")
	case u.Scheme == "https":
		host = strings.TrimSuffix(host, ":443")
	}
	return u.Scheme + "://" + host
}

// Load reads the settings. It returns every problem in one error, a line each.
//
// lookup is os.LookupEnv outside of tests. Each NAME may also be given as
// NAME_FILE, a file whose content counts without the line break at its end.
// With SQLite it makes SUPPORT_SECRET, and without STRIPE_WEBHOOK_SECRET the
// sandbox's, and keeps them in the data folder.
func Load(lookup func(name string) (value string, set bool)) (Settings, error) {
	s := Settings{given: map[string]bool{}}
	var problems []error
	bad := map[string]bool{} // settings that can't be judged further
	for _, f := range fields() {
		text, set, err := read(lookup, f.name)
		switch {
		case err != nil:
			bad[f.name] = true
			problems = append(problems, err)
			continue
		case set && text == "" && f.name == "STRIPE_WEBHOOK_SECRET":
			problems = append(problems, errors.New("STRIPE_WEBHOOK_SECRET: an empty secret would let anyone sign; "+
				"set the whsec_… of the webhook endpoint, or leave the setting out for the sandbox"))
			bad[f.name] = true
			continue
		case text == "":
			text = f.value
		default:
			s.given[f.name] = true
		}
		if path, _ := lookup(f.name + "_FILE"); path != "" && slices.Contains(secrets, f.name) {
			s.warnOfOpen(f.name, path)
		}
		if text == "" {
			continue
		}
		if err := f.parse(&s, text); err != nil {
			bad[f.name] = true
			for _, problem := range each(err) {
				problems = append(problems, fmt.Errorf("%s: %w", f.name, problem))
			}
		}
	}
	s = s.Listening(s.Addr)
	problems = append(problems, s.check(bad)...)
	if len(problems) == 0 {
		problems = s.keepSecrets()
	}
	return s, errors.Join(problems...)
}

// each returns the errors that were joined to err, or err alone.
func each(err error) []error {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		return joined.Unwrap()
	}
	return []error{err}
}

// check returns what is wrong between settings that are each right alone. It
// says nothing of the bad ones, which were told already.
func (s *Settings) check(bad map[string]bool) []error {
	var problems []error
	add := func(format string, args ...any) { problems = append(problems, fmt.Errorf(format, args...)) }
	if !s.SQLite() && len(s.Secrets) == 0 && !bad["DATABASE_URL"] && !bad["SUPPORT_SECRET"] {
		add("SUPPORT_SECRET: needed with PostgreSQL, the same on every replica; make one with: openssl rand -hex 32")
	}
	if !s.SMTPURL.Empty() && s.MailFrom == "" && !bad["SUPPORT_MAIL_FROM"] {
		add("SUPPORT_MAIL_FROM: needed with SMTP_URL, such as: Support <support@example.org>")
	}
	given := 0
	for name, text := range map[string]string{
		"OIDC_ISSUER": s.OIDC.Issuer, "OIDC_CLIENT_ID": s.OIDC.ClientID, "OIDC_CLIENT_SECRET": s.OIDC.Secret.Reveal(),
	} {
		if text != "" || bad[name] {
			given++
		}
	}
	if given != 0 && given != 3 {
		add("OIDC_ISSUER, OIDC_CLIENT_ID, OIDC_CLIENT_SECRET: set all three or none")
	}
	if (s.Challenge.SiteKey == "") != s.Challenge.Secret.Empty() && !bad["TURNSTILE_SITE_KEY"] && !bad["TURNSTILE_SECRET_KEY"] {
		add("TURNSTILE_SITE_KEY, TURNSTILE_SECRET_KEY: set both or none")
	}
	if s.StripeAPIURL != "" && s.Sandbox() {
		s.warn("STRIPE_API_URL is set and not used: without STRIPE_SECRET_KEY the built-in sandbox answers")
	}
	return append(problems, s.checkStripe(bad)...)
}

// checkStripe refuses, for a live key, what would lose or expose real gifts,
// and warns of the same with a test key.
func (s *Settings) checkStripe(bad map[string]bool) []error {
	if s.Sandbox() || bad["STRIPE_SECRET_KEY"] {
		return nil
	}
	var problems []error
	say := func(text string) {
		if s.Live() {
			problems = append(problems, errors.New(text))
			return
		}
		s.warn(text)
	}
	sandboxes := len(s.WebhookSecrets) == 0 || slices.ContainsFunc(s.WebhookSecrets, func(w Secret) bool {
		return strings.HasPrefix(w.Reveal(), sandboxPrefix)
	})
	if sandboxes && !bad["STRIPE_WEBHOOK_SECRET"] {
		say("STRIPE_WEBHOOK_SECRET: this is the sandbox's secret beside a real Stripe key; " +
			"no delivery of Stripe's would verify: set the whsec_… that `support stripe-setup` or the Dashboard shows")
	}
	told := bad["SUPPORT_PUBLIC_URL"] || bad["SUPPORT_ADDR"]
	if u, err := url.Parse(s.PublicURL); !told && err == nil && u.Scheme != "https" && !loopback(u.Hostname()) {
		say("SUPPORT_PUBLIC_URL: " + s.PublicURL + " is not https; with a Stripe key readers' gifts need https")
	}
	return problems
}

func (s *Settings) warn(text string) { s.Warnings = append(s.Warnings, text) }

func loopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || strings.HasSuffix(host, ".localhost") || err == nil && ip.IsLoopback()
}

// keepSecrets fills the secrets that were not set from the data folder.
func (s *Settings) keepSecrets() []error {
	var problems []error
	if len(s.Secrets) == 0 {
		path := filepath.Join(s.DataFolder, "secret")
		secret, err := Keep(path, "")
		if err != nil {
			problems = append(problems, fmt.Errorf("SUPPORT_SECRET: %w", err))
		}
		s.Secrets = []Secret{secret}
		s.warnOfOpen("SUPPORT_SECRET", path)
	}
	if len(s.WebhookSecrets) == 0 {
		secret, err := Keep(filepath.Join(s.DataFolder, "sandbox-webhook-secret"), sandboxPrefix)
		if err != nil {
			problems = append(problems, fmt.Errorf("STRIPE_WEBHOOK_SECRET: %w", err))
		}
		s.WebhookSecrets = []Secret{secret}
	}
	return problems
}
