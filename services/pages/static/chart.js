// Draws the table of months as a chart: what stands in the rows is all it knows.
"use strict";
(() => {
  const table = document.getElementById("months");
  const place = document.getElementById("chart");
  const rows = [...table.tBodies[0].rows].reverse();
  const numbers = name => rows.map(row => Number(row.dataset[name]));
  const months = rows.map(row => Date.parse(row.dataset.month) / 1000);
  // A single month is a point: let it begin with nothing the month before.
  const first = new Date(months[0] * 1000);
  months.unshift(Date.UTC(first.getUTCFullYear(), first.getUTCMonth() - 1, 1) / 1000);
  const data = [months, [0, ...numbers("releases")], [0, ...numbers("badges")]];
  // And what was reached lasts until today.
  if (Date.now() / 1000 > months.at(-1)) data.forEach((row, at) => row.push(at ? row.at(-1) : Math.floor(Date.now() / 1000)));
  const heads = [...table.tHead.rows[0].cells].map(cell => cell.textContent);
  const language = document.documentElement.lang;
  const written = new Intl.NumberFormat(language);
  const monthOf = new Intl.DateTimeFormat(language, { month: "short", year: "numeric", timeZone: "UTC" });
  const yearOf = new Intl.DateTimeFormat(language, { year: "numeric", timeZone: "UTC" });
  const night = matchMedia("(prefers-color-scheme: dark)");
  let chart = null;

  function draw() {
    const style = getComputedStyle(document.documentElement);
    const colour = name => style.getPropertyValue(name).trim();
    const [ink, line, one, other] = ["--soft", "--line", "--accent", "--platinum"].map(colour);
    const font = `12px ${getComputedStyle(document.body).fontFamily}`;
    const stepped = uPlot.paths.stepped({ align: 1 });
    const years = (months.at(-1) - months[0]) / 31_557_600;
    const axis = { stroke: ink, font, grid: { stroke: line, width: 1 }, ticks: { show: false } };
    const value = (self, number) => number == null ? "–" : written.format(number);
    chart?.destroy();
    chart = new uPlot({
      width: place.clientWidth,
      height: Math.max(220, Math.min(360, place.clientWidth * 0.45)),
      tzDate: seconds => uPlot.tzDate(new Date(seconds * 1000), "Etc/UTC"),
      cursor: { y: false, points: { size: 8 } },
      scales: { x: { time: true }, r: { range: (self, low, high) => [0, Math.max(5, high * 1.08)] }, b: { range: (self, low, high) => [0, Math.max(5, high * 1.08)] } },
      series: [
        { label: heads[0], value: (self, seconds) => seconds == null ? "–" : monthOf.format(seconds * 1000) },
        { label: heads[1], scale: "r", stroke: one, fill: one + "1f", width: 2.5, paths: stepped, points: { show: false }, value },
        { label: heads[2], scale: "b", stroke: other, width: 2.5, dash: [7, 5], paths: stepped, points: { show: false }, value },
      ],
      axes: [
        { ...axis, space: 70, values: (self, ticks) => ticks.map(at => (years > 4 ? yearOf : monthOf).format(at * 1000)).map((said, at, all) => said === all[at - 1] ? "" : said) },
        { ...axis, scale: "r", size: 56, stroke: one, values: (self, ticks) => ticks.map(at => Number.isInteger(at) ? written.format(at) : "") },
        { ...axis, scale: "b", size: 48, side: 1, stroke: other, grid: { show: false }, values: (self, ticks) => ticks.map(at => Number.isInteger(at) ? written.format(at) : "") },
      ],
    }, data, place);
  }

  place.hidden = false;
  place.setAttribute("aria-hidden", "true"); // the table says the same
  document.getElementById("numbers").open = false;
  draw();
  night.addEventListener("change", draw);
  let asked = 0;
  new ResizeObserver(() => {
    cancelAnimationFrame(asked);
    asked = requestAnimationFrame(() => { if (chart.width !== place.clientWidth) draw(); });
  }).observe(place);
})();
