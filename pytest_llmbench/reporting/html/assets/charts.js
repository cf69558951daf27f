// Score against cost, and a model's points per task. Colours come from the style sheet, so light and dark both fit.

const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

const baseOptions = () => ({
  responsive: true,
  maintainAspectRatio: false,
  animation: false,
  color: colour("ink"),
  font: { family: "system-ui, sans-serif" },
});

const axisOptions = (title, more = {}) => ({
  title: { display: title !== "", text: title, color: colour("soft") },
  ticks: { color: colour("soft") },
  grid: { color: colour("line") },
  border: { color: colour("line") },
  ...more,
});

/** The names of the models on the front, written beside their marks. */
const frontNames = {
  id: "frontNames",
  afterDatasetsDraw(chart) {
    const { ctx, chartArea } = chart;
    ctx.save();
    ctx.font = "12px system-ui, sans-serif";
    ctx.fillStyle = colour("ink");
    const taken = [];
    chart.getDatasetMeta(0).data.forEach((mark, number) => {
      const name = chart.data.datasets[0].data[number].model;
      const short = name.length > 28 ? `${name.slice(0, 27)}…` : name;
      const width = ctx.measureText(short).width;
      const x = Math.min(mark.x + 9, chartArea.right - width);
      const y = mark.y < chartArea.top + 16 ? mark.y + 18 : mark.y - 8;
      const box = { x, y, right: x + width, top: y - 13 };
      if (taken.some((other) => box.x < other.right && other.x < box.right && box.top < other.y && other.top < box.y)) return;
      taken.push(box);
      ctx.fillText(short, x, y);
    });
    ctx.restore();
  },
};

const scatterChart = (axis) => {
  const front = axis.places.filter((place) => place.front).sort((one, other) => one.x - other.x || one.y - other.y);
  const others = axis.places.filter((place) => !place.front);
  const label = ({ raw }) => `${raw.model}: ${Number(raw.y.toFixed(2))} points, ${Number(raw.x.toPrecision(4))}${raw.front ? ", on the Pareto front" : ""}`;
  return new Chart(byId("scatter-chart"), {
    type: "scatter",
    data: {
      datasets: [
        { label: "on the Pareto front", data: front, showLine: true, pointStyle: "rectRot", pointRadius: 7, pointHoverRadius: 9,
          borderColor: colour("accent"), backgroundColor: colour("accent"), borderWidth: 1.5, borderDash: [4, 3] },
        { label: "others", data: others, pointStyle: "circle", pointRadius: 4.5, pointHoverRadius: 7,
          borderColor: colour("soft"), backgroundColor: "transparent", borderWidth: 1.5 },
      ],
    },
    options: {
      ...baseOptions(),
      layout: { padding: { top: 8, right: 12 } },
      scales: { x: axisOptions(axis.name, { grace: "8%" }), y: axisOptions("total points", { grace: "8%" }) },
      plugins: {
        legend: { position: "bottom", labels: { usePointStyle: true, color: colour("ink") } },
        tooltip: { callbacks: { label } },
      },
    },
    plugins: [frontNames],
  });
};

const profileChart = (data, model) => {
  const part = (points, number) => (points === null ? null : (100 * points) / (data.tasks[number].points || 1));
  const bars = (name, points, fill, edge) => ({
    label: name, data: points.map(part), backgroundColor: fill, borderColor: edge, borderWidth: 1, maxBarThickness: 16,
  });
  return new Chart(byId("profile-chart"), {
    type: "bar",
    data: {
      labels: data.tasks.map((task) => task.id),
      datasets: [
        bars(model, data.profiles[model], colour("accent"), colour("accent")),
        bars("best of the ranked", data.best, "transparent", colour("soft")),
      ],
    },
    options: {
      ...baseOptions(),
      indexAxis: "y",
      scales: { x: axisOptions("% of the task's points", { min: 0, max: 100 }), y: axisOptions("") },
      plugins: { legend: { position: "bottom", labels: { color: colour("ink"), boxWidth: 12, boxHeight: 12 } } },
    },
  });
};

const profileRows = (data, model) => {
  const figure = (points) => (points === null ? "-" : String(Number(points.toFixed(2))));
  byId("profile-table").tBodies[0].replaceChildren(...data.tasks.map((task, number) => make("tr", {},
    make("th", { scope: "row", class: "text" }, task.id),
    make("td", { class: "num" }, figure(data.profiles[model][number])),
    make("td", { class: "num" }, figure(data.best[number])),
    make("td", { class: "num" }, figure(task.points)))));
};

const startCharts = (data) => {
  const drawn = { scatter: null, profile: null };
  let axis = 0;
  const drawScatter = () => {
    drawn.scatter?.destroy();
    drawn.scatter = scatterChart(data.axes[axis]);
  };
  const select = byId("profile-model");
  const drawProfile = () => {
    drawn.profile?.destroy();
    drawn.profile = profileChart(data, select.value);
    profileRows(data, select.value);
  };
  const draw = () => {
    if (byId("scatter-chart")) drawScatter();
    if (select?.value) drawProfile();
  };
  for (const button of document.querySelectorAll("[data-axis]")) {
    button.addEventListener("click", () => {
      axis = Number(button.dataset.axis);
      for (const other of document.querySelectorAll("[data-axis]")) other.setAttribute("aria-pressed", String(other === button));
      drawScatter();
    });
  }
  select?.addEventListener("change", drawProfile);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
  draw();
};
