// Made of internal/policy/schema.json: run go generate ./internal/ask/embed.

// How an ask shows, from the least.
export const levels = ["none", "quiet", "normal"] as const;
export type Level = (typeof levels)[number];

// What of an element's attributes is part of the question, in the order the
// address has them, so that every page of a site makes the same address.
export const asked = ["article", "lang", "section", "tags", "country", "campaign", "sensitivity"] as const;
