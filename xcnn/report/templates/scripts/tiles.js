// Grids of tiles: each can be enlarged and linked to.
const LEAST_TILE = 44;
const grids = all('.drawing[data-kind="tiles"][data-place]').map((link) => {
  const [x, y, width, height, across, down, columns] = link.dataset.place.split(" ").map(Number);
  const article = link.closest(".image"), card = link.closest(".card");
  const curve = all('.drawing[data-kind="curve"]', card).find((one) => one.dataset.layer === link.dataset.layer);
  const told = JSON.parse(link.dataset.numbers);
  const tiles = told.tiles.map(([caption, mark, numbers, facts], at) => ({
    caption: caption || String(at), mark, numbers, at, facts: told.facts.map((term, place) => [term, facts[place]]),
    box: { x: x + (at % columns) * across, y: y + Math.floor(at / columns) * down, width, height },
  }));
  const what = [titles.get(card.dataset.explainer) ?? card.dataset.explainer, card.dataset.class, link.dataset.title, article?.querySelector("h3").textContent];
  return {
    link, tiles, columns, picture: link.querySelector("svg"), layer: link.dataset.layer, unit: link.dataset.unit, key: article?.dataset.key ?? "",
    what: what.filter(Boolean).join(" · "), curve: curve?.dataset, losses: curve ? JSON.parse(curve.dataset.numbers) : {},
  };
});
const named = (grid, tile) => `${grid.layer}:${tile.caption}`;
const tileOf = (grid, name) => grid.tiles.find((one) => named(grid, one) === name);
/** The grids that have a tile of this name: those of an image if it has one, in the order of the run. */
const having = (name, image) => {
  const every = grids.filter((grid) => tileOf(grid, name)), its = every.filter((grid) => grid.key === image);
  return image && its.length ? its : every;
};
const asOpened = (grid, tile) => ({ image: grid.key, tile: named(grid, tile), nth: having(named(grid, tile), grid.key).indexOf(grid) });
const hashTo = (grid, tile) => {
  const { image, tile: name, nth } = asOpened(grid, tile);
  return `#${new URLSearchParams({ ...(image && { img: image }), f: name, ...(nth && { n: nth + 1 }) })}`.replaceAll("%3A", ":").replaceAll("%2F", "/");
};

// Links of tiles can't stand in the link to the file, which is named below the grid.
for (const grid of grids) {
  const { width, height } = grid.tiles[0]?.box ?? {}, [, , whole] = grid.picture.getAttribute("viewBox").split(" ");
  const holder = made("div", { class: "drawing sheet" }, grid.picture), hint = made("p", { class: "quiet hint", text: `Scroll sideways to see all ${grid.tiles.length} tiles.` });
  grid.link.replaceWith(holder);
  holder.after(hint);
  // For fingers and small windows: so wide that each tile can be hit.
  if (width) grid.picture.style.setProperty("--least", `${Math.ceil((LEAST_TILE * whole) / Math.min(width, height))}px`);
  new ResizeObserver(() => { hint.hidden = holder.scrollWidth <= holder.clientWidth + 1; }).observe(holder);
  grid.picture.setAttribute("role", "group");
  grid.picture.setAttribute("aria-label", grid.picture.getAttribute("aria-label").replace("; opens the file", ""));
  grid.picture.querySelector("image").setAttribute("aria-hidden", "true");
  for (const tile of grid.tiles) {
    grid.picture.append(made("svg:a", {
      href: hashTo(grid, tile), "aria-label": `${grid.layer}, ${tile.caption}${tile.mark ? `, ${tile.mark}` : ""}`,
      onclick: (event) => { event.preventDefault(); enlarged(grid, tile.at); },
    }, made("svg:rect", { class: "spot", ...tile.box })));
  }
}

/** The curve of one tile: its ends are told in words, its range at the axis. */
const lossOf = (values, { steps, x, y }) => {
  const least = Math.min(...values), most = Math.max(...values), range = most - least || 1, left = 52;
  const across = (at) => left + ((344 - left) * at) / Math.max(values.length - 1, 1), down = (value) => 112 - (100 * (value - least)) / range;
  const words = (text, told) => made("svg:text", { text, ...told });
  return made("figure", { class: "loss" }, made("figcaption", { text: `Loss curve: ${y}` }),
    made("svg:svg", { viewBox: "0 0 350 136", role: "img", "aria-label": `What was maximised over ${steps} steps: from ${short(values[0])} to ${short(values.at(-1))}` },
      ...[least, most, ...(least < 0 && most > 0 ? [0] : [])].map((value) => made("svg:line", { x1: left, x2: 344, y1: down(value), y2: down(value) })),
      made("svg:polyline", { points: values.map((value, at) => `${across(at)},${down(value)}`).join(" ") }),
      made("svg:circle", { cx: across(values.length - 1), cy: down(values.at(-1)), r: 3.5 }),
      words(short(most), { x: left - 6, y: 16, class: "end" }), words(short(least), { x: left - 6, y: 116, class: "end" }),
      words(`${x} 0`, { x: left, y: 131 }), words(String(steps - 1), { x: 344, y: 131, class: "end" })));
};

