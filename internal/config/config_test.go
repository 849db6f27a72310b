package config

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
)

// environment returns a lookup over values, with the database, and so what is
// kept beside it, in a folder of the test's own.
func environment(t *testing.T, values map[string]string) func(string) (string, bool) {
	t.Helper()
	all := map[string]string{"DATABASE_URL": "sqlite:" + filepath.Join(t.TempDir(), "support.db")}
	for name, value := range values {
		all[name] = value
	}
	return func(name string) (string, bool) {
		value, set := all[name]
		return value, set
	}
}

const (
	webhook = "whsec_0123456789abcdef0123456789abcdef"
	long    = "0123456789abcdef0123456789abcdef"
)

func TestDefaults(t *testing.T) {
	t.Parallel()
	lookup := environment(t, nil)
	s, err := Load(lookup)
	if err != nil {
		t.Fatal(err)
	}
	if !s.Sandbox() || s.Live() || !s.SQLite() || len(s.Warnings) != 0 {
		t.Errorf("sandbox %v, live %v, sqlite %v, warnings %q", s.Sandbox(), s.Live(), s.SQLite(), s.Warnings)
	}
	want := []string{
		"SUPPORT_ADDR=127.0.0.1:8080", "SUPPORT_ADMIN_ADDR=127.0.0.1:9090",
		"SUPPORT_PUBLIC_URL=http://127.0.0.1:8080", "SUPPORT_SITE_ORIGINS=http://127.0.0.1:8080",
		"SUPPORT_TIMEZONE=Europe/Kyiv", "SUPPORT_CURRENCY=EUR", "SUPPORT_GRACE=336h0m0s",
		"SUPPORT_SECRET=(set)", "STRIPE_SECRET_KEY=(none: the sandbox)", "REDIS_URL=(none)",
	}
	lines := s.Lines()
	for _, line := range want {
		if !slices.Contains(lines, line) {
			t.Errorf("no line %s in\n%s", line, strings.Join(lines, "\n"))
		}
	}
	again, err := Load(lookup)
	if err != nil || again.Secrets[0] != s.Secrets[0] || again.WebhookSecrets[0] != s.WebhookSecrets[0] {
		t.Errorf("a second start made other secrets (%v)", err)
	}
	for _, name := range []string{"secret", "sandbox-webhook-secret"} {
		info, err := os.Stat(filepath.Join(s.DataFolder, name))
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v; want mode 0600", name, info, err)
		}
	}
}

