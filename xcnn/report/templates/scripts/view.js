// The views of one image: how maps lie over it, zoom and cursor that all its pictures share, and values under the cursor.
const picturesOf = (article) => all(`.picture[data-of="${article.querySelector("h3").id}"]`);
/** The photograph of an image, once more: a use of the one in the page, or the same file again. */
const photoOf = (id) => {
  const photo = document.querySelector(`.input .picture[data-of="${id}"] .photo`);
  return photo.id ? made("svg:use", { class: "photo", href: `#${photo.id}` }) : photo.cloneNode(true);
};
const boxOf = (article) => {
  const of = article.querySelector(".input .photo");
  return { width: Number(of.getAttribute("width")), height: Number(of.getAttribute("height")) };
};
const seenPart = (article) => {
  const { zoom = 1, x = 0.5, y = 0.5 } = lookOf(article.dataset.key);
  const { width, height } = boxOf(article);
  const part = { width: width / zoom, height: height / zoom };
  return { ...part, x: Math.min(Math.max(x * width - part.width / 2, 0), width - part.width), y: Math.min(Math.max(y * height - part.height / 2, 0), height - part.height) };
};

/** Show one image as the state asks. */
const show = (article) => {
  const look = lookOf(article.dataset.key);
  const part = seenPart(article), { width } = boxOf(article), id = article.querySelector("h3").id;
  article.classList.toggle("zoomed", (look.zoom ?? 1) > 1);
  for (const stage of all(".stage", article)) {
    const picture = stage.querySelector(".picture:not(.before)");
    const heat = picture.querySelector(".heat, .alone");
    if (!heat) continue;
    // A fine map has no picture below it until one is compared with it.
    if (!picture.querySelector(".photo") && look.mode !== "overlay") picture.prepend(photoOf(id));
    heat.style.visibility = look.mode === "original" ? "hidden" : "";
    const swipe = (look.swipe ?? 50) / 100;
    heat.style.clipPath = look.mode === "swipe" ? `inset(0 0 0 ${(100 * (part.x + swipe * part.width)) / width}%)` : "";
    sided(stage, look.mode === "side", id);
    handled(stage, article, look.mode === "swipe", Math.round(100 * swipe));
  }
  for (const picture of picturesOf(article)) picture.setAttribute("viewBox", `${part.x} ${part.y} ${part.width} ${part.height}`);
  colourOne(article, look, state.page);
  tooled(article, look);
};

const sided = (stage, wanted, id) => {
  stage.classList.toggle("both", wanted);
  const before = stage.querySelector(".before");
  if (!wanted) before?.remove();
  else if (!before) {
    const picture = stage.querySelector(".picture").cloneNode(false);
    picture.classList.add("before");
    picture.setAttribute("aria-label", "The input");
    picture.append(photoOf(id));
    stage.prepend(picture);
  }
};

const handled = (stage, article, wanted, share) => {
  let handle = stage.querySelector(".handle");
  if (!wanted) return handle?.remove();
  if (!handle) {
    const moved = (value) => {
      own(article.dataset.key).swipe = Math.round(Math.min(Math.max(value, 0), 100));
      show(article);
      remember();
    };
    const at = (event) => {
      const box = stage.getBoundingClientRect();
      moved((100 * (event.clientX - box.left)) / box.width);
    };
    handle = made("div", {
      class: "handle", role: "slider", tabindex: "0", "aria-label": "Where the picture ends and the map begins", "aria-valuemin": "0", "aria-valuemax": "100",
      onpointerdown: (event) => { handle.setPointerCapture(event.pointerId); at(event); },
      onpointermove: (event) => { if (handle.hasPointerCapture(event.pointerId)) at(event); },
      onkeydown: (event) => {
        const now = Number(handle.getAttribute("aria-valuenow"));
        const next = { ArrowLeft: now - 1, ArrowDown: now - 1, ArrowRight: now + 1, ArrowUp: now + 1, PageDown: now - 10, PageUp: now + 10, Home: 0, End: 100 }[event.key];
        if (next === undefined) return;
        event.preventDefault();
        event.stopPropagation();
        moved(next);
      },
    });
    stage.append(handle);
  }
  handle.style.left = `${share}%`;
  handle.setAttribute("aria-valuenow", share);
  handle.setAttribute("aria-valuetext", `${share}% of the picture`);
};

