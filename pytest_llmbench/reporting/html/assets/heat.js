// A task's column of the heat map opens into one column for each of its rubric points.

const openTask = (data, heading, button) => {
  const place = Number(heading.dataset.task);
  const table = heading.closest("table");
  const open = button.getAttribute("aria-expanded") === "true";
  button.setAttribute("aria-expanded", String(!open));
  if (open) {
    for (const cell of table.querySelectorAll(`[data-part="${place}"]`)) cell.remove();
    return;
  }
  const { criteria } = data.tasks[place];
  const heads = criteria.map(({ id, title }) =>
    make("th", { scope: "col", class: "part", "data-part": place, title }, make("span", {}, id)));
  const column = heading.cellIndex;
  heading.after(...heads);
  for (const row of table.tBodies[0].rows) {
    const points = data.heat[Number(row.dataset.row)][place];
    const cell = row.cells[column];
    const link = cell.querySelector("a");
    const parts = criteria.map((criterion, number) => {
      const [text, shade, words] = points?.[number] ?? ["–", "none", "not asked"];
      const label = `${row.dataset.model}, ${criterion.id}: ${words}`;
      const inside = link
        ? make("a", { href: link.getAttribute("href"), "aria-label": label, title: words, "data-point": criterion.id }, text)
        : make("span", {}, text);
      return make("td", { class: `cell part ${shade}`, "data-part": place }, inside);
    });
    cell.after(...parts);
  }
};

const startHeat = (data) => {
  [...byId("heat-table").tBodies[0].rows].forEach((row, number) => { row.dataset.row = number; });
  for (const button of document.querySelectorAll("#heat-table .opens")) {
    button.disabled = false;
    button.addEventListener("click", () => openTask(data, button.closest("th"), button));
  }
};