func TestRefused(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		set  map[string]string
		want string
	}{
		"live key, sandbox's webhook secret": {map[string]string{"STRIPE_SECRET_KEY": "sk_live_x"}, "STRIPE_WEBHOOK_SECRET"},
		"live key, sandbox's secret pasted": {map[string]string{"STRIPE_SECRET_KEY": "rk_live_x", "STRIPE_WEBHOOK_SECRET": sandboxPrefix + long},
			"STRIPE_WEBHOOK_SECRET"},
		"live key, public http": {map[string]string{"STRIPE_SECRET_KEY": "sk_live_x", "STRIPE_WEBHOOK_SECRET": webhook, "SUPPORT_PUBLIC_URL": "http://support.example"},
			"SUPPORT_PUBLIC_URL"},
		"publishable key":            {map[string]string{"STRIPE_SECRET_KEY": "pk_live_x"}, "publishable"},
		"key of another kind":        {map[string]string{"STRIPE_SECRET_KEY": "hunter2"}, "STRIPE_SECRET_KEY"},
		"empty webhook secret":       {map[string]string{"STRIPE_WEBHOOK_SECRET": ""}, "STRIPE_WEBHOOK_SECRET"},
		"blank webhook secret":       {map[string]string{"STRIPE_WEBHOOK_SECRET": "  "}, "STRIPE_WEBHOOK_SECRET"},
		"one webhook secret empty":   {map[string]string{"STRIPE_WEBHOOK_SECRET": webhook + ","}, "empty part"},
		"short webhook secret":       {map[string]string{"STRIPE_WEBHOOK_SECRET": "whsec_abc"}, "whsec_"},
		"webhook secret in words":    {map[string]string{"STRIPE_WEBHOOK_SECRET": "secret"}, "whsec_"},
		"second webhook secret":      {map[string]string{"STRIPE_WEBHOOK_SECRET": webhook + ",whsec_,abc"}, "secret 3"},
		"short secret":               {map[string]string{"SUPPORT_SECRET": "abc"}, "SUPPORT_SECRET"},
		"second secret short":        {map[string]string{"SUPPORT_SECRET": long + ",abc"}, "secret 2"},
		"no secret with PostgreSQL":  {map[string]string{"DATABASE_URL": "postgres://h/db"}, "SUPPORT_SECRET"},
		"database of another kind":   {map[string]string{"DATABASE_URL": "mysql://h/db"}, "DATABASE_URL"},
		"time zone":                  {map[string]string{"SUPPORT_TIMEZONE": "Europe/Kiev2"}, "SUPPORT_TIMEZONE"},
		"the machine's time zone":    {map[string]string{"SUPPORT_TIMEZONE": "Local"}, "SUPPORT_TIMEZONE"},
		"listener":                   {map[string]string{"SUPPORT_ADDR": "8080"}, "SUPPORT_ADDR"},
		"grace":                      {map[string]string{"SUPPORT_GRACE": "two weeks"}, "SUPPORT_GRACE"},
		"negative grace":             {map[string]string{"SUPPORT_GRACE": "-1h"}, "SUPPORT_GRACE"},
		"origin with a path":         {map[string]string{"SUPPORT_SITE_ORIGINS": "https://news.example/articles"}, "SUPPORT_SITE_ORIGINS"},
		"any origin":                 {map[string]string{"SUPPORT_SITE_ORIGINS": "*"}, "SUPPORT_SITE_ORIGINS"},
		"proxy":                      {map[string]string{"SUPPORT_TRUSTED_PROXIES": "all"}, "SUPPORT_TRUSTED_PROXIES"},
		"currency":                   {map[string]string{"SUPPORT_CURRENCY": "euro"}, "SUPPORT_CURRENCY"},
		"redis":                      {map[string]string{"REDIS_URL": "localhost:6379"}, "REDIS_URL"},
		"mail without a sender":      {map[string]string{"SMTP_URL": "smtp://mail.example:587"}, "SUPPORT_MAIL_FROM"},
		"half of a challenge":        {map[string]string{"TURNSTILE_SITE_KEY": "0x4"}, "TURNSTILE_SECRET_KEY"},
		"site key as no page has it": {map[string]string{"TURNSTILE_SITE_KEY": "0x4\"><script>", "TURNSTILE_SECRET_KEY": long}, "TURNSTILE_SITE_KEY"},
		"half of single sign-on":     {map[string]string{"OIDC_ISSUER": "https://id.example"}, "OIDC_CLIENT_SECRET"},
		"file that is not there":     {map[string]string{"SUPPORT_SECRET_FILE": "/nonexistent"}, "SUPPORT_SECRET_FILE"},
		"setting and its file":       {map[string]string{"SUPPORT_SECRET": long, "SUPPORT_SECRET_FILE": "/x"}, "not both"},
		"public address with a user": {map[string]string{"SUPPORT_PUBLIC_URL": "https://u@support.example"}, "SUPPORT_PUBLIC_URL"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := Load(environment(t, tt.set))
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("Load = %v; want an error with %q", err, tt.want)
			}
		})
	}
}

func TestProblemsAreReportedTogether(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		set  map[string]string
		want []string
	}{
		"of three settings": {
			map[string]string{"SUPPORT_ADDR": "nowhere", "SUPPORT_GRACE": "soon", "STRIPE_WEBHOOK_SECRET": ""},
			[]string{"SUPPORT_ADDR", "SUPPORT_GRACE", "STRIPE_WEBHOOK_SECRET"},
		},
		"two of one setting": {
			map[string]string{"SUPPORT_SITE_ORIGINS": "https://a.example,*,https://b.example/c", "SUPPORT_TRUSTED_PROXIES": "x,10.0.0.0/8,y"},
			[]string{`SUPPORT_SITE_ORIGINS: "*"`, `SUPPORT_SITE_ORIGINS: "https://b`, `PROXIES: "x"`, `PROXIES: "y"`},
		},
		"between settings and of one": {
			map[string]string{"SUPPORT_GRACE": "soon", "OIDC_ISSUER": "https://i.example", "STRIPE_SECRET_KEY": "sk_live_x", "DATABASE_URL": "postgres://h/db"},
			[]string{"SUPPORT_GRACE", "OIDC_CLIENT_ID", "STRIPE_WEBHOOK_SECRET", "SUPPORT_SECRET"},
		},
		"nothing that only follows from another": {
			map[string]string{"DATABASE_URL": "mysql://h/db", "STRIPE_SECRET_KEY": "sk_live_", "SUPPORT_PUBLIC_URL": "x"},
			[]string{"DATABASE_URL", "STRIPE_SECRET_KEY", "SUPPORT_PUBLIC_URL"},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := Load(environment(t, tt.set))
			if err == nil || strings.Count(err.Error(), "\n") != len(tt.want)-1 {
				t.Fatalf("Load = %v; want %d lines", err, len(tt.want))
			}
			for _, want := range tt.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("Load = %v; want a line with %q", err, want)
				}
			}
		})
	}
}

