// Sorting by a column's button, and the text filter over everything that has rows of models.

const sortKey = (row, column) => {
  const cell = row.cells[column];
  if (cell.dataset.sort !== undefined) return cell.dataset.sort;
  return row.closest("table").matches(".models") ? null : cell.textContent.trim();
};

const compareKeys = (one, other) => {
  const [a, b] = [Number.parseFloat(one), Number.parseFloat(other)];
  const areNumbers = [one, other].every((key) => key !== "" && !Number.isNaN(Number(key.replace("%", ""))));
  return areNumbers ? a - b : one.localeCompare(other, "en", { numeric: true, sensitivity: "base" });
};

const sortTable = (table, heading) => {
  const column = heading.cellIndex;
  const now = heading.getAttribute("aria-sort");
  // Figures are first asked for from the largest down, ranks and texts from the first up.
  const largestFirst = heading.classList.contains("num") && heading.textContent.trim() !== "rank";
  const order = now === null ? (largestFirst ? "descending" : "ascending") : now === "ascending" ? "descending" : "ascending";
  for (const other of heading.parentElement.cells) other.removeAttribute("aria-sort");
  heading.setAttribute("aria-sort", order);
  const sign = order === "ascending" ? 1 : -1;
  const body = table.tBodies[0];
  const keyed = [...body.rows].map((row) => [sortKey(row, column), row]);
  keyed.sort(([one], [other]) => {
    if (one === null || other === null) return (one === null) - (other === null); // without a figure: last, either way
    return sign * compareKeys(one, other);
  });
  body.append(...keyed.map(([, row]) => row));
};

const startTables = () => {
  for (const table of document.querySelectorAll("table.sortable")) {
    table.tHead.addEventListener("click", (event) => {
      const button = event.target.closest("button");
      if (button) sortTable(table, button.closest("th"));
    });
  }
};

const startFilter = () => {
  const field = byId("filter");
  if (!field) return;
  const texts = new Map();
  for (const row of document.querySelectorAll("tr[data-search]")) texts.set(row.dataset.model, row.dataset.search);
  const rows = [...document.querySelectorAll("tr[data-model]")];
  const apply = () => {
    const words = field.value.toLowerCase().split(/\s+/).filter(Boolean);
    const fits = (model) => words.every((word) => (texts.get(model) ?? model.toLowerCase()).includes(word));
    for (const row of rows) row.hidden = !fits(row.dataset.model);
    const shown = [...texts.keys()].filter(fits).length;
    byId("filter-count").textContent = words.length ? `${shown} of ${texts.size} models` : "";
  };
  field.addEventListener("input", apply);
  apply();
};
