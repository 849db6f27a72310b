// Makes the support form nicer; it works whole without this.
const form = document.querySelector("[data-give]");

if (form) {
  const show = form.querySelector("[data-show]");
  const submit = form.querySelector("[data-submit]");
  show.hidden = true;

  // A shared address must not share the gift: the attempt stays in the form.
  const here = new URL(location.href);
  if (here.searchParams.has("attempt")) {
    here.searchParams.delete("attempt");
    history.replaceState(history.state, "", here);
  }

  // Another currency has other amounts: the server knows them.
  const showAmounts = async () => {
    const data = new URLSearchParams(new FormData(form));
    data.set("show", "1");
    try {
      const answer = await fetch(form.action, { method: "POST", body: data });
      if (!answer.ok) throw new Error(answer.status);
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      for (const part of ["[data-amounts]", "[name=shown]"]) {
        form.querySelector(part).replaceWith(page.querySelector(`[data-give] ${part}`));
      }
    } catch {
      form.requestSubmit(show);
    }
  };
  form.querySelector("[data-currency]").addEventListener("change", showAmounts);

  form.addEventListener("change", (event) => {
    if (event.target.matches(".choice-own")) {
      event.target.closest(".amounts").querySelector(".own input").focus();
    }
  });

  // One press is enough; the server would make one gift of two all the same.
  form.addEventListener("submit", (event) => {
    if (event.submitter === show) return;
    if (submit.getAttribute("aria-busy") === "true") event.preventDefault();
    submit.setAttribute("aria-busy", "true");
    setTimeout(() => submit.removeAttribute("aria-busy"), 15000);
  });
  addEventListener("pageshow", () => submit.removeAttribute("aria-busy"));
}

// What went wrong is read and seen first.
const problems = document.querySelector("#problems");
if (problems) {
  problems.tabIndex = -1;
  problems.focus();
}
