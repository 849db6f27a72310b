import type { Placement } from "./answer";
import { levels, type Level } from "./policy";

// levelAt returns how a placement asks at a moment, in milliseconds since 1970:
// the device compares with its own clock, so that an answer that a cache kept too
// long is still right.
export function levelAt(placed: Placement, now: number): Level | undefined {
  const level = placed.schedule?.filter((p) => !p.from || Date.parse(p.from) <= now).pop()?.show || placed.level;
  return levels.find((l) => l === level || l === placed.show); // the lesser of the two
}
