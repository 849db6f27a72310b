import type { Answer } from "./answer";
import { asked } from "./policy";

const own = document.currentScript as HTMLScriptElement | null;
const timeoutMs = 10_000;
const lateAfter = 60; // seconds in caches; without an error it is a few

const answers = new Map<string, Promise<Answer>>();

// ask returns the answer for an element. All elements of a page that ask the
// same share one request. It carries no cookie and no address of the reader's
// page beyond its origin.
export function ask(element: HTMLElement): Promise<Answer> {
  const url = new URL("ask?" + question(element), own!.src).href;
  let answer = answers.get(url);
  if (!answer) {
    answer = load(url);
    answers.set(url, answer);
    answer.catch(() => answers.delete(url)); // the next element, or visit, may try again
  }
  return answer;
}

// question returns what an element asks, as the address has it.
export function question(element: HTMLElement): URLSearchParams {
  const query = new URLSearchParams();
  for (const name of asked) {
    const value = name === "lang" ? language(element) : element.getAttribute(name);
    if (value) query.set(name, value);
  }
  return query;
}

// forget makes the next ask a new request.
export function forget() {
  answers.clear();
}

async function load(url: string): Promise<Answer> {
  const response = await fetch(url, {
    credentials: "omit",
    cache: "no-cache", // who comes back from giving sees their gift counted; a CDN answers this all the same
    referrerPolicy: "strict-origin",
    signal: AbortSignal.timeout(timeoutMs),
  });
  if (!response.ok) throw response.status;
  const answer: Answer = await response.json();
  answer.late = Number(response.headers.get("Age")) > lateAfter;
  return answer;
}

function language(element: Element): string {
  return element.closest("[lang]")?.getAttribute("lang") || document.documentElement.lang;
}

// A page view has a random number for as long as it is open, and nobody a
// longer one, so that nothing is counted twice.
const view = Array.from(crypto.getRandomValues(new Uint32Array(3)), (n) => n.toString(36)).join("");

// signal tells the service what happened to an ask. Nothing waits for it.
export function signal(kind: string, token: string) {
  fetch(new URL("signals", own!.src), {
    method: "POST",
    body: JSON.stringify({ kind, view, token }), // text/plain, which needs no preflight
    keepalive: true, // the page may be left at this moment
    credentials: "omit",
    referrerPolicy: "strict-origin",
  }).catch(() => {});
}
