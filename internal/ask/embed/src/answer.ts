// What GET /v1/ask answers. Every text is ready to show: the server chose the
// language, the plural and the money format.

import type { Level } from "./policy";

export type Interval = "once" | "month" | "year";

export interface Suggestion {
  amount: string; // major units with a point, as /support takes it
  text: string; // for people: "€10"
}

export interface Goal {
  name: string;
  percent: number; // whole, 0 and up; over 100 once the goal is passed
  text: string;
  note?: string;
}

export interface Placement {
  level: Level;
  schedule?: { from: string | null; show: Level }[]; // where the level changes with time
  text: string;
  lead: string; // the part of text that is set strongly; text starts with it
  action: string;
  token: string;
  experiment?: string;
  variants?: Variant[];
  name?: string; // of the variant that was chosen
  show?: Level; // what that shows at most
}

// A Variant takes the place of what a placement says.
export interface Variant {
  name: string;
  weight: number;
  show?: Level;
  text: string;
  lead: string;
  action: string;
  token: string;
}

export interface Answer {
  show: boolean;
  late?: boolean; // a cache answered in the service's place, and long after it
  lang: string;
  dir: string;
  support_url: string;
  currency: string;
  interval: Interval;
  currencies: { code: string; name: string; symbol: string; digits: number }[];
  intervals: { interval: Interval; text: string; give: string }[];
  amounts: Record<string, Record<Interval, Suggestion[]>>;
  preset: Record<string, Record<Interval, number>>; // which suggestion is chosen at first
  counts: { text: string };
  goal: Goal | null;
  labels: Record<
    "region" | "interval" | "amount" | "other" | "own" | "currency" | "invalid" | "hide" | "hidden" | "undo",
    string
  >;
  placements?: Record<string, Placement>; // none where nothing shows, now and later
}