func TestAllowed(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		set      map[string]string
		warnings int
	}{
		"live key on loopback":             {map[string]string{"STRIPE_SECRET_KEY": "sk_live_x", "STRIPE_WEBHOOK_SECRET": webhook}, 0},
		"live key with https":              {map[string]string{"STRIPE_SECRET_KEY": "sk_live_x", "STRIPE_WEBHOOK_SECRET": webhook, "SUPPORT_PUBLIC_URL": "https://s.example/"}, 0},
		"test key, public http":            {map[string]string{"STRIPE_SECRET_KEY": "sk_test_x", "STRIPE_WEBHOOK_SECRET": webhook, "SUPPORT_PUBLIC_URL": "http://s.example"}, 1},
		"test key, sandbox's secret":       {map[string]string{"STRIPE_SECRET_KEY": "sk_test_x"}, 1},
		"sandbox, public http":             {map[string]string{"SUPPORT_PUBLIC_URL": "http://s.example"}, 0},
		"API address without a key":        {map[string]string{"STRIPE_API_URL": "http://127.0.0.1:12111"}, 1},
		"settings that are there, empty":   {map[string]string{"REDIS_URL": "", "STRIPE_SECRET_KEY": "", "SUPPORT_ADDR": ""}, 0},
		"short webhook secret of Stripe's": {map[string]string{"STRIPE_WEBHOOK_SECRET": "whsec_12345678"}, 0},
		"webhook secret of another kind":   {map[string]string{"STRIPE_WEBHOOK_SECRET": "0123456789abcdef"}, 1},
		"two webhook secrets, for a roll":  {map[string]string{"STRIPE_WEBHOOK_SECRET": webhook + ", " + webhook}, 0},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, err := Load(environment(t, tt.set))
			if err != nil || len(s.Warnings) != tt.warnings {
				t.Errorf("Load = %v, warnings %q; want %d warnings", err, s.Warnings, tt.warnings)
			}
		})
	}
}

func TestRedisOpen(t *testing.T) {
	t.Parallel()
	for address, open := range map[string]bool{
		"":                                       false,
		"redis://127.0.0.1:6379":                 false,
		"redis://localhost:6379/1":               false,
		"redis://[::1]:6379":                     false,
		"redis://cache:6379":                     true,
		"rediss://cache:6379":                    true,
		"redis://:word@cache:6379":               false,
		"redis://user@cache:6379":                true,
		"redis://127.0.0.1:6379,10.0.0.2:6379":   true,
		"redis://u:word@10.0.0.1,10.0.0.2:6379":  false,
		"redis://127.0.0.1:7001, 127.0.0.1:7002": false,
	} {
		if got := (Settings{RedisURL: Secret{address}}).RedisOpen(); got != open {
			t.Errorf("%q: %v", address, got)
		}
	}
}

// TestSecretsThatEverybodyReads: a secret's file that others on the machine may
// read is told, whether it was given or made here; any other file is not.
func TestSecretsThatEverybodyReads(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	for mode, warned := range map[fs.FileMode]bool{0o600: false, 0o440: false, 0o444: true, 0o602: true} {
		for name, text := range map[string]string{"STRIPE_WEBHOOK_SECRET": webhook, "SUPPORT_CURRENCY": "USD"} {
			path := filepath.Join(folder, name)
			if err := errors.Join(os.WriteFile(path, []byte(text), 0o600), os.Chmod(path, mode)); err != nil {
				t.Fatal(err)
			}
			s, err := Load(environment(t, map[string]string{name + "_FILE": path}))
			if err != nil || (len(s.Warnings) == 1) != (warned && name != "SUPPORT_CURRENCY") {
				t.Errorf("%s of mode %o: %v, warnings %q", name, mode, err, s.Warnings)
			}
			if err := os.Remove(path); err != nil {
				t.Fatal(err)
			}
		}
	}
	lookup := environment(t, map[string]string{"DATABASE_URL": "sqlite:" + filepath.Join(folder, "data", "support.db")})
	if s, err := Load(lookup); err != nil || len(s.Warnings) != 0 {
		t.Errorf("what we make ourselves: %v, warnings %q", err, s.Warnings)
	}
	if err := os.Chmod(filepath.Join(folder, "data", "secret"), 0o644); err != nil {
		t.Fatal(err)
	}
	if s, err := Load(lookup); err != nil || len(s.Warnings) != 1 || !strings.Contains(s.Warnings[0], "chmod o=") {
		t.Errorf("what we made, opened since: %v, warnings %q", err, s.Warnings)
	}
}

