// The page of one attempt: a dialog that is filled when it is opened, and has an address of its own.

const SIGNS = { "+": "added", "-": "removed", "@": "place", " ": "same" };

const cutNote = (text) => (text ? make("p", { class: "cut" }, text) : null);

const folded = (summary, open, ...content) => make("details", { open }, make("summary", {}, summary), ...content);

const block = (text) => make("pre", { tabindex: "0" }, make("code", {}, text));

/** Prose and command lines are folded at the edge; code is scrolled. */
const wrapped = (text) => make("div", { class: "wrapped" }, block(text));

const section = (title, ...content) => make("section", {}, make("h3", {}, title), ...content);

const pointRow = (point) => {
  const mark = { earned: "✓", missed: "✗" }[point.outcome] ?? "–";
  const cases = point.cases.filter((each) => each.message || each.evidence);
  const several = point.cases.length > 1;
  const details = cases.map((each) => make("div", { class: "case" },
    several ? make("p", {}, make("b", {}, `case ${each.case || "(only)"}: ${each.outcome}`)) : null,
    each.message ? block(each.message) : null,
    each.evidence ? folded("Command, output and how to run it again", false, block(each.evidence), cutNote(each.evidenceCut)) : null));
  if (!details.length && point.message) details.push(block(point.message));
  return make("tr", { "data-point": point.id, class: point.outcome === "missed" ? "missed" : "" },
    make("td", { class: "outcome" }, `${mark} ${point.outcome}`),
    make("th", { scope: "row", class: "text" }, make("code", {}, point.id), point.kind === "points" ? "" : ` (${point.kind})`,
      point.title ? make("span", { class: "soft" }, point.title) : null,
      several ? make("span", { class: "soft" }, `${point.cases.filter((each) => each.outcome === "earned").length} of ${point.cases.length} cases`) : null,
      ...details),
    make("td", { class: "num" }, point.worth));
};

const pointsTable = (points) => make("div", { class: "scroll" }, make("table", { class: "points" },
  make("caption", {}, "Rubric points, each with what its test said"),
  make("thead", {}, make("tr", {}, ...["outcome", "point", "points"].map((name) => make("th", { scope: "col", class: name === "points" ? "num" : "" }, name)))),
  make("tbody", {}, ...points.map(pointRow))));

const diffTable = (file) => folded(make("span", {}, make("code", {}, file.name), ` – ${file.state}`), true,
  file.lines.length
    ? make("div", { class: "scroll diff", tabindex: "0", role: "region", "aria-label": file.name },
      make("pre", {}, ...file.lines.map(([sign, line]) =>
        make("span", { class: `line ${SIGNS[sign] ?? "same"}` }, `${sign === "@" ? "" : `${sign} `}${line}\n`))))
    : null,
  cutNote(file.cut));

const turnParts = (turn, number, all) => {
  const raw = block(turn.reply);
  raw.hidden = true;
  const rendered = renderedReply(turn.reply);
  const button = make("button", { type: "button", "aria-pressed": "false" }, "Raw text");
  button.addEventListener("click", () => {
    raw.hidden = !raw.hidden;
    rendered.hidden = !raw.hidden;
    button.setAttribute("aria-pressed", String(!raw.hidden));
  });
  return section(all > 1 ? `Reply, turn ${number + 1}` : "Reply",
    turn.told ? folded("What the model was told", false, wrapped(turn.told), cutNote(turn.toldCut)) : null,
    turn.failure ? make("p", { class: "failure" }, turn.failure) : null,
    turn.body ? folded("Start of the server's answer", false, block(turn.body)) : null,
    turn.reasoning ? folded("Reasoning, never graded", false, wrapped(turn.reasoning), cutNote(turn.reasoningCut)) : null,
    turn.reply ? make("div", { class: "tools" }, button) : make("p", { class: "hint" }, "No reply text."),
    turn.reply ? rendered : null, turn.reply ? raw : null, cutNote(turn.replyCut));
};

const factList = (facts) => make("dl", { class: "facts" }, ...facts.map(([name, value]) => make("div", {}, make("dt", {}, name), make("dd", {}, value))));

const epochLinks = (data, attempt) => {
  const all = data.attempts.filter((each) => each.task === attempt.task && each.model === attempt.model);
  if (all.length < 2) return null;
  return make("nav", { "aria-label": "Epochs", class: "tools" }, "Epochs", ...all.map((each) =>
    make("a", { href: each.link, class: "choice", "aria-current": each === attempt ? "true" : "" }, `${each.epoch}: ${each.text}`)));
};

