// The page's own policy may forbid inline styles and markup from strings, so
// every node is made one by one.

type Child = Node | string | null | undefined | false;

// make returns a new element with attributes (those with false or no value
// are left out) and children.
export function make<T extends keyof HTMLElementTagNameMap>(
  tag: T,
  attributes: Record<string, string | number | boolean | undefined>,
  ...children: Child[]
): HTMLElementTagNameMap[T] {
  const element = document.createElement(tag);
  for (const name in attributes) {
    const value = attributes[name];
    if (value !== undefined && value !== false) element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(...(children.filter(Boolean) as (Node | string)[]));
  return element;
}
