"use strict";
(() => {
  const specs = JSON.parse(document.getElementById("charts").textContent);
  const places = [...document.querySelectorAll("[data-chart]")];
  const views = new Map();
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];

  /* What the switches say now, as the signals of charts that know them. */
  function signals() {
    const found = { hiddenDesigns: [], hiddenSources: [] };
    for (const box of all("[data-hides]")) {
      if (!box.checked) found[box.dataset.hides].push(box.value);
    }
    for (const radio of all("input[name=by]:checked, input[name=view]:checked")) {
      found[radio.name] = radio.value;
    }
    return found;
  }

  async function tell(view, found) {
    const known = view.getState().signals;
    for (const [name, value] of Object.entries(found)) {
      if (name in known) view.signal(name, value);
    }
    await view.runAsync();
  }

  async function draw(place) {
    if (views.has(place)) return;
    views.set(place, null);
    const spec = specs[Number(place.dataset.chart)];
    try {
      const made = await vegaEmbed(place, spec, { actions: false, renderer: "svg", ast: true });
      views.set(place, made.view);
      await tell(made.view, signals());
      place.dataset.drawn = "";
    } catch (error) {
      place.textContent = "This chart could not be drawn: " + error.message;
      place.classList.add("failed");
      throw error;
    }
  }

  /* First what is looked at, then one after the other what is left, so that printing has it all. */
  const rest = places.slice();
  function next() {
    const place = rest.shift();
    if (!place) return document.documentElement.setAttribute("data-ready", "");
    draw(place).finally(() => setTimeout(next));
  }
  next();

  document.addEventListener("change", (event) => {
    const input = event.target;
    if (input.name === "theme") {
      if (input.value === "auto") delete document.documentElement.dataset.theme;
      else document.documentElement.dataset.theme = input.value;
      return;
    }
    if (input.name === "by") {
      for (const list of all(".parts")) list.hidden = list.dataset.by !== input.value;
    }
    if (input.closest(".counts")) {
      const drawing = input.closest("figure").querySelector(".machine");
      for (const cpu of all(".cpu", drawing)) {
        cpu.classList.toggle("idle", Number(cpu.dataset.cpu) >= Number(input.value));
      }
      return;
    }
    const found = signals();
    for (const figure of all("[data-design]")) {
      figure.hidden = found.hiddenDesigns.includes(figure.dataset.design);
    }
    for (const view of views.values()) if (view) tell(view, found);
  });

  /* Figures sort by their number, words as words, what is absent last. */
  function compare(at, down) {
    const sign = down ? -1 : 1;
    return (one, other) => {
      const [a, b] = [one.cells[at], other.cells[at]];
      const [x, y] = [a.dataset.number, b.dataset.number];
      if (x === undefined || y === undefined) {
        if (x !== y) return x === undefined ? 1 : -1;
        return sign * a.textContent.localeCompare(b.textContent);
      }
      return sign * (Number(x) - Number(y));
    };
  }

  async function copy(button) {
    const words = (cell) => cell.textContent.replace(/\s+/g, " ");
    const rows = all("tr", button.closest(".table")).map((row) => [...row.cells].map(words));
    const text = rows.map((row) => row.join("\t")).join("\n");
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      const area = document.body.appendChild(document.createElement("textarea"));
      area.value = text;
      area.select();
      document.execCommand("copy");
      area.remove();
    }
    button.dataset.copied = text;
    button.textContent = "Copied";
    button.focus();
  }

  document.addEventListener("click", (event) => {
    const head = event.target.closest("th");
    if (event.target.closest(".copy")) return void copy(event.target.closest(".copy"));
    if (!head) return;
    const down = head.getAttribute("aria-sort") === "ascending";
    for (const other of head.parentElement.cells) other.setAttribute("aria-sort", "none");
    head.setAttribute("aria-sort", down ? "descending" : "ascending");
    const body = head.closest("table").tBodies[0];
    body.append(...[...body.rows].sort(compare(head.cellIndex, down)));
  });
})();
