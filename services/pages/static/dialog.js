// A link to a badge opens it over the page, under its own address; Back and Escape close it.
// Without this the link leads to a page of the same content.
"use strict";
(() => {
  const place = document.getElementById("dialog");
  const title = document.title;
  let opener = null;

  const shown = () => place.querySelector("dialog");

  async function open(link) {
    const again = shown() !== null;
    const address = link.href;
    // Not by htmx: it would follow a refusal to the form that signs in, while we leave for the page of the badge.
    const answer = await fetch(address, { headers: { "HX-Request": "true" } }).catch(() => null);
    if (!answer?.ok) {
      location.assign(address); // whatever went wrong, its page says it
      return;
    }
    place.innerHTML = await answer.text();
    htmx.process(place);
    const dialog = shown();
    const heading = dialog.querySelector("h1");
    history[again ? "replaceState" : "pushState"]({ dialog: true }, "", address);
    document.title = heading.textContent.trim().replace(/\s+/g, " ") + title.slice(title.lastIndexOf(" · "));
    if (!again) opener = link;
    dialog.addEventListener("cancel", event => { event.preventDefault(); history.back(); });
    // Escape, twice, closes without asking.
    dialog.addEventListener("close", () => { if (dialog.isConnected) history.back(); });
    dialog.addEventListener("click", event => {
      if (event.target === dialog || event.target.closest("[data-close]")) { event.preventDefault(); history.back(); }
    });
    dialog.showModal();
    heading.focus();
  }

  document.addEventListener("click", event => {
    const link = event.target.closest("a[href^='/me/badges/']");
    if (!link || link.closest("article.detail") || event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    open(link);
  });

  // Before htmx hears of it: the page under the dialog is the one to go back to, and it is still there.
  addEventListener("popstate", event => {
    const dialog = shown();
    if (event.state?.dialog) {
      location.reload();
    } else if (dialog) {
      event.stopImmediatePropagation();
      dialog.close();
      place.replaceChildren();
      document.title = title;
      opener?.focus();
    }
  });
})();
