// The <u24-support> element: it turns the plain link inside it into an ask
// with choices. Until it has all it needs, and whenever it can't have it, the
// link stays as the page wrote it.

import type { Answer, Placement } from "./answer";
import { ask, forget, signal } from "./data";
import { fullCard, hiddenCard, quietCard, type Card, type Choice } from "./card";
import { keep, kept, lately, share } from "./device";
import { levelAt } from "./level";
import { asked, type Level } from "./policy";
import css from "./ask.css";

const seenAfterMs = 250;
const seenShare = 0.5;
const nearMargin = "100% 0px"; // one screen ahead of the reader
const hiddenDays = 30;
const quietDaysAfterGiving = 90;
const seenDays = 30;
const seenCap = 4; // loud asks in seenDays

// What the address ends with when a reader comes back from the thanks page.
const thanked = "#u24-support-thanks";

// A variant that the page's address names is shown and not counted.
const forced = new URLSearchParams(location.search).get("u24-variant");

let sheet: CSSStyleSheet;
const elements = new Set<Support>();

class Support extends HTMLElement {
  static observedAttributes = [...asked, "placement"];

  #root = this.attachShadow({ mode: "open" });
  #answer?: Answer;
  #placed!: Placement; // of #answer, in the variant for this reader
  #card?: Card;
  #quiet = false;
  #run = 0; // counts up whenever an answer under way is no longer wanted
  #stop: (() => void)[] = [];
  seen = false;
  inView = false;

  constructor() {
    super();
    sheet ||= styles();
    this.#root.adoptedStyleSheets = [sheet];
    this.#plain();
  }

  connectedCallback() {
    elements.add(this);
    this.#begin();
  }

  disconnectedCallback() {
    elements.delete(this);
    this.#end();
  }

  attributeChangedCallback(_name: string, old: string | null, now: string | null) {
    if (!this.isConnected || old === now || !elements.has(this)) return;
    this.#end();
    this.#plain();
    this.#begin();
  }

