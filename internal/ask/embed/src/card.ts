import type { Answer, Interval, Placement, Suggestion } from "./answer";
import { make } from "./dom";

// A Choice is what the reader has picked so far. amount is "" while the own
// amount is empty or can't be read.
export interface Choice {
  interval: Interval;
  currency: string;
  amount: string;
}

export interface Card {
  root: HTMLElement;
  refresh(answer: Answer): void; // newer counts; what the reader chose stays
}

interface Parts {
  answer: Answer;
  placement: Placement;
  link(choice: Choice | null): string; // null: the reader chooses on the support page
  clicked(choice: Choice | null): void;
  hide(): void;
}

// quietCard is the ask for someone who was asked already, or asked not to be:
// the text and a link.
export function quietCard({ answer, placement, link, clicked }: Parts): Card {
  const button = make("a", { part: "button", class: "give", href: link(null), target: target() }, placement.action);
  button.addEventListener("click", () => clicked(null));
  const count = counted(answer);
  const root = frame(answer, "ask quiet", words(placement), make("div", { class: "go" }, button, count));
  return { root, refresh: (newer) => (count.textContent = newer.counts.text) };
}

// fullCard is the ask with its choices: how often, how much, in what currency.
export function fullCard(parts: Parts): Card {
  const { answer, placement, link, clicked, hide } = parts;
  const { labels } = answer;
  const choice: Choice = { interval: answer.interval, currency: answer.currency, amount: "" };
  let picked: Suggestion | undefined;
  let own = false;

  const input = make("input", { part: "own", inputmode: "decimal", autocomplete: "off", "aria-label": labels.own, "aria-describedby": "problem", maxlength: 12, enterkeyhint: "go" });
  const problem = make("p", { class: "problem", id: "problem", role: "alert" });
  const symbol = make("span", { "aria-hidden": true });
  const ownField = make("div", { class: "own", hidden: true }, symbol, input);
  const amounts = make("div", { class: "amounts" });
  const button = make("a", { part: "button", class: "give", target: target() });
  const count = counted(answer);
  const goal = make("div", { class: "goal", part: "goal" });

  const money = () => answer.currencies.find((c) => c.code === choice.currency)!;

  function update() {
    const typed = own ? readAmount(input.value, money().digits) : "";
    choice.amount = own ? typed : picked!.amount;
    const words = answer.intervals.find((i) => i.interval === choice.interval)!;
    button.textContent = own ? placement.action : words.give.replace("{amount}", picked!.text);
    button.href = link(choice.amount ? choice : null);
    ownField.hidden = !own;
    if (!own || typed) complain("");
  }

  function complain(text: string) {
    problem.textContent = text;
    input.setAttribute("aria-invalid", String(!!text));
  }

  function listAmounts() {
    const list = answer.amounts[choice.currency][choice.interval];
    picked = list[answer.preset[choice.currency][choice.interval]] || list[0];
    symbol.textContent = money().symbol;
    amounts.classList.toggle("long", [labels.other, ...list.map((s) => s.text)].some((text) => text.length > 7));
    amounts.replaceChildren(
      ...list.map((s) =>
        option("amount", s.text, !own && s === picked, () => {
          own = false;
          picked = s;
          update();
        }),
      ),
      option("amount", labels.other, own, () => {
        own = true;
        update();
        input.focus();
      }),
    );
    update();
  }

  const intervals = answer.intervals.map((i) =>
    option("interval", i.text, i.interval === choice.interval, () => {
      choice.interval = i.interval;
      listAmounts();
    }),
  );
  const currencies = make(
    "select",
    { part: "currency", "aria-label": labels.currency },
    ...answer.currencies.map((c) => make("option", { value: c.code, selected: c.code === choice.currency }, c.name)),
  );
  currencies.addEventListener("change", () => {
    choice.currency = currencies.value;
    listAmounts();
  });
  input.addEventListener("input", update);
  input.addEventListener("keydown", (event) => {
    if (event.key === "Enter") button.click();
  });
  button.addEventListener("click", (event) => {
    if (own && !choice.amount) {
      event.preventDefault();
      complain(labels.invalid);
      input.focus();
      return;
    }
    clicked(choice);
  });
  const close = make("button", { part: "close", class: "close", type: "button", "aria-label": labels.hide, title: labels.hide });
  close.addEventListener("click", hide);

  const root = frame(
    answer,
    "ask",
    words(placement),
    goal,
    make("fieldset", { part: "intervals", class: "intervals", "aria-label": labels.interval }, ...intervals),
    make("fieldset", { part: "amounts", "aria-label": labels.amount }, amounts, ownField, problem),
    make("div", { class: "go" }, button, currencies, count),
    close,
  );
  listAmounts();
  showGoal(goal, answer);
  return {
    root,
    refresh(newer) {
      count.textContent = newer.counts.text;
      showGoal(goal, newer);
    },
  };
}

// hiddenCard stands where the reader hid an ask: one line, and the way back.
// Focus goes to that, since the button that had it is gone.
export function hiddenCard(answer: Answer, undo: () => void): HTMLElement {
  const button = make("button", { type: "button", class: "undo" }, answer.labels.undo);
  button.addEventListener("click", undo);
  return frame(answer, "ask hid", make("p", {}, answer.labels.hidden + " ", button));
}

// readAmount returns what a reader typed as a plain decimal, or "" if it is
// none or is zero. Whether it is too small or large is the server's to say.
export function readAmount(text: string, digits: number): string {
  const plain = text.replace(/[\s\u00a0\u202f']/g, "").replace(",", ".");
  const decimals = digits ? `(\\.\\d{1,${digits}})?` : "";
  return new RegExp(`^\\d{1,8}${decimals}$`).test(plain) && Number(plain) > 0 ? plain : "";
}

function frame({ lang, dir, labels, support_url }: Answer, kind: string, ...children: Node[]): HTMLElement {
  // A group: a page with two landmarks of one name would be harder to walk.
  return make(
    "div",
    { class: kind, part: "card", role: "group", lang, dir, "aria-label": labels.region },
    ...children,
    make("p", { class: "printed" }, support_url.replace(/^https?:\/\//, "")), // for paper, where nothing can be pressed
  );
}

function words({ text, lead }: Placement): HTMLElement {
  return make("p", { part: "text", class: "text" }, make("strong", {}, lead), text.slice(lead.length));
}

function counted(answer: Answer): HTMLElement {
  return make("p", { part: "count", class: "count" }, answer.counts.text);
}

function option(name: string, text: string, checked: boolean, chosen: () => void): HTMLElement {
  const radio = make("input", { type: "radio", name, checked });
  radio.addEventListener("change", chosen);
  return make("label", { part: name, class: "option" }, radio, make("span", {}, text));
}

function showGoal(place: HTMLElement, { goal }: Answer) {
  place.hidden = !goal;
  if (!goal) return;
  const percent = Math.min(100, goal.percent);
  const fill = make("div", { part: "goal-fill" });
  fill.style.inlineSize = percent + "%";
  const bar = make("div", {
    part: "goal-bar",
    class: "bar",
    role: "progressbar",
    "aria-label": goal.name,
    "aria-valuemin": 0,
    "aria-valuemax": 100,
    "aria-valuenow": percent,
    "aria-valuetext": goal.text,
  }, fill);
  place.replaceChildren(make("p", {}, make("b", {}, goal.name), " ", make("span", {}, goal.text)), bar, goal.note ? make("small", {}, goal.note) : "");
}

// target leaves an iframe that a site may have put the ask in: Stripe's page
// refuses to be framed.
function target(): string | undefined {
  return window.top === window ? undefined : "_top";
}
