// What makes the pages smoother; everything works without it.
"use strict";

// A part of a page that could not be had: the whole page says why.
document.addEventListener("htmx:responseError", (event) => {
  location.assign(event.detail.pathInfo.finalRequestPath);
});
