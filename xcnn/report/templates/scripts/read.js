// Reading maps: the value under the cursor, under a finger, or at a point that the arrow keys move.
const levels = new WeakMap();
/** The gray levels of a map, read once. */
const levelsOf = (heat) => {
  if (!levels.has(heat)) {
    levels.set(heat, (async () => {
      const picture = new Image();
      picture.src = heat.getAttribute("href");
      await picture.decode();
      const canvas = made("canvas", { width: picture.naturalWidth, height: picture.naturalHeight });
      const context = canvas.getContext("2d", { willReadFrequently: true });
      context.drawImage(picture, 0, 0);
      return context.getImageData(0, 0, canvas.width, canvas.height);
    })());
  }
  return levels.get(heat);
};
const shapeOf = (heat) => ({ columns: Number(heat.dataset.columns), rows: Number(heat.dataset.rows) });
const cell = (share, count) => Math.min(Math.floor(share * count), count - 1);
/** The category at a cell of a map of categories, whose cells stand in the page as runs: how many, and the place of their name. */
const categoryAt = (heat, row, column) => {
  const { cells, names, columns } = heat.dataset, runs = cells.split(" ").map(Number);
  let left = row * Number(columns) + column, run = 0;
  while (left >= runs[run]) { left -= runs[run]; run += 2; }
  return `${JSON.parse(names)[runs[run + 1]]}, row ${row}, column ${column}`;
};
const valueAt = async (heat, x, y) => {
  if ("cells" in heat.dataset) {
    const { columns, rows } = shapeOf(heat);
    return categoryAt(heat, cell(y, rows), cell(x, columns));
  }
  const { data, width, height } = await levelsOf(heat);
  // The picture of a coarse map is larger, that of a map that packs badly is smaller: rows and columns are the map's own.
  const { columns, rows } = shapeOf(heat), column = cell(x, columns), row = cell(y, rows);
  const at = Math.floor(((column + 0.5) / columns) * width), down = Math.floor(((row + 0.5) / rows) * height);
  const zero = Number(heat.dataset.zero), step = Number(heat.dataset.step), level = data[4 * (down * width + at)];
  const value = (level - zero) * step, place = `${heat.dataset.unit}, row ${row}, column ${column}`;
  const fewer = width < columns || height < rows ? `; shown at ${width} × ${height} of ${columns} × ${rows}` : "";
  // What lies beyond the end of a clipped scale has the level of the end.
  const end = "clipped" in heat.dataset && (level - zero === (zero || 255) ? "≥" : zero && level === 0 ? "≤" : "");
  if (end) return `${end} ${short(value)} ${place}${fewer}`;
  // Pixels that stand for several values have no step that would bound them.
  return fewer ? `≈ ${short(value)} ${place}${fewer}` : `${short(value)} ± ${short(step / 2)} ${place}`;
};

/** Where an event is in the picture, 0..1 on both axes. */
const placeIn = (picture, event, article) => {
  const at = new DOMPoint(event.clientX, event.clientY).matrixTransform(picture.getScreenCTM().inverse());
  const { width, height } = boxOf(article);
  return { x: at.x / width, y: at.y / height };
};
const articleOf = (picture) => document.getElementById(picture.dataset.of)?.closest(".image[data-key]");
/** The picture that an event is in, and its image. */
const aimed = (event) => {
  const picture = event.target.closest?.(".picture"), article = picture && articleOf(picture);
  return article ? { picture, article } : {};
};

/** Where the value under the cursor is written. Its place is kept, so that nothing jumps. */
const readingOf = (holder) => {
  let reading = holder.querySelector(".reading");
  if (!reading) (holder.querySelector(".scale") ?? holder).append((reading = made("output", { class: "reading", "aria-live": "off" })));
  return reading;
};

let read = null;
/** Read all maps of an image at a place; nothing of any without one. */
const pointed = (article, at) => {
  if (read && read.article !== article) pointed(read.article, null);
  const { width, height } = boxOf(article), part = seenPart(article), inside = at && at.x >= 0 && at.x < 1 && at.y >= 0 && at.y < 1;
  read = inside ? { article, at } : null;
  for (const picture of picturesOf(article)) {
    for (const old of all(".cursor", picture)) old.remove();
    if (inside) {
      const told = { class: "cursor", cx: at.x * width, cy: at.y * height, r: part.width / 40 };
      picture.append(made("svg:circle", told), made("svg:circle", told));
    }
    const heat = picture.querySelector("[data-rows]"), holder = picture.closest("figure, td");
    if (!heat || !holder) continue;
    const reading = readingOf(holder);
    if (!inside) reading.textContent = "";
    else valueAt(heat, at.x, at.y).then((words) => { if (read?.at === at) reading.textContent = words; });
  }
};

