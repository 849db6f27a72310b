package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

const deploy = "../../docs/deploy"

var metricName = regexp.MustCompile(`\b(?:support|process|go)_[a-z_]+\b`)

// TestMonitoringKnowsTheMetrics scrapes the program by a real Prometheus with
// the rules that ship. Every metric that the rules and the dashboard name is
// there, and every rule can be evaluated.
func TestMonitoringKnowsTheMetrics(t *testing.T) {
	t.Parallel()
	admin := freeAddr(t)
	p := start(t, t.TempDir(), "SUPPORT_ADMIN_ADDR="+admin)
	if status, _ := get(t, p.url+"/support"); status != http.StatusOK {
		t.Fatalf("GET /support: %d", status)
	}
	var metrics string
	eventually(t, "what comes in is watched", func() bool { // the first look is a second after the start
		_, metrics = get(t, "http://"+admin+"/metrics")
		return strings.Contains(metrics, "support_events_parked 0")
	})
	for _, file := range []string{"alerts.yaml", "grafana.json"} {
		text, err := os.ReadFile(filepath.Join(deploy, file))
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range metricName.FindAllString(string(text), -1) {
			if !strings.Contains(metrics, "\n"+name+" ") && !strings.Contains(metrics, "\n"+name+"{") {
				t.Errorf("%s names %s, which the program does not measure", file, name)
			}
		}
	}
	promtool(t, metrics, "check", "metrics")

	prometheus := scrape(t, admin)
	var told struct {
		Data struct {
			Groups []struct {
				Rules []struct{ Name, Health, LastError, LastEvaluation string }
			}
		}
	}
	eventually(t, "Prometheus has evaluated every rule", func() bool {
		ask(t, prometheus+"/api/v1/rules", &told)
		for _, group := range told.Data.Groups {
			for _, rule := range group.Rules {
				if rule.Health == "unknown" {
					return false
				}
			}
		}
		return len(told.Data.Groups) > 0
	})
	for _, rule := range told.Data.Groups[0].Rules {
		if rule.Health != "ok" {
			t.Errorf("%s: %s", rule.Name, rule.LastError)
		}
	}
	eventually(t, "Prometheus has scraped the program", func() bool {
		var up struct {
			Data struct{ Result []struct{ Value [2]any } }
		}
		ask(t, prometheus+"/api/v1/query?query=up", &up)
		return len(up.Data.Result) == 1 && up.Data.Result[0].Value[1] == "1"
	})
}

// TestAlertsFireWhenTheyShould lets promtool play a calm day and a bad one.
func TestAlertsFireWhenTheyShould(t *testing.T) {
	t.Parallel()
	promtool(t, "", "check", "rules", filepath.Join(deploy, "alerts.yaml"))
	promtool(t, "", "check", "config", filepath.Join(deploy, "prometheus.yaml"))
	promtool(t, "", "test", "rules", filepath.Join(deploy, "alerts_test.yaml"))
}

// promtool runs Prometheus's tool, which must find nothing wrong.
func promtool(t *testing.T, input string, args ...string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "promtool", args...)
	cmd.Stdin = strings.NewReader(input)
	if printed, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("promtool %s: %v\n%s", strings.Join(args, " "), err, printed)
	}
}

// scrape starts a Prometheus that watches an admin listener by the rules that
// ship, each second, and returns its address. It ends with the test.
func scrape(t *testing.T, admin string) (address string) {
	t.Helper()
	rules, err := filepath.Abs(filepath.Join(deploy, "alerts.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	folder, listen := t.TempDir(), freeAddr(t)
	config := fmt.Sprintf("global: {scrape_interval: 1s, evaluation_interval: 1s}\nrule_files: [%q]\n"+
		"scrape_configs: [{job_name: support, static_configs: [{targets: [%q]}]}]\n", rules, admin)
	file := filepath.Join(folder, "prometheus.yaml")
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, end := context.WithCancel(t.Context())
	cmd := exec.CommandContext(ctx, "prometheus", "--config.file="+file, "--storage.tsdb.path="+filepath.Join(folder, "data"), "--web.listen-address="+listen)
	var log bytes.Buffer
	cmd.Stderr = &log
	if err := cmd.Start(); err != nil {
		end()
		t.Fatalf("start Prometheus, which `make test` brings: %v", err)
	}
	t.Cleanup(func() {
		end()
		_ = cmd.Wait() // it was killed
		if t.Failed() {
			t.Logf("Prometheus says:\n%s", tail(log.String(), 2000))
		}
	})
	address = "http://" + listen
	eventually(t, "Prometheus answers", func() bool {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address+"/-/ready", nil)
		if err != nil {
			t.Fatal(err)
		}
		answer, err := http.DefaultClient.Do(request)
		if err != nil {
			return false
		}
		defer answer.Body.Close()
		return answer.StatusCode == http.StatusOK
	})
	return address
}

// ask reads a JSON answer.
func ask(t *testing.T, address string, into any) {
	t.Helper()
	if status, text := get(t, address); status != http.StatusOK {
		t.Fatalf("%s: %d %s", address, status, text)
	} else if err := json.Unmarshal([]byte(text), into); err != nil {
		t.Fatal(err)
	}
}
