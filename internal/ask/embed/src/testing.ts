// What tests in Go ask of this source; no part of the script.
export { question } from "./data";
export { share } from "./device";
export { levelAt } from "./level";