let held = null;
document.addEventListener("pointermove", (event) => {
  const { picture, article } = aimed(event);
  if (held) {
    const part = seenPart(held.article), { width, height } = boxOf(held.article), box = held.picture.getBoundingClientRect();
    moved(held.article, { x: held.middle.x - ((event.clientX - held.from.x) / box.width) * (part.width / width), y: held.middle.y - ((event.clientY - held.from.y) / box.height) * (part.height / height) });
    show(held.article);
    remember();
  } else if (article && event.pointerType !== "touch") pointed(article, placeIn(picture, event, article));
});
// A finger scrolls while it moves and is gone when it is lifted: its tap reads, and what it read stays.
document.addEventListener("pointerout", (event) => {
  const { picture, article } = aimed(event);
  if (article && event.pointerType !== "touch" && !picture.contains(event.relatedTarget)) pointed(article, null);
});
document.addEventListener("click", (event) => {
  const { picture, article } = aimed(event);
  if (article) pointed(article, placeIn(picture, event, article));
  else if (read && !event.target.closest?.(".stage")) pointed(read.article, null);
});
document.addEventListener("pointerdown", (event) => {
  const { picture, article } = aimed(event);
  if (!article) return;
  current(article.dataset.key);
  const { zoom = 1, x, y } = lookOf(article.dataset.key);
  if (zoom > 1 && event.button === 0) {
    held = { article, picture, from: { x: event.clientX, y: event.clientY }, middle: { x, y } };
    event.preventDefault();
  }
});
for (const end of ["pointerup", "pointercancel"]) document.addEventListener(end, () => { held = null; });
document.addEventListener("dblclick", (event) => {
  const { picture, article } = aimed(event);
  if (article) zoomed(article, 2, placeIn(picture, event, article));
});
document.addEventListener("wheel", (event) => {
  const { picture, article } = aimed(event);
  if (!article || !(event.ctrlKey || picture.closest("dialog"))) return;
  event.preventDefault();
  zoomed(article, event.deltaY < 0 ? 1.25 : 0.8, placeIn(picture, event, article));
}, { passive: false });

const STRIDE = 32;
/** Let a map take the focus: its arrow keys move the point that is read. */
const readable = (article) => {
  for (const heat of all(".stage [data-rows]", article)) {
    const card = heat.closest(".card"), layer = heat.closest("figure").querySelector(".facts code");
    const words = [titles.get(card.dataset.explainer) ?? card.dataset.explainer, card.dataset.class && `for ${card.dataset.class}`, layer && `at ${layer.textContent}`];
    const told = { tabindex: "0", role: "application", "aria-roledescription": "map", "aria-label": `Values of ${words.filter(Boolean).join(" ")}: arrow keys move the point, Escape leaves` };
    for (const [key, value] of Object.entries(told)) heat.closest(".stage").setAttribute(key, value);
  }
};
const reached = new WeakMap();
let byKeys = false;
/** The map that has the focus, its image and where its value is written. */
const focused = ({ target }) => {
  const picture = target.matches?.(".stage[tabindex]") && target.querySelector(".picture:not(.before)");
  return picture ? { stage: target, picture, article: articleOf(picture), reading: readingOf(target.closest("figure, td")) } : {};
};
const steeredTo = (article, at) => {
  byKeys = true;
  reached.set(article, at);
  // Below a zoom, the part that is seen follows.
  const part = seenPart(article), { width, height } = boxOf(article), x = at.x * width, y = at.y * height;
  if (x < part.x || y < part.y || x > part.x + part.width || y > part.y + part.height) {
    moved(article, at);
    show(article);
    remember();
  }
  pointed(article, at);
};
/** Move the point of the map that has the focus, or leave the map; whether the key means that. */
const steered = (event) => {
  const { stage, picture, article } = focused(event);
  const way = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
  if (!stage || !(way || event.key === "Escape")) return false;
  if (!way) {
    const open = stage.closest("dialog");
    // Who came with the mouse closes the dialog at once.
    if (open && !byKeys) return false;
    if (open) open.querySelector("header button").focus();
    else stage.blur();
    return true;
  }
  const { columns, rows } = shapeOf(picture.querySelector("[data-rows]")), { x, y } = read?.article === article ? read.at : reached.get(article) ?? { x: 0.5, y: 0.5 };
  const next = (share, count, by) => (Math.min(Math.max(cell(share, count) + by * (event.shiftKey ? 1 : Math.max(Math.round(count / STRIDE), 1)), 0), count - 1) + 0.5) / count;
  steeredTo(article, { x: next(x, columns, way[0]), y: next(y, rows, way[1]) });
  return true;
};
document.addEventListener("focusin", (event) => {
  const { stage, article, reading } = focused(event);
  if (!stage) return;
  reading.setAttribute("aria-live", "polite");
  if (!stage.matches(":focus-visible")) return;
  current(article.dataset.key);
  steeredTo(article, reached.get(article) ?? { x: 0.5, y: 0.5 });
});
document.addEventListener("focusout", (event) => {
  const { stage, article, reading } = focused(event);
  if (!stage) return;
  reading.setAttribute("aria-live", "off");
  if (byKeys) pointed(article, null);
  byKeys = false;
});
