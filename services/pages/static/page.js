// What makes the pages smoother; everything works without it.
"use strict";

// A part of a page that could not be had: the whole page says why. What was sent is seen on the page as it is now.
document.addEventListener("htmx:responseError", (event) => {
  const { requestConfig, pathInfo } = event.detail;
  if (requestConfig.verb === "get") location.assign(pathInfo.finalRequestPath);
  else location.reload();
});
