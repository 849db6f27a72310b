// The embed script asks here as it does in an article, and the page answers
// with what the draft says. Nothing leaves it.
const answer = document.getElementById("answer").textContent;
window.fetch = (address) =>
  Promise.resolve(
    new URL(address).pathname.endsWith("/ask")
      ? new Response(answer, { headers: { "Content-Type": "application/json" } })
      : new Response(null, { status: 204 }),
  );
addEventListener("click", (event) => {
  if (event.composedPath().some((node) => node.tagName === "A")) event.preventDefault();
});
