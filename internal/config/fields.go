package config

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/mail"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// A field is one setting: its name, its default ("" is none), how it is read
// and how it is shown ("" shows nothing).
type field struct {
	name  string
	value string
	parse func(s *Settings, text string) error
	show  func(s Settings) string
}

// fields returns every setting, in the order they are shown.
func fields() []field {
	return append(serviceFields(), neighbourFields()...)
}

// serviceFields returns the settings of the service itself.
func serviceFields() []field {
	return []field{
		{"SUPPORT_ADDR", "127.0.0.1:8080",
			func(s *Settings, text string) error { s.Addr = text; return checkAddr(text) },
			func(s Settings) string { return s.Addr }},
		{"SUPPORT_ADMIN_ADDR", "127.0.0.1:9090",
			func(s *Settings, text string) error { s.AdminAddr = text; return checkAddr(text) },
			func(s Settings) string { return s.AdminAddr }},
		{"SUPPORT_PUBLIC_URL", "",
			func(s *Settings, text string) (err error) { s.PublicURL, err = parseURL(text); return err },
			func(s Settings) string { return s.PublicURL }},
		{"SUPPORT_SITE_ORIGINS", "",
			func(s *Settings, text string) (err error) { s.SiteOrigins, err = parseOrigins(text); return err },
			func(s Settings) string { return strings.Join(s.SiteOrigins, ",") }},
		{"SUPPORT_SECRET", "",
			func(s *Settings, text string) (err error) { s.Secrets, err = parseSecrets(text); return err },
			func(s Settings) string { return showSecrets(s.Secrets) }},
		{"SUPPORT_TIMEZONE", "Europe/Kyiv",
			func(s *Settings, text string) (err error) { s.Timezone, err = parseTimezone(text); return err },
			func(s Settings) string { return s.Timezone.String() }},
		{"SUPPORT_CURRENCY", "EUR",
			func(s *Settings, text string) (err error) { s.Currency, err = parseCurrency(text); return err },
			func(s Settings) string { return s.Currency }},
		{"SUPPORT_TRUSTED_PROXIES", "",
			func(s *Settings, text string) (err error) { s.TrustedProxies, err = parseNetworks(text); return err },
			func(s Settings) string { return strings.Trim(fmt.Sprint(s.TrustedProxies), "[]") }},
		{"SUPPORT_COUNTRY_HEADER", "",
			func(s *Settings, text string) error {
				s.CountryHeader = http.CanonicalHeaderKey(text)
				return nil
			},
			func(s Settings) string { return s.CountryHeader }},
		{"SUPPORT_GRACE", "336h",
			func(s *Settings, text string) (err error) { s.Grace, err = parseGrace(text); return err },
			func(s Settings) string { return s.Grace.String() }},
	}
}

// neighbourFields returns the settings of what the service talks to.
func neighbourFields() []field {
	return []field{
		{"DATABASE_URL", "sqlite:data/support.db",
			parseDatabase,
			func(s Settings) string { return redactAddress(s.DatabaseURL.Reveal()) }},
		{"REDIS_URL", "",
			func(s *Settings, text string) error { s.RedisURL = Secret{text}; return checkRedis(text) },
			func(s Settings) string { return redactAddress(s.RedisURL.Reveal()) }},
		{"STRIPE_SECRET_KEY", "",
			func(s *Settings, text string) error { s.StripeKey = Secret{text}; return checkStripeKey(text) },
			showStripeKey},
		{"STRIPE_WEBHOOK_SECRET", "",
			parseWebhookSecrets,
			func(s Settings) string { return showSecrets(s.WebhookSecrets) }},
		{"STRIPE_API_URL", "",
			func(s *Settings, text string) (err error) { s.StripeAPIURL, err = parseURL(text); return err },
			func(s Settings) string { return s.StripeAPIURL }},
		{"SMTP_URL", "",
			func(s *Settings, text string) error { s.SMTPURL = Secret{text}; return checkSMTP(text) },
			func(s Settings) string { return redactAddress(s.SMTPURL.Reveal()) }},
		{"SUPPORT_MAIL_FROM", "",
			func(s *Settings, text string) error { s.MailFrom = text; return checkMailFrom(text) },
			func(s Settings) string { return s.MailFrom }},
		{"OIDC_ISSUER", "",
			func(s *Settings, text string) error { s.OIDC.Issuer = text; return nil },
			func(s Settings) string { return s.OIDC.Issuer }},
		{"OIDC_CLIENT_ID", "",
			func(s *Settings, text string) error { s.OIDC.ClientID = text; return nil },
			func(s Settings) string { return s.OIDC.ClientID }},
		{"OIDC_CLIENT_SECRET", "",
			func(s *Settings, text string) error { s.OIDC.Secret = Secret{text}; return nil },
			func(s Settings) string { return s.OIDC.Secret.String() }},
		{"TURNSTILE_SITE_KEY", "",
			func(s *Settings, text string) error { s.Challenge.SiteKey = text; return checkSiteKey(text) },
			func(s Settings) string { return s.Challenge.SiteKey }},
		{"TURNSTILE_SECRET_KEY", "",
			func(s *Settings, text string) error { s.Challenge.Secret = Secret{text}; return nil },
			func(s Settings) string { return s.Challenge.Secret.String() }},
		{"TURNSTILE_URL", "https://challenges.cloudflare.com/turnstile/v0",
			func(s *Settings, text string) (err error) { s.Challenge.URL, err = parseURL(text); return err },
			func(s Settings) string { return s.Challenge.URL }},
		{"OTEL_EXPORTER_OTLP_ENDPOINT", "",
			func(s *Settings, text string) (err error) { s.OTLPEndpoint, err = parseURL(text); return err },
			func(s Settings) string { return redactAddress(s.OTLPEndpoint) }},
	}
}

