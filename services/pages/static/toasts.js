// New badges while the page is open: one toast per family of what was earned together, three at a time.
"use strict";
(() => {
  // The body may be replaced by another one, with another place.
  const place = () => document.getElementById("toasts");
  if (!place()) return;
  const SHOWN_MS = 12_000;
  const known = `gatefold-told ${place().dataset.visitor}`;
  let source = null;
  let failures = 0;
  let retry = 0;

  // A hidden page needs no stream: browsers open few to one host. It goes on from the last number when it is seen again.
  function listen() {
    clearTimeout(retry);
    if (document.visibilityState !== "visible") {
      source?.close();
      source = null;
      return;
    }
    if (source) return;
    const last = sessionStorage.getItem(known);
    source = new EventSource("/api/user/stream" + (last ? `?after=${encodeURIComponent(last)}` : ""));
    source.addEventListener("hello", (event) => {
      failures = 0;
      sessionStorage.setItem(known, event.lastEventId);
    });
    source.addEventListener("awarded", (event) => {
      sessionStorage.setItem(known, event.lastEventId);
      if (place()) show(JSON.parse(event.data));
      changed();
    });
    source.addEventListener("revoked", changed);
    source.addEventListener("error", () => {
      // An interruption it mends by itself. A refusal (signed out, too many pages) is asked about again later.
      if (source?.readyState !== EventSource.CLOSED) return;
      source = null;
      failures += 1;
      retry = setTimeout(listen, Math.min(600, 30 * 2 ** failures) * 1000 * (0.5 + Math.random() / 2));
    });
  }

  // Parts of a page may look again: hx-trigger="gatefold:changed from:body".
  function changed() {
    document.body.dispatchEvent(new CustomEvent("gatefold:changed"));
  }

  function show(digest) {
    for (const badge of digest.badges) add(toast(badge));
    if (digest.more > 0) {
      const { more, moreOne } = place().dataset;
      const text = digest.more === 1 ? moreOne : more.replace("{n}", digest.more);
      add(part("div", "toast plain", part("p", "", link("/me", text))));
    }
  }

  function toast(badge) {
    const { dataset } = place();
    const tier = badge.tier ? (dataset[badge.tier] ?? badge.tier.toUpperCase()) : "";
    const name = tier ? `${badge.name} ${tier}` : badge.name;
    const path = `/me/badges/${encodeURIComponent(badge.id)}`;
    const context = badge.context ? `?context=${encodeURIComponent(badge.context)}` : "";
    const { label, artist, master } = badge.evidence ?? {};
    const words = part("p", "", part("span", "cut", dataset.new), document.createElement("br"), link(path + context, name));
    const earned = label ?? artist ?? master;
    if (badge.context && earned) words.append(part("bdi", "", earned));
    const close = part("button", "", "×");
    close.type = "button";
    close.setAttribute("aria-label", dataset.close.replace("{name}", name));
    const picture = document.createElement("img");
    picture.alt = "";
    picture.width = picture.height = 52;
    if (badge.icon) picture.src = badge.icon;
    const made = part("div", `toast t-${badge.tier ?? "special"}`, picture, words, close);
    close.addEventListener("click", () => remove(made));
    return made;
  }

  // It stays while somebody is at it.
  function add(made) {
    while (place().children.length >= 4) place().firstChild.remove();
    place().append(made);
    let timer = 0;
    const wait = () => { clearTimeout(timer); timer = setTimeout(() => remove(made), SHOWN_MS); };
    const stay = () => clearTimeout(timer);
    for (const kind of ["mouseenter", "focusin"]) made.addEventListener(kind, stay);
    for (const kind of ["mouseleave", "focusout"]) made.addEventListener(kind, wait);
    made.addEventListener("keydown", (event) => { if (event.key === "Escape") remove(made); });
    wait();
  }

  function remove(made) {
    const next = made.contains(document.activeElement) ? made.nextElementSibling ?? made.previousElementSibling : null;
    const fallback = made.contains(document.activeElement) ? document.getElementById("content") : null;
    made.remove();
    (next?.querySelector("a, button") ?? fallback)?.focus();
  }

  // Text stays text, whatever is in it.
  function part(kind, name, ...inside) {
    const made = document.createElement(kind);
    if (name) made.className = name;
    made.append(...inside);
    return made;
  }

  function link(path, text) {
    const made = part("a", "", text);
    made.href = path;
    return made;
  }

  document.addEventListener("visibilitychange", listen);
  // A page that is left frees its stream at once, and has it again when the visitor comes back.
  window.addEventListener("pagehide", () => { source?.close(); source = null; clearTimeout(retry); });
  window.addEventListener("pageshow", listen);
  if (document.readyState === "complete") listen();
})();