const attemptParts = (data, attempt, page, prompt) => [
  epochLinks(data, attempt),
  make("p", { class: "verdict" }, make("b", { class: `state ${page.status.replace(" ", "-")}` }, page.status), ` ${page.score}`,
    page.labels.length ? ` · ${page.labels.join(", ")}` : "", page.caps.length ? ` · capped by ${page.caps.join(", ")}` : ""),
  page.error ? make("p", { class: "failure" }, page.error) : null,
  page.reason ? make("p", { class: "hint" }, page.reason) : null,
  page.dimensions.length > 1 ? factList(page.dimensions) : null,
  page.points.length ? section("Rubric points", pointsTable(page.points)) : null,
  page.files.length ? section("Files, beside the starter", ...page.files.map(diffTable)) : null,
  ...page.turns.map((turn, number) => turnParts(turn, number, page.turns.length)),
  section("Times and counts", page.facts.length ? factList(page.facts) : make("p", { class: "hint" }, "Nothing was measured: the files were handed in without asking a model."),
    page.retries.length ? folded(`Sent again ${page.retries.length} times`, false, make("ul", {}, ...page.retries.map((each) => make("li", {}, each)))) : null),
  section("Prompt, the same for every model", folded("Show the prompt", false, ...(prompt?.messages ?? []).map((message) =>
    make("div", {}, make("p", { class: "soft" }, message.role), wrapped(message.text), cutNote(message.cut))))),
  section("Grade it again, without a model", page.again ? wrapped(page.again) : make("p", { class: "hint" }, "Not known: the run keeps no line for it."),
    make("p", { class: "hint" }, "Request and whole texts lie in ", make("code", {}, page.where), " of the run folder.")),
];

const startAttempts = (data) => {
  const dialog = byId("attempt");
  const body = byId("attempt-body");
  const title = byId("attempt-title");
  const places = new Map(data.attempts.map((attempt, number) => [attempt.link, number]));
  let asked = 0;
  let wantedPoint = null;

  /** Addresses are compared as they were written, so that no odd name has to be decoded. */
  const place = () => {
    if (!location.hash.startsWith("#attempt=")) return undefined;
    if (places.has(location.hash)) return places.get(location.hash);
    const [task, model, epoch] = location.hash.slice("#attempt=".length).split("/").map((part) => {
      try { return encodeURIComponent(decodeURIComponent(part)); } catch { return part; }
    });
    return places.get(`#attempt=${task}/${model}/${epoch}`);
  };

  const show = async () => {
    const number = place();
    if (number === undefined) {
      if (dialog.open) dialog.close();
      return;
    }
    const mine = ++asked;
    const attempt = data.attempts[number];
    title.replaceChildren(make("code", {}, data.tasks[attempt.task]?.id ?? ""), " · ", attempt.model, data.attempts.length > 1 ? ` · epoch ${attempt.epoch}` : "");
    body.replaceChildren(make("p", { class: "hint" }, "Unpacking …"));
    if (!dialog.open) dialog.showModal();
    title.focus();
    let parts;
    try {
      const [page, prompt] = await Promise.all([unpack(`attempt-${number}`), unpack(`task-${attempt.task}`)]);
      parts = attemptParts(data, attempt, page, prompt);
    } catch (error) {
      parts = [make("p", { class: "failure" }, `This browser cannot unpack the attempt's page: ${error.message}. It needs DecompressionStream.`)];
    }
    if (mine !== asked) return; // another one was opened meanwhile
    body.replaceChildren(...parts.filter((part) => part !== null));
    body.scrollTop = 0;
    const row = wantedPoint === null ? null : body.querySelector(`tr[data-point="${CSS.escape(wantedPoint)}"]`);
    row?.scrollIntoView({ block: "center" });
    row?.classList.add("wanted");
    wantedPoint = null;
    dialog.dataset.shown = attempt.link;
  };

  document.addEventListener("click", (event) => {
    const link = event.target.closest?.('a[href^="#attempt="]');
    wantedPoint = link?.dataset.point ?? null;
    if (link && link.getAttribute("href") === location.hash) show();
  });
  byId("attempt-close").addEventListener("click", () => dialog.close());
  dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });
  dialog.addEventListener("close", () => {
    asked += 1;
    delete dialog.dataset.shown;
    body.replaceChildren();
    if (place() !== undefined) history.replaceState(null, "", location.href.split("#")[0]);
  });
  addEventListener("hashchange", show);
  show();
};