const factsOf = (grid, { caption, numbers, facts }) => {
  const unit = grid.unit ? ` ${grid.unit}` : "", [least, mean, most, share] = numbers;
  const values = most === undefined ? [] : [["Largest", most + unit], ["Mean", mean + unit], ["Least", least + unit], ["Above zero", `${share} of the tile`]];
  return [["Layer", grid.layer], ["Channel", caption], ...facts, ...values].filter(([, fact]) => fact);
};

let enlarging = null;
/** Show a tile in a dialog; one that is open already turns to it and keeps the focus where it is. */
const enlarged = (grid, at) => {
  const tile = grid.tiles[at], name = named(grid, tile), opens = () => Object.assign(state, asOpened(grid, tile));
  if (state.tile) {
    opens();
    remember();
  } else stepped(opens);
  enlarging ??= enlargement();
  const { one, body, choice, turns, place } = enlarging, { x, y, width, height } = tile.box;
  Object.assign(enlarging, { grid, at });
  one.querySelector("h2").textContent = `${grid.layer} · ${tile.caption}`;
  // A name may fit tiles of several results: which one this is stands above it, and the others are a choice away.
  const every = having(name, ""), chosen = choice.contains(document.activeElement);
  choice.replaceChildren(...(every.length < 2 ? [grid.what] : [select(`One of ${every.length} results with this tile`, every.map((other, number) => [number, other.what]), (number) => enlarged(every[number], tileOf(every[number], name).at))].map((list) => {
    list.set(every.indexOf(grid));
    return list.label;
  })));
  if (chosen) choice.querySelector("select").focus();
  const loss = grid.losses[tile.caption];
  body.replaceChildren(
    made("svg:svg", { viewBox: `${x} ${y} ${width} ${height}`, width, height, role: "img", "aria-label": `${grid.layer}, ${tile.caption}, enlarged` }, grid.picture.querySelector("image").cloneNode(false)),
    made("div", {},
      ...(tile.mark ? [made("p", { class: "dead", text: tile.mark })] : []),
      made("dl", { class: "facts" }, ...factsOf(grid, tile).map(([term, fact]) => made("div", {}, made("dt", { text: term }), made("dd", { text: fact })))),
      ...(loss?.length ? [lossOf(loss, grid.curve)] : []),
      made("p", { class: "steps" }, made("a", { href: hashTo(grid, tile), text: "Link to this tile" }))));
  place.textContent = `${at + 1} of ${grid.tiles.length}`;
  const [before, after] = turns;
  const held = turns.includes(document.activeElement);
  before.disabled = at === 0;
  after.disabled = at === grid.tiles.length - 1;
  if (held && document.activeElement?.disabled !== false) (after.disabled ? before : after).focus();
};
const turnedTo = (at) => {
  if (at !== enlarging.at && enlarging.grid.tiles[at]) enlarged(enlarging.grid, at);
};
const enlargement = () => {
  const body = made("div", { class: "tile" }), choice = made("div", { class: "quiet which" }), place = made("span", { class: "quiet" });
  const turns = [["Previous", -1], ["Next", 1]].map(([words, step]) => button(words, () => turnedTo(enlarging.at + step)));
  const one = dialog("", () => { if (enlarging?.one === one) { enlarging = null; state.tile = ""; closedAgain(); } }, choice, made("p", { class: "steps" }, ...turns, place), body);
  one.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey || event.target.closest("select")) return;
    const { at, grid } = enlarging;
    const next = { ArrowLeft: at - 1, ArrowRight: at + 1, ArrowUp: at - grid.columns, ArrowDown: at + grid.columns, Home: 0, End: grid.tiles.length - 1 }[event.key];
    if (next === undefined) return;
    event.preventDefault();
    turnedTo(next);
  });
  return { one, body, choice, turns, place };
};
const enlargeNamed = (name) => {
  const fitting = having(name, state.image), grid = fitting[state.nth] ?? fitting[0];
  if (grid) {
    if (!enlarging) enlarged(grid, tileOf(grid, name).at);
    return;
  }
  state.tile = "";
  const at = name.lastIndexOf(":"), layer = name.slice(0, Math.max(at, 0)) || name;
  const words = grids.some((one) => one.layer === layer) ? `The layer ${layer} has no tile ${name.slice(at + 1)} here.` : `There are no tiles of a layer ${layer} here.`;
  dialog("Not in this report", () => {}, made("p", { text: words }));
};
