// The views of one image: how maps lie over it, and the zoom that all its pictures share.
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
