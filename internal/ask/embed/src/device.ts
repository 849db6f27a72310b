// What is kept on the device: moments, by what happened, and one random number.
// That the reader hid an ask is kept because they wanted it; the rest needs
// consent. Storage may be forbidden; then it holds for this page view.

const dayMs = 24 * 3600 * 1000;
const here: Record<string, number[]> = {};

export function kept(what: string): number[] {
  try {
    return [...JSON.parse(localStorage.getItem("u24-support:" + what)!)]; // nothing, or no list, throws
  } catch {
    return here[what] || [];
  }
}

export function keep(what: string, numbers: number[]) {
  here[what] = numbers;
  try {
    if (numbers.length) localStorage.setItem("u24-support:" + what, JSON.stringify(numbers));
    else localStorage.removeItem("u24-support:" + what);
  } catch {
    // See above.
  }
}

export function lately(what: string, days: number): number {
  return kept(what).filter((moment) => moment > Date.now() - days * dayMs).length;
}

const visitor = crypto.getRandomValues(new Uint32Array(1))[0];

// share returns where this device, or this page view, lies in an experiment:
// evenly from 0 to 1, always the same, and unlike its place in another one.
export function share(experiment: string, mayStore: boolean): number {
  let id = visitor;
  if (mayStore) {
    id = kept("id")[0] || visitor;
    keep("id", [id]);
  }
  let hash = 0x811c9dc5; // FNV-1a
  for (const letter of id + experiment) hash = Math.imul(hash ^ letter.codePointAt(0)!, 0x01000193);
  return (hash >>> 0) / 2 ** 32;
}
