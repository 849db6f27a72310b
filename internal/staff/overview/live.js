// Asks every second or so whether the sums have changed and, when they have,
// takes what is marked data-live from a fresh copy of the page. What somebody
// has opened stays open, and focus where it was; without this script the page is as old as its load.
const root = document.querySelector("[data-pulse]");
const pause = 1200; // milliseconds

async function look() {
  if (!document.hidden) {
    const answer = await fetch(root.dataset.pulse, { headers: { Accept: "text/plain" } });
    const beat = answer.ok ? await answer.text() : root.dataset.beat;
    if (beat !== root.dataset.beat) await renew(beat);
  }
}

async function renew(beat) {
  const answer = await fetch(location.href, { headers: { Accept: "text/html", "Support-Live": "1" } });
  if (!answer.ok) return;
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  for (const old of document.querySelectorAll("[data-live]")) {
    const now = fresh.querySelector(`[data-live="${old.dataset.live}"]`);
    if (!now) continue;
    const opened = [...old.querySelectorAll("details")].map((d) => d.open);
    const held = focusable(old).indexOf(document.activeElement);
    old.replaceChildren(...now.childNodes);
    [...old.querySelectorAll("details")].forEach((d, i) => (d.open = opened[i] ?? false));
    if (held >= 0) focusable(old)[held]?.focus({ preventScroll: true });
  }
  root.dataset.beat = beat;
}

const focusable = (part) => [...part.querySelectorAll("a, button, input, summary, [tabindex]")];

async function run() {
  for (;;) {
    await new Promise((done) => setTimeout(done, pause));
    await look().catch(() => {}); // the next one may be answered
  }
}

if (root) run();