func TestFileLosesItsLineBreak(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(path, []byte(webhook+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := Load(environment(t, map[string]string{"STRIPE_WEBHOOK_SECRET_FILE": path}))
	if err != nil || s.WebhookSecrets[0].Reveal() != webhook {
		t.Errorf("Load = %q, %v", s.WebhookSecrets, err)
	}
}

func TestSecretsAreNeverShown(t *testing.T) {
	t.Parallel()
	const canary = "canary0123456789canary0123456789"
	s, err := Load(environment(t, map[string]string{
		"SUPPORT_SECRET": canary, "STRIPE_SECRET_KEY": "sk_test_" + canary, "STRIPE_WEBHOOK_SECRET": "whsec_" + canary,
		"DATABASE_URL": "postgres://u:" + canary + "@a:1,b:2/db?password=" + canary,
		"REDIS_URL":    "redis://:" + canary + "@a:1,redis://:" + canary + "@b:1", "SMTP_URL": "smtp://u:" + canary + "@m:587",
		"SUPPORT_MAIL_FROM": "a@b.example", "OIDC_ISSUER": "https://i.example", "OIDC_CLIENT_ID": "c", "OIDC_CLIENT_SECRET": canary,
		"TURNSTILE_SITE_KEY": "site", "TURNSTILE_SECRET_KEY": canary,
	}))
	if err != nil {
		t.Fatal(err)
	}
	asJSON, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	for how, text := range map[string]string{
		"lines": strings.Join(s.Lines(), "\n"), "JSON": string(asJSON),
		"%v": fmt.Sprintf("%v", s), "%+v": fmt.Sprintf("%+v", s), "%#v": fmt.Sprintf("%#v", s), "%s": fmt.Sprintf("%s", s.Secrets), "%x": fmt.Sprintf("%x", s.Secrets),
	} {
		if strings.Contains(text, canary) || strings.Contains(text, fmt.Sprintf("%x", canary)) {
			t.Errorf("%s shows a secret:\n%s", how, text)
		}
	}
}

func TestRedactedAddress(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ address, want string }{
		"SQLite":               {"sqlite:data/support.db", "sqlite:data/support.db"},
		"no user":              {"redis://h:6379/1", "redis://h:6379/1"},
		"several hosts":        {"postgres://u:p@a:1,b:2/db", "postgres://a:1,b:2/db"},
		"comma in a password":  {"postgres://u:12,34@a/db", "postgres://a/db"},
		"question in password": {"postgres://u:1?2@a/db", "postgres://(kept back)"},
		"password in a query":  {"postgres://a/db?password=x@y", "postgres://(kept back)"},
		"plain query":          {"postgres://u@a/db?sslmode=require", "postgres://a/db"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := redactAddress(tt.address); got != tt.want {
				t.Errorf("redactAddress(%q) = %q; want %q", tt.address, got, tt.want)
			}
		})
	}
}

func TestListening(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		set           map[string]string
		listener      string
		url, firstOne string
	}{
		"a port of the system's choice": {nil, "127.0.0.1:4711", "http://127.0.0.1:4711", "http://127.0.0.1:4711"},
		"a name":                        {map[string]string{"SUPPORT_ADDR": "localhost:0"}, "127.0.0.1:4711", "http://localhost:4711", "http://localhost:4711"},
		"every address":                 {map[string]string{"SUPPORT_ADDR": ":0"}, "[::]:4711", "http://127.0.0.1:4711", "http://127.0.0.1:4711"},
		"set":                           {map[string]string{"SUPPORT_PUBLIC_URL": "https://S.example:443/"}, "127.0.0.1:1", "https://S.example:443", "https://s.example"},
		"with origins": {map[string]string{"SUPPORT_SITE_ORIGINS": "https://News.example/, http://localhost:3000"},
			"127.0.0.1:1", "http://127.0.0.1:1", "https://news.example"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, err := Load(environment(t, tt.set))
			if err != nil {
				t.Fatal(err)
			}
			s = s.Listening(tt.listener)
			if s.PublicURL != tt.url || s.SiteOrigins[0] != tt.firstOne {
				t.Errorf("public %s, origins %s; want %s, %s", s.PublicURL, s.SiteOrigins, tt.url, tt.firstOne)
			}
		})
	}
}

func TestKeepMakesOneSecret(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "data", "secret")
	secrets := make([]Secret, 16)
	var wg sync.WaitGroup
	for i := range secrets {
		wg.Go(func() { secrets[i], _ = Keep(path, "") })
	}
	wg.Wait()
	for _, s := range secrets {
		if s != secrets[0] || len(s.Reveal()) < minSecret {
			t.Fatalf("two processes hold different secrets, or a short one")
		}
	}
}