// Lines returns the effective settings as NAME=value, secrets left out.
func (s Settings) Lines() []string {
	var lines []string
	for _, f := range fields() {
		text := f.show(s)
		if text == "" {
			text = "(none)"
		}
		lines = append(lines, f.name+"="+text)
	}
	return lines
}

// read returns the text of a setting from NAME or the file that NAME_FILE
// names, and whether either is there at all.
func read(lookup func(string) (string, bool), name string) (text string, set bool, err error) {
	text, set = lookup(name)
	text = strings.TrimSpace(text)
	path, _ := lookup(name + "_FILE")
	if path == "" {
		return text, set, nil
	}
	if text != "" {
		return "", true, fmt.Errorf("%s: set it or %s_FILE, not both", name, name)
	}
	body, err := os.ReadFile(path)
	if err != nil {
		return "", true, fmt.Errorf("%s_FILE: %w", name, err)
	}
	return strings.TrimSpace(string(body)), true, nil
}

// secrets are the settings whose files nobody else should read.
var secrets = []string{
	"SUPPORT_SECRET", "DATABASE_URL", "REDIS_URL", "STRIPE_SECRET_KEY", "STRIPE_WEBHOOK_SECRET", "SMTP_URL", "OIDC_CLIENT_SECRET",
	"TURNSTILE_SECRET_KEY",
}

// warnOfOpen warns of a secret's file that everybody on this machine may read
// or write.
func (s *Settings) warnOfOpen(name, path string) {
	const everybody = 0o006
	if info, err := os.Stat(path); err == nil && info.Mode().Perm()&everybody != 0 {
		s.warn(fmt.Sprintf("%s: everybody on this machine may read or change %s, mode %04o; run: chmod o= %s", name, path, info.Mode().Perm(), path))
	}
}

// list splits a comma-separated text. An empty part is a mistake worth telling;
// the others are returned all the same.
func list(text string) (parts []string, err error) {
	for part := range strings.SplitSeq(text, ",") {
		part = strings.TrimSpace(part)
		if part == "" {
			err = errors.New("has an empty part between its commas; take the comma out")
			continue
		}
		parts = append(parts, part)
	}
	return parts, err
}

func checkAddr(text string) error {
	if _, err := net.ResolveTCPAddr("tcp", text); err != nil {
		if _, _, split := net.SplitHostPort(text); split != nil {
			return fmt.Errorf("%q is not host:port, such as 127.0.0.1:8080", text)
		}
		return fmt.Errorf("%q is not an address of this machine: %w", text, err)
	}
	return nil
}

func parseURL(text string) (string, error) {
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return "", errors.New("want an address such as https://support.example.org")
	}
	if u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return "", errors.New("want an address without user, query or fragment")
	}
	return strings.TrimRight(u.String(), "/"), nil
}

func parseOrigins(text string) ([]string, error) {
	parts, err := list(text)
	problems := []error{err}
	for i, part := range parts {
		address, err := parseURL(part)
		if err != nil {
			problems = append(problems, fmt.Errorf("%q: %w", part, err))
			continue
		}
		parts[i] = originOf(address)
		if u, err := url.Parse(address); err != nil || u.Path != "" {
			problems = append(problems, fmt.Errorf("%q is more than an origin; want scheme and host alone, such as %s", part, parts[i]))
		}
	}
	return parts, errors.Join(problems...)
}

func parseSecrets(text string) ([]Secret, error) {
	parts, err := list(text)
	problems := []error{err}
	var secrets []Secret
	for i, part := range parts {
		if len(part) < minSecret {
			problems = append(problems, fmt.Errorf("secret %d is %d bytes; want %d or more: openssl rand -hex 32", i+1, len(part), minSecret))
		}
		secrets = append(secrets, Secret{part})
	}
	return secrets, errors.Join(problems...)
}

