// Makes the support form nicer; it works whole without this.
const form = document.querySelector("[data-give]");

if (form) {
  const show = form.querySelector("[data-show]");
  const submit = form.querySelector("[data-submit]");
  show.hidden = true;

  // A shared address must not share the gift: the attempt stays in the form.
  const here = new URL(location.href);
  if (here.searchParams.has("attempt")) {
    here.searchParams.delete("attempt");
    history.replaceState(history.state, "", here);
  }

  // Another currency has other amounts: the server knows them.
  const showAmounts = async () => {
    const data = new URLSearchParams(new FormData(form));
    data.set("show", "1");
    try {
      const answer = await fetch(form.action, { method: "POST", body: data });
      if (!answer.ok) throw new Error(answer.status);
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      for (const part of ["[data-amounts]", "[name=shown]"]) {
        form.querySelector(part).replaceWith(page.querySelector(`[data-give] ${part}`));
      }
    } catch {
      form.requestSubmit(show);
    }
  };
  form.querySelector("[data-currency]").addEventListener("change", showAmounts);

  form.addEventListener("change", (event) => {
    if (event.target.matches(".choice-own")) {
      event.target.closest(".amounts").querySelector(".own input").focus();
    }
  });

  // While thieves try cards on the form, it has to bring a proof of work, which
  // is mostly done before anybody presses.
  const proof = form.dataset.work
    ? Promise.all([prove(form.elements.attempt.value, Number(form.dataset.work)), challenged(form)])
    : null;

  // One press is enough; the server would make one gift of two all the same.
  form.addEventListener("submit", (event) => {
    if (event.submitter === show) return;
    if (submit.getAttribute("aria-busy") === "true") event.preventDefault();
    submit.setAttribute("aria-busy", "true");
    setTimeout(() => submit.removeAttribute("aria-busy"), 15000);
    if (!proof || form.elements.work.value) return;
    event.preventDefault();
    proof.then(([work]) => {
      form.elements.work.value = work;
      submit.removeAttribute("aria-busy");
      form.requestSubmit(submit);
    });
  });
  addEventListener("pageshow", () => submit.removeAttribute("aria-busy"));
}

// What went wrong is read and seen first.
const problems = document.querySelector("#problems");
if (problems) {
  problems.tabIndex = -1;
  problems.focus();
}

// challenged waits for the answer to a challenge, where the form has one, but
// not for ever: its script may be blocked, and the server says what then.
async function challenged(form) {
  if (!form.querySelector("[data-challenge]")) return;
  const answer = () => form.elements["cf-turnstile-response"]?.value;
  for (let waited = 0; waited < 10000 && !answer(); waited += 200) {
    await new Promise((done) => setTimeout(done, 200));
  }
}

// prove finds a text that, after the ticket and a dot, has a SHA-256 beginning
// with so many zero bits. It leaves the page free to scroll meanwhile.
async function prove(ticket, zeros) {
  const rest = () => new Promise((done) => setTimeout(done));
  for (let tried = 0; ; tried++) {
    const work = tried.toString(36);
    if (Math.clz32(digestStart(`${ticket}.${work}`)) >= zeros) return work;
    if (tried % 1000 === 999) await rest();
  }
}

// digestStart returns the first 32 bits of an ASCII text's SHA-256 (FIPS 180-4).
function digestStart(text) {
  const turn = (x, by) => (x >>> by) | (x << (32 - by));
  const words = new Int32Array((((text.length + 8) >> 6) + 1) * 16);
  for (let i = 0; i <= text.length; i++) {
    words[i >> 2] |= (i < text.length ? text.charCodeAt(i) : 0x80) << (24 - (i % 4) * 8);
  }
  words[words.length - 1] = text.length * 8;
  const { start, steps } = digestStart.tables ??= digestTables();
  const hash = Int32Array.from(start);
  const w = new Int32Array(64);
  for (let block = 0; block < words.length; block += 16) {
    let [a, b, c, d, e, f, g, h] = hash;
    for (let i = 0; i < 64; i++) {
      if (i < 16) {
        w[i] = words[block + i];
      } else {
        const x = w[i - 15];
        const y = w[i - 2];
        w[i] = w[i - 16] + (turn(x, 7) ^ turn(x, 18) ^ (x >>> 3)) + w[i - 7] + (turn(y, 17) ^ turn(y, 19) ^ (y >>> 10));
      }
      const one = (h + (turn(e, 6) ^ turn(e, 11) ^ turn(e, 25)) + ((e & f) ^ (~e & g)) + steps[i] + w[i]) | 0;
      const two = ((turn(a, 2) ^ turn(a, 13) ^ turn(a, 22)) + ((a & b) ^ (a & c) ^ (b & c))) | 0;
      [h, g, f, e, d, c, b, a] = [g, f, e, (d + one) | 0, c, b, a, (one + two) | 0];
    }
    [a, b, c, d, e, f, g, h].forEach((x, i) => (hash[i] += x));
  }
  return hash[0];
}

// digestTables returns SHA-256's constants: the first bits of the fractions of
// the roots of the first primes.
function digestTables() {
  const bits = (x) => ((x - Math.floor(x)) * 2 ** 32) | 0;
  const primes = [];
  for (let n = 2; primes.length < 64; n++) {
    if (primes.every((p) => n % p)) primes.push(n);
  }
  return { start: primes.slice(0, 8).map((p) => bits(p ** (1 / 2))), steps: primes.map((p) => bits(p ** (1 / 3))) };
}