  // refresh takes newer counts and a token of this hour, after the reader came
  // back to a page that the browser had kept.
  async refresh() {
    if (!this.#card) return;
    const answer = await ask(this).catch(() => undefined);
    if (!answer?.placements?.[this.placement] || !this.#card) return;
    this.#answer = answer;
    this.#take(answer);
    this.#card.refresh(answer);
  }

  // calm makes this ask the quiet one, unless the reader is looking at it.
  calm() {
    if (this.#card && !this.#quiet && !this.seen && !this.inView) this.#show();
  }

  get placement() {
    return this.getAttribute("placement") || "";
  }

  #begin() {
    const run = ++this.#run;
    const start = () => {
      ready.disconnect();
      if (run === this.#run) void this.#load(run);
    };
    const ready = watch(this, { rootMargin: nearMargin }, (entry) => entry.isIntersecting && start());
    this.#stop.push(() => ready.disconnect());
    window.requestIdleCallback?.(() => run === this.#run && !this.#answer && start());
  }

  #end() {
    this.#run++;
    this.#stop.forEach((stop) => stop());
    this.#stop = [];
    this.#answer = this.#card = undefined;
    this.seen = this.inView = false;
  }

  async #load(run: number) {
    await activated();
    if (run !== this.#run || this.#answer) return;
    let answer: Answer | undefined;
    try {
      answer = await ask(this);
    } catch {
      // The plain link stays.
    }
    if (run !== this.#run || this.#answer) return;
    const level = answer && this.#take(answer);
    if (level === "none") this.#root.replaceChildren(); // staff's word: not even the link
    if (!level || level === "none") {
      this.#shrink();
      return;
    }
    this.#answer = answer;
    if (location.hash === thanked && this.#mayStore()) keep("gave", [Date.now()]);
    this.#show();
    this.#observe();
  }

  // #take reads an answer for this element and returns how it asks now; nothing
  // for a placement that the service does not know, whose plain link stays.
  #take({ placements }: Answer): Level | undefined {
    if (!placements) return "none";
    let placed = placements[this.placement];
    if (!placed) return;
    const { variants, experiment } = placed;
    if (variants) {
      let place = share(experiment!, this.#mayStore()) * variants.reduce((sum, v) => sum + v.weight, 0);
      placed = { ...placed, ...(variants.find((v) => v.name === forced) || variants.find((v) => (place -= v.weight) < 0)) };
    }
    this.#placed = placed;
    return levelAt(placed, Date.now());
  }

  #plain() {
    this.removeAttribute("quiet");
    this.style.minBlockSize = "";
    this.#root.replaceChildren(document.createElement("slot"));
  }

  #show() {
    const answer = this.#answer!;
    const parts = {
      answer,
      placement: this.#placed,
      link: (choice: Choice | null) => this.#link(choice),
      clicked: (choice: Choice | null) => this.#tell("clicked", { ...choice }),
      hide: () => this.#hide(),
    };
    this.#quiet = this.#calmly();
    this.#card = this.#quiet ? quietCard(parts) : fullCard(parts);
    this.toggleAttribute("quiet", this.#quiet);
    this.#root.replaceChildren(this.#card.root);
    if (this.#quiet) this.#shrink();
  }

  // #calmly says whether to ask quietly: staff want it, the answer may be out of
  // date, the reader gave or hid an ask lately or saw many, or was or is reading
  // another of this page.
  #calmly() {
    const answer = this.#answer!;
    if (answer.late || this.#take(answer) === "quiet") return true;
    if (location.hash === thanked || lately("hidden", hiddenDays)) return true;
    if (this.#mayStore() && (lately("gave", quietDaysAfterGiving) || lately("seen", seenDays) >= seenCap)) return true;
    return this.placement === "end" && [...elements].some((e) => e.placement === "mid" && e !== this && (e.seen || e.inView));
  }

  // #mayStore says whether the site has the reader's consent to keep, on the
  // device alone, when asks were seen and that something was given.
  #mayStore() {
    return this.getAttribute("storage") === "allowed";
  }

  #hide() {
    keep("hidden", [Date.now()]);
    const card = hiddenCard(this.#answer!, () => {
      keep("hidden", []);
      this.style.minBlockSize = "";
      this.#show();
      this.#root.querySelector<HTMLElement>(".give")?.focus();
    });
    this.style.minBlockSize = "0";
    this.#root.replaceChildren(card);
    card.querySelector("button")!.focus();
    this.#tell("closed");
  }

  // #shrink gives back the height that the page reserved, where nothing that
  // the reader sees would move.
  #shrink() {
    if (this.getBoundingClientRect().top >= innerHeight) this.style.minBlockSize = "0";
  }

  #observe() {
    let timer = 0;
    const look = watch(this, { threshold: [0, seenShare] }, (entry) => {
      this.inView = entry.isIntersecting;
      clearTimeout(timer);
      // An ask taller than the screen is seen once it fills half of that.
      const half = entry.intersectionRatio >= seenShare || entry.intersectionRect.height >= innerHeight * seenShare;
      if (!this.seen && entry.isIntersecting && half) timer = window.setTimeout(() => this.#wasSeen(), seenAfterMs);
    });
    this.#stop.push(() => (look.disconnect(), clearTimeout(timer)));
  }

  #wasSeen() {
    this.seen = true;
    if (!this.#quiet && this.#mayStore()) keep("seen", [...kept("seen"), Date.now()].slice(-seenCap));
    this.#tell("shown");
    if (this.placement === "mid") elements.forEach((e) => e.placement === "end" && e.calm());
  }

  #link(choice: Choice | null): string {
    const answer = this.#answer!;
    const url = new URL(answer.support_url);
    const set = (name: string, value: string | null) => value && url.searchParams.set(name, value);
    new URLSearchParams(location.search).forEach((value, name) => name.startsWith("utm_") && set(name, value));
    set("article", this.getAttribute("article"));
    set("placement", this.placement);
    set("campaign", this.getAttribute("campaign"));
    set("lang", answer.lang);
    set("return_url", location.href.split("#")[0] + thanked);
    if (choice) {
      set("amount", choice.amount);
      set("interval", choice.interval);
      set("currency", choice.currency);
    }
    set("variant", this.#placed.name || null);
    set("token", this.#placed.token);
    return url.href;
  }

  #tell(what: string, more: object = {}) {
    const detail = { article: this.getAttribute("article"), placement: this.placement, variant: this.#placed.name, quiet: this.#quiet, ...more };
    this.dispatchEvent(new CustomEvent("u24-support:" + what, { bubbles: true, composed: true, detail }));
    if (!forced) signal(what === "shown" ? "seen" : what, this.#placed.token);
  }
}

// watch observes one element; the browser's own answer comes last in a batch.
function watch(element: Element, options: IntersectionObserverInit, changed: (entry: IntersectionObserverEntry) => void) {
  const observer = new IntersectionObserver((entries) => changed(entries[entries.length - 1]), options);
  observer.observe(element);
  return observer;
}

// activated waits until a page that was loaded ahead is really opened.
function activated(): Promise<unknown> | undefined {
  const page = document as Document & { prerendering?: boolean };
  if (page.prerendering) return new Promise((done) => page.addEventListener("prerenderingchange", done, { once: true }));
}

function styles(): CSSStyleSheet {
  const made = new CSSStyleSheet();
  made.replaceSync(css);
  return made;
}

if ("adoptedStyleSheets" in document && document.currentScript && !customElements.get("u24-support")) {
  customElements.define("u24-support", Support);
  addEventListener("pageshow", (event) => {
    if (!event.persisted) return;
    forget();
    elements.forEach((e) => void e.refresh());
  });
}