/** Zoom by a factor around a place in the picture (0..1), or the middle of what is seen. */
const zoomed = (article, factor, at) => {
  const chosen = own(article.dataset.key), { width, height } = boxOf(article), part = seenPart(article);
  const zoom = factor === 0 ? 1 : Math.min(Math.max((chosen.zoom ?? 1) * factor, 1), 32);
  const middle = { x: (part.x + part.width / 2) / width, y: (part.y + part.height / 2) / height };
  const fixed = at ?? middle, ratio = (chosen.zoom ?? 1) / zoom;
  if (zoom === 1) ["zoom", "x", "y"].forEach((key) => delete chosen[key]);
  else moved(article, { x: fixed.x + (middle.x - fixed.x) * ratio, y: fixed.y + (middle.y - fixed.y) * ratio }, Number(zoom.toFixed(3)));
  show(article);
  remember();
};
const moved = (article, middle, zoom = own(article.dataset.key).zoom ?? 1) => {
  const rounded = (value) => Number(Math.min(Math.max(value, 0.5 / zoom), 1 - 0.5 / zoom).toFixed(4));
  Object.assign(own(article.dataset.key), { zoom, x: rounded(middle.x), y: rounded(middle.y) });
};

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
const valueAt = async (heat, x, y) => {
  const { data, width, height } = await levelsOf(heat);
  // The picture of a coarse map is larger, that of a map that packs badly is smaller: rows and columns are the map's own.
  const columns = Number(heat.dataset.columns), rows = Number(heat.dataset.rows);
  const cell = (share, count) => Math.min(Math.floor(share * count), count - 1);
  const column = cell(x, columns), row = cell(y, rows);
  const at = Math.floor(((column + 0.5) / columns) * width), down = Math.floor(((row + 0.5) / rows) * height);
  const step = Number(heat.dataset.step), value = (data[4 * (down * width + at)] - Number(heat.dataset.zero)) * step;
  const place = `${heat.dataset.unit}, row ${row}, column ${column}`;
  // Pixels that stand for several values have no step that would bound them.
  if (width < columns || height < rows) return `≈ ${short(value)} ${place}; shown at ${width} × ${height} of ${columns} × ${rows}`;
  return `${short(value)} ± ${short(step / 2)} ${place}`;
};

/** Where an event is in the picture, 0..1 on both axes. */
const placeIn = (picture, event, article) => {
  const at = new DOMPoint(event.clientX, event.clientY).matrixTransform(picture.getScreenCTM().inverse());
  const { width, height } = boxOf(article);
  return { x: at.x / width, y: at.y / height };
};
const articleOf = (picture) => document.getElementById(picture.dataset.of)?.closest(".image[data-key]");

/** Where the value under the cursor is written. Its place is kept, so that nothing jumps. */
const readingOf = (holder) => {
  let reading = holder.querySelector(".reading");
  if (!reading) (holder.querySelector(".scale") ?? holder).append((reading = made("output", { class: "reading", "aria-live": "off" })));
  return reading;
};

const pointed = (article, at) => {
  const { width, height } = boxOf(article), part = seenPart(article), inside = at && at.x >= 0 && at.x < 1 && at.y >= 0 && at.y < 1;
  for (const picture of picturesOf(article)) {
    for (const old of all(".cursor", picture)) old.remove();
    if (inside) {
      const told = { class: "cursor", cx: at.x * width, cy: at.y * height, r: part.width / 40 };
      picture.append(made("svg:circle", told), made("svg:circle", told));
    }
    const heat = picture.querySelector("[data-tint]"), holder = picture.closest("figure, td");
    if (!heat || !holder) continue;
    const reading = readingOf(holder);
    if (!inside) reading.textContent = "";
    else valueAt(heat, at.x, at.y).then((words) => { reading.textContent = words; });
  }
};

let held = null;
document.addEventListener("pointermove", (event) => {
  const picture = event.target.closest?.(".picture"), article = picture && articleOf(picture);
  if (held) {
    const part = seenPart(held.article), { width, height } = boxOf(held.article), box = held.picture.getBoundingClientRect();
    moved(held.article, { x: held.middle.x - ((event.clientX - held.from.x) / box.width) * (part.width / width), y: held.middle.y - ((event.clientY - held.from.y) / box.height) * (part.height / height) });
    show(held.article);
    remember();
  } else if (article) pointed(article, placeIn(picture, event, article));
});
document.addEventListener("pointerout", (event) => {
  const picture = event.target.closest?.(".picture"), article = picture && articleOf(picture);
  if (article && !picture.contains(event.relatedTarget)) pointed(article, null);
});
document.addEventListener("pointerdown", (event) => {
  const picture = event.target.closest?.(".picture"), article = picture && articleOf(picture);
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
  const picture = event.target.closest?.(".picture"), article = picture && articleOf(picture);
  if (article) zoomed(article, 2, placeIn(picture, event, article));
});
document.addEventListener("wheel", (event) => {
  const picture = event.target.closest?.(".picture"), article = picture && articleOf(picture);
  if (!article || !(event.ctrlKey || picture.closest("dialog"))) return;
  event.preventDefault();
  zoomed(article, event.deltaY < 0 ? 1.25 : 0.8, placeIn(picture, event, article));
}, { passive: false });
