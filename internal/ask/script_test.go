package ask

import (
	"bytes"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/xml"
	"io"
	"regexp"
	"strings"
	"testing"

	"github.com/united24media/support/internal/ask/embed"
)

// maxScript is what a page may be made to load, in bytes of gzip.
const maxScript = 6 << 10

func TestScriptIsSmall(t *testing.T) {
	t.Parallel()
	if size := len(zip(embed.Script)); size > maxScript {
		t.Errorf("the script is %d bytes of gzip, more than %d", size, maxScript)
	}
}

func TestScriptLeavesThePageAlone(t *testing.T) {
	t.Parallel()
	for _, word := range []string{"innerHTML", "outerHTML", "insertAdjacentHTML", "eval(", "Function(", "document.write", "cookie", "setAttribute(\"style\"", "http://", "https://"} {
		if bytes.Contains(embed.Script, []byte(word)) {
			t.Errorf("the script has %q", word)
		}
	}
}

// TestNamesAreNeutral keeps out the words that blockers' lists look for.
func TestNamesAreNeutral(t *testing.T) {
	t.Parallel()
	for _, word := range []string{"donat", "banner", "popup", "promo", "sponsor", "track", "analytic", "fundrais", "paywall"} {
		if bytes.Contains(bytes.ToLower(embed.Script), []byte(word)) {
			t.Errorf("the script has %q", word)
		}
	}
}

func TestScriptAddresses(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	v := decode(t, get(t, b.Embed, "/v1/embed"))
	pinned, _ := dig(v, "script", "pinned_url").(string)
	if pinned != "https://support.example"+b.PinnedPath() || !regexp.MustCompile(`^/v1/support\.[0-9a-f]{16}\.js$`).MatchString(b.PinnedPath()) {
		t.Errorf("the pinned address is %s", pinned)
	}
	copied := get(t, b.PinnedScript, b.PinnedPath())
	sum := sha512.Sum384(copied.Body.Bytes())
	if want := "sha384-" + base64.StdEncoding.EncodeToString(sum[:]); dig(v, "script", "integrity") != want {
		t.Errorf("integrity is %v, want %s", dig(v, "script", "integrity"), want)
	}
	if got := copied.Header().Get("Cache-Control"); !strings.Contains(got, "immutable") {
		t.Errorf("the pinned script may be kept %q", got)
	}
	latest := get(t, b.Script, "/v1/support.js")
	if !bytes.Equal(latest.Body.Bytes(), copied.Body.Bytes()) || strings.Contains(latest.Header().Get("Cache-Control"), "immutable") {
		t.Error("the latest script is another one, or immutable")
	}
}

// The contract's snippet, with this service's address.
const contractSnippet = `<u24-support article="uk-defense-secretary-troops" placement="mid">
  <a href="https://support.example/support?article=uk-defense-secretary-troops&placement=mid">We bring you stories from the ground. Your support keeps our team in the field. <b>Donate now</b></a>
</u24-support>
<script async src="https://support.example/v1/support.js"></script>`

func TestSnippetIsTheContracts(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	if got := dig(decode(t, get(t, b.Embed, "/v1/embed")), "snippet", "mid"); got != contractSnippet {
		t.Errorf("the snippet is\n%s\nwant\n%s", got, contractSnippet)
	}
	page := get(t, b.Example, "/").Body.String()
	element, script, _ := strings.Cut(contractSnippet, "\n<script")
	if strings.Count(page, element) != 1 || strings.Count(page, "<script"+script) != 1 {
		t.Error("the example article does not embed mid as the contract says")
	}
	if !strings.Contains(page, ">Support UNITED24 Media Team. Your donation powers frontline reporting from Ukraine. United, we tell the war as it is. <b>") {
		t.Error("the example article lacks the text of end")
	}
	if !strings.Contains(page, "Sandbox: no money moves") || !strings.Contains(page, ReserveCSS) {
		t.Error("the example article does not say that it is one, or reserves no height")
	}
}

func TestExamplePolicyCoversItsStyle(t *testing.T) {
	t.Parallel()
	w := get(t, newBench(t).Example, "/?lang=uk&country=ch&lang=%3Cb%3E")
	_, rest, _ := strings.Cut(w.Body.String(), "<style>")
	style, _, _ := strings.Cut(rest, "</style>")
	sum := sha256.Sum256([]byte(style))
	policy := w.Header().Get("Content-Security-Policy")
	if want := "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"; !strings.Contains(policy, want) || strings.Contains(policy, "unsafe") {
		t.Errorf("the policy is %q, and the style's hash %s", policy, want)
	}
	if body := w.Body.String(); !strings.Contains(body, `placement="mid" lang="uk" country="CH">`) {
		t.Error("the language and the country do not reach the asks")
	}
}

func TestPicture(t *testing.T) {
	t.Parallel()
	b := newBench(t, counted("all", 1234, 1, 1), counted("article:troops", 1, 1, 1))
	for query, want := range map[string]string{
		"":                        "1,234 supporters",
		"?article=troops&lang=uk": "1 людина підтримує нас",
		"?campaign=none":          "Support UNITED24 Media",
		"?theme=dark&lang=pl":     "1234 osoby nas wspierają",
	} {
		w := get(t, b.Picture, "/v1/supporters.svg"+query)
		text := ""
		for d := xml.NewDecoder(w.Body); ; {
			token, err := d.Token()
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Fatalf("%q: %v", query, err)
			}
			if e, ok := token.(xml.StartElement); ok && e.Name.Local == "title" {
				if err := d.DecodeElement(&text, &e); err != nil {
					t.Fatal(err)
				}
			}
		}
		if text != want || w.Header().Get("Content-Type") != "image/svg+xml; charset=utf-8" {
			t.Errorf("%q says %q as %s, want %q", query, text, w.Header().Get("Content-Type"), want)
		}
	}
}
