// Grids of tiles: each can be enlarged and linked to.
const grids = all('.drawing[data-kind="tiles"][data-place]').map((link) => {
  const [x, y, width, height, across, down, columns] = link.dataset.place.split(" ").map(Number);
  const picture = link.querySelector("svg");
  const article = link.closest(".image");
  const curve = link.closest(".card").querySelector('.drawing[data-kind="curve"]');
  const tiles = JSON.parse(link.dataset.numbers).map(([caption, mark, ...numbers], at) => ({
    caption: caption || String(at), mark, numbers, at,
    box: { x: x + (at % columns) * across, y: y + Math.floor(at / columns) * down, width, height },
  }));
  return { link, picture, tiles, layer: link.dataset.layer, unit: link.dataset.unit, key: article?.dataset.key ?? "", losses: curve ? JSON.parse(curve.dataset.numbers) : {} };
});
const named = (grid, tile) => `${grid.layer}:${tile.caption}`;
const hashTo = (grid, tile) => `#${new URLSearchParams({ ...(grid.key && { img: grid.key }), f: named(grid, tile) })}`.replaceAll("%3A", ":").replaceAll("%2F", "/");

// Links of tiles can't stand in the link to the file, which is named below the grid.
for (const grid of grids) {
  const holder = made("div", { class: "drawing" }, grid.picture);
  grid.link.replaceWith(holder);
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

const lossOf = (values) => {
  const least = Math.min(...values), most = Math.max(...values), range = most - least || 1;
  const points = values.map((value, at) => `${40 + (300 * at) / Math.max(values.length - 1, 1)},${110 - (95 * (value - least)) / range}`).join(" ");
  const words = (text, told) => made("svg:text", { text, ...told });
  return made("svg:svg", { class: "loss", viewBox: "0 0 350 132", role: "img", "aria-label": `What was maximised over ${values.length} steps: from ${short(values[0])} to ${short(values.at(-1))}` },
    made("svg:polyline", { points }), words(short(most), { x: 0, y: 18 }), words(short(least), { x: 0, y: 112 }), words(`step 0 to ${values.length - 1}`, { x: 40, y: 128 }));
};

let enlarging = null;
const enlarged = (grid, at) => {
  const tile = grid.tiles[at];
  const opens = () => { state.tile = named(grid, tile); state.image = grid.key; };
  if (state.tile) {
    opens();
    remember();
  } else stepped(opens);
  enlarging?.close();
  const { x, y, width, height } = tile.box;
  const source = grid.picture.querySelector("image");
  const crop = made("svg:svg", { viewBox: `${x} ${y} ${width} ${height}`, width, height, role: "img", "aria-label": `${grid.layer}, ${tile.caption}, enlarged` }, source.cloneNode(false));
  const [least, mean, most, share] = tile.numbers;
  const facts = [["Layer", grid.layer], ["Channel", tile.caption], ["Values", `${least} to ${most}${grid.unit ? ` ${grid.unit}` : ""}`], ["Mean", mean], ["Above zero", `${(100 * Number(share)).toFixed(1)}% of the tile`]];
  const loss = grid.losses[tile.caption];
  const one = dialog(`${grid.layer} · ${tile.caption}`, () => { if (enlarging === one) { enlarging = null; state.tile = ""; closedAgain(); } },
    made("div", { class: "tile" }, crop, made("div", {},
      ...(tile.mark ? [made("p", { class: "dead", text: tile.mark })] : []),
      made("dl", { class: "facts" }, ...facts.map(([term, fact]) => made("div", {}, made("dt", { text: term }), made("dd", { text: fact })))),
      ...(loss?.length ? [lossOf(loss)] : []),
      made("p", { class: "steps" }, ...[["Previous", at - 1], ["Next", at + 1]].map(([words, next]) => button(words, () => enlarged(grid, next), { disabled: !grid.tiles[next] })),
        made("a", { href: hashTo(grid, tile), text: "Link to this tile" })))));
  enlarging = one;
};
const enlargeNamed = (name) => {
  const fits = grids.filter((grid) => !state.image || grid.key === state.image);
  for (const grid of [...fits, ...grids]) {
    const tile = grid.tiles.find((one) => named(grid, one) === name);
    if (tile) {
      if (state.tile !== name || !enlarging) enlarged(grid, tile.at);
      return;
    }
  }
  state.tile = "";
  const at = name.lastIndexOf(":"), layer = name.slice(0, Math.max(at, 0)) || name;
  const words = grids.some((grid) => grid.layer === layer) ? `The layer ${layer} has no tile ${name.slice(at + 1)} here.` : `There are no tiles of a layer ${layer} here.`;
  dialog("Not in this report", () => {}, made("p", { text: words }));
};