// parseWebhookSecrets refuses what could be guessed. What is long enough and
// not written as Stripe writes it may be another's that speaks as Stripe does.
func parseWebhookSecrets(s *Settings, text string) error {
	parts, err := list(text)
	problems := []error{err}
	for i, part := range parts {
		rest, ok := strings.CutPrefix(part, webhookPrefix)
		switch {
		case ok && len(rest) >= minWebhookSecret:
		case !ok && len(part) >= minPlainSecret:
			s.warn(fmt.Sprintf("STRIPE_WEBHOOK_SECRET: secret %d does not begin with %s as Stripe's do; is it the endpoint's signing secret?", i+1, webhookPrefix))
		default:
			problems = append(problems, fmt.Errorf("secret %d is too short; want Stripe's, which is %s and %d or more characters", i+1, webhookPrefix, minWebhookSecret))
		}
		s.WebhookSecrets = append(s.WebhookSecrets, Secret{part})
	}
	return errors.Join(problems...)
}

func showSecrets(secrets []Secret) string {
	switch len(secrets) {
	case 0:
		return ""
	case 1:
		return secrets[0].String()
	}
	return fmt.Sprintf("(%d set)", len(secrets))
}

func parseTimezone(text string) (*time.Location, error) {
	zone, err := time.LoadLocation(text)
	if err != nil || text == "Local" {
		return nil, fmt.Errorf("%q is no time zone; want a name such as Europe/Kyiv", text)
	}
	return zone, nil
}

func parseCurrency(text string) (string, error) {
	code := strings.ToUpper(text)
	if len(code) != 3 || strings.Trim(code, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != "" {
		return "", fmt.Errorf("%q is no currency; want a code such as EUR", text)
	}
	return code, nil
}

func parseNetworks(text string) ([]netip.Prefix, error) {
	parts, err := list(text)
	problems := []error{err}
	var networks []netip.Prefix
	for _, part := range parts {
		if ip, err := netip.ParseAddr(part); err == nil {
			networks = append(networks, netip.PrefixFrom(ip, ip.BitLen()))
			continue
		}
		network, err := netip.ParsePrefix(part)
		if err != nil {
			problems = append(problems, fmt.Errorf("%q is no network; want one such as 10.0.0.0/8", part))
			continue
		}
		networks = append(networks, network.Masked())
	}
	return networks, errors.Join(problems...)
}

// checkSiteKey refuses what can't stand in a page's attribute as it is.
func checkSiteKey(text string) error {
	for _, r := range text {
		if !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '_' || r == '.') {
			return errors.New("want the site key that the service shows, of letters, digits, dots and dashes")
		}
	}
	return nil
}

func parseGrace(text string) (time.Duration, error) {
	d, err := time.ParseDuration(text)
	if err != nil || d < 0 {
		return 0, fmt.Errorf("%q is no duration; want hours such as 336h", text)
	}
	return d, nil
}

func parseDatabase(s *Settings, text string) error {
	s.DatabaseURL, s.DataFolder = Secret{text}, "data"
	if path, ok := strings.CutPrefix(text, "sqlite:"); ok {
		if path == "" {
			return errors.New("sqlite: needs a path, such as sqlite:data/support.db")
		}
		s.DataFolder = filepath.Dir(path)
		return nil
	}
	if !strings.HasPrefix(text, "postgres://") && !strings.HasPrefix(text, "postgresql://") {
		return errors.New("want sqlite:PATH or postgres://…")
	}
	return nil
}

func checkRedis(text string) error {
	if !strings.HasPrefix(text, "redis://") && !strings.HasPrefix(text, "rediss://") {
		return errors.New("want redis://host:6379 or rediss://…")
	}
	_, err := list(text)
	return err
}

func checkStripeKey(text string) error {
	for _, prefix := range []string{"sk_live_", "sk_test_", "rk_live_", "rk_test_"} {
		if strings.HasPrefix(text, prefix) && len(text) > len(prefix) {
			return nil
		}
	}
	if strings.HasPrefix(text, "pk_") {
		return errors.New("this is the publishable key; want the secret one, sk_… or rk_…")
	}
	return errors.New("does not look like a Stripe key; want sk_live_…, sk_test_…, rk_live_… or rk_test_…")
}

// showStripeKey tells a live key from a test key, and no more.
func showStripeKey(s Settings) string {
	switch {
	case s.Sandbox():
		return "(none: the sandbox)"
	case s.Live():
		return "(a live key)"
	}
	return "(a test key)"
}

func checkSMTP(text string) error {
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "smtp" && u.Scheme != "smtps" || u.Host == "" {
		return errors.New("want smtp://user:password@host:587")
	}
	return nil
}

func checkMailFrom(text string) error {
	if _, err := mail.ParseAddress(text); err != nil {
		return errors.New("want an address such as: Support <support@example.org>")
	}
	return nil
}
