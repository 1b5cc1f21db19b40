// The tools of one image, the tools of the page, and the matrix of everything that explains an image.
const palettes = [["run", "as made"], ...Object.keys(PALETTES).map((name) => [name, name === "jet" ? "jet (not uniform)" : name])];
const toolsOf = new Map();

const tools = (article) => {
  const key = article.dataset.key;
  const chosen = (name, value) => {
    if (value === state.page[name]) delete own(key)[name];
    else own(key)[name] = value;
    show(article);
    current(key);
  };
  const name = article.querySelector("h3").textContent;
  const modes = MODES.map(([mode, words]) => button(words, () => chosen("mode", mode)));
  const palette = select("Palette", palettes, (value) => chosen("palette", value));
  const opacity = slider("Opacity", { min: 0, max: 100 }, (value) => chosen("opacity", value));
  const threshold = slider("Hide below", { min: 0, max: 99 }, (value) => chosen("threshold", value));
  const gamma = slider("Gamma", { min: 0.2, max: 3, step: 0.1 }, (value) => chosen("gamma", value));
  const finer = made("details", { class: "finer" }, made("summary", { text: "Threshold, gamma" }), made("div", {}, threshold.label, gamma.label));
  const zoom = [["−", "Zoom out", 0.8], ["1:1", "Whole picture", 0], ["+", "Zoom in", 1.25]].map(([text, words, factor]) => button(text, () => zoomed(article, factor), { "aria-label": words, title: words }));
  const maps = ofEpoch(".stage .heat, .stage .alone", article).length;
  const tinted = all(".stage [data-tint]", article).length, covering = all(".stage .heat", article).length;
  for (const heat of all(".panel [data-rows]", article)) readingOf(heat.closest("figure"));
  toolsOf.set(article, { modes, palette, opacity, threshold, gamma, finer });
  article.querySelector("header").append(made("div", { class: "tools controls", role: "group", "aria-label": `View of ${name}` },
    // What would change nothing is not offered: grids of tiles lie over no picture.
    ...(maps ? [made("div", { class: "modes", role: "group", "aria-label": "Compare" }, ...modes)] : []),
    ...(tinted ? [palette.label] : []), ...(covering ? [opacity.label] : []), made("div", { class: "zoom", role: "group", "aria-label": "Zoom" }, ...zoom),
    ...(maps > 1 ? [button("Compare all", () => matrix(article), { class: "all" })] : []), ...(tinted ? [finer] : [])));
};
const tooled = (article, look) => {
  const found = toolsOf.get(article);
  if (!found) return;
  MODES.forEach(([mode], at) => found.modes[at].setAttribute("aria-pressed", String(mode === look.mode)));
  found.palette.set(look.palette);
  setLook(found, look);
  if (look.threshold !== state.page.threshold || look.gamma !== state.page.gamma) found.finer.open = true;
};
const setLook = ({ opacity, threshold, gamma }, look) => {
  opacity.set(look.opacity, `${look.opacity}%`);
  threshold.set(look.threshold, `${look.threshold}%`);
  gamma.set(look.gamma, look.gamma.toFixed(1));
};

/** Everything that explains one image: a row per explainer, layer and kind of panel, a column per class. */
const matrix = (article) => {
  const rows = new Map(), columns = new Map();
  for (const card of ofEpoch(".card", article)) {
    for (const figure of all(".panel", card)) {
      const picture = figure.querySelector(".picture:not(.before)");
      if (!picture) continue;
      const title = titles.get(card.dataset.explainer) ?? card.dataset.explainer;
      const layer = figure.querySelector(".facts code")?.textContent ?? "";
      const shows = figure.querySelector(".name")?.textContent ?? "";
      const row = JSON.stringify([title, layer, shows]);
      rows.set(row, rows.get(row) ?? new Map());
      columns.set(card.dataset.class, true);
      rows.get(row).set(card.dataset.class, figure);
    }
  }
  const cell = (figure) => {
    if (!figure) return made("td", { role: "cell" });
    const stage = figure.querySelector(".stage").cloneNode(true);
    // In a narrow window the table is a list, and each cell tells its class itself.
    const one = made("td", { role: "cell", "data-class": figure.closest(".card").dataset.class || "any class" }, stage);
    if (stage.querySelector("[data-rows]")) readingOf(one);
    return one;
  };
  const head = made("tr", { role: "row" }, made("td", { role: "cell" }), ...[...columns.keys()].map((words) => made("th", { scope: "col", role: "columnheader", text: words || "any class" })));
  const body = [...rows].map(([row, cells]) => {
    const [title, ...parts] = JSON.parse(row);
    return made("tr", { role: "row" }, made("th", { scope: "row", role: "rowheader", text: title }, ...parts.filter(Boolean).map((text) => made("span", { text }))), ...[...columns.keys()].map((column) => cell(cells.get(column))));
  });
  if (state.matrix !== article.dataset.key) stepped(() => { state.matrix = article.dataset.key; });
  const [epoch] = ofEpoch("[data-epoch]", article);
  const one = dialog(article.querySelector("h3").textContent + (epoch ? ` · epoch ${epoch.dataset.epoch}` : ""), () => { if (!state.matrix || document.querySelector("dialog .matrix")) return; state.matrix = ""; closedAgain(); },
    made("p", { class: "quiet", text: "Point at a picture or tap it to read all maps there. + and − zoom, and so does the wheel; drag to move." }),
    made("table", { class: "matrix", role: "table" }, made("thead", { role: "rowgroup" }, head), made("tbody", { role: "rowgroup" }, ...body)));
  for (const handle of all(".handle", one)) handle.remove();
  for (const name of ["--opacity", "--palette", "--signed"]) one.style.setProperty(name, article.style.getPropertyValue(name));
};

/** The tools of the page. */
const page = (() => {
  const changed = (name, value) => {
    state.page[name] = value;
    if (name in FIRST) for (const chosen of Object.values(state.own)) delete chosen[name];
    shown();
    remember();
  };
  const mode = select("View", MODES, (value) => changed("mode", value));
  const palette = select("Palette", palettes, (value) => changed("palette", value));
  const opacity = slider("Opacity of all maps", { min: 0, max: 100, class: "opacity" }, (value) => changed("opacity", value));
  const threshold = slider("Hide below", { min: 0, max: 99 }, (value) => changed("threshold", value));
  const gamma = slider("Gamma", { min: 0.2, max: 3, step: 0.1 }, (value) => changed("gamma", value));
  const reset = button("Reset", () => {
    const { find, sort, theme, epoch } = state;
    state = { ...fresh(), find, sort, theme, epoch };
    shown();
    remember();
  });
  return {
    built: [made("details", { class: "look" }, made("summary", { text: "Colours and views" }), made("div", {}, mode.label, palette.label, opacity.label, threshold.label, gamma.label, reset))],
    set() {
      mode.set(state.page.mode);
      palette.set(state.page.palette);
      setLook({ opacity, threshold, gamma }, state.page);
    },
  };
})();
