// Keys. They rest while something is typed, and leave alone what the browser means by a key with a modifier.
const KEYS = {
  Keys: [
    ["← →, j k", "previous and next image"], ["1 – 9", "one explainer alone, or all again"], ["o", "overlay or original"],
    ["+ −", "zoom in and out"], ["0", "whole picture"], ["/", "find images"], ["?", "this help"], ["Esc", "close"],
  ],
  "On a map that has the focus (Tab)": [["← → ↑ ↓", "read the next value; with Shift, in the finest steps"], ["Esc", "leave the map"]],
  "In an enlarged tile": [["← →", "previous and next tile"], ["↑ ↓", "the tile above and below"], ["Home End", "first and last tile"]],
};
const CONDITIONS = [
  ["cat", "in the file's name or a class"], ["label:cat", "a class that is explained"], ["pred:cat", "the class that is predicted"],
  ["conf:<0.5", "how probable that class is; also <=, >, >=, = and 50%"], ["warn", "something is noted"], ["wrong", "the prediction is not the truth"],
  ["!cat", "not so"], ['"tiger cat"', "words that belong together"],
];
const SETTLING = 1500;
let released = () => {};
/** Go to an image and stay there while what is above it still takes its size, until the reader moves. */
const arriveAt = (article) => {
  released();
  const bar = document.querySelector("nav.bar");
  root.style.scrollPaddingTop = getComputedStyle(bar).position === "sticky" ? `${bar.offsetHeight + 16}px` : "1rem";
  const again = () => article.scrollIntoView({ block: "start", behavior: "instant" });
  const watch = new ResizeObserver(again);
  const gestures = ["wheel", "pointerdown", "keydown", "touchstart"];
  const timer = setTimeout(() => released(), SETTLING);
  const mine = released = () => {
    clearTimeout(timer);
    watch.disconnect();
    for (const gesture of gestures) removeEventListener(gesture, mine, true);
  };
  for (const gesture of gestures) addEventListener(gesture, mine, { capture: true, passive: true });
  for (const part of [document.body, bar, ...images]) watch.observe(part);
  again();
};
const current = (key, { move = false } = {}) => {
  state.image = key;
  for (const article of images) article.classList.toggle("current", article.dataset.key === key && images.length > 1);
  if (move && keyed.has(key)) {
    const heading = keyed.get(key).querySelector("h3");
    heading.tabIndex = -1;
    heading.focus({ preventScroll: true });
    arriveAt(keyed.get(key));
  }
  remember();
};
const turned = (step) => {
  const listed = all(".image[data-key]").filter((article) => !article.hidden);
  const at = listed.findIndex((article) => article.dataset.key === state.image);
  const next = listed[at < 0 ? (step > 0 ? 0 : listed.length - 1) : Math.min(Math.max(at + step, 0), listed.length - 1)];
  const on = at >= 0 && next === listed[at] && document.querySelector(`.pages a[rel=${step > 0 ? "next" : "prev"}]`);
  if (on) on.click();
  else if (next) current(next.dataset.key, { move: true });
};
const now = () => keyed.get(state.matrix || state.image) ?? images.find((article) => !article.hidden);
const help = () => {
  const listed = (pairs, kind, told) => made("dl", { class: `keys ${kind}` }, ...pairs.flatMap(([term, text]) => [made("dt", {}, ...told(term)), made("dd", { text })]));
  const caps = (key) => key.split(" ").map((one) => (/[\w←→↑↓+−/?]/.test(one) ? made("kbd", { text: one.replace(",", "") }) : " – "));
  const [first, ...others] = Object.entries(KEYS);
  dialog(first[0], () => {}, listed(first[1], "", caps),
    ...others.flatMap(([title, keys]) => [made("h3", { text: title }), listed(keys, "", caps)]),
    ...(finder.form.isConnected ? [made("h3", { text: "Finding images" }), listed(CONDITIONS, "words", (words) => [made("code", { text: words })])] : []));
};

const pressed = (key) => {
  if (/^[1-9]$/.test(key)) {
    const name = explainers[key - 1];
    if (!name) return false;
    state.explainer = state.explainer === name ? "" : name;
    explained();
    remember();
    return true;
  }
  const act = {
    ArrowLeft: () => turned(-1), k: () => turned(-1), ArrowRight: () => turned(1), j: () => turned(1),
    o: () => { const article = now(); if (!article) return; own(article.dataset.key).mode = lookOf(article.dataset.key).mode === "original" ? "overlay" : "original"; show(article); current(article.dataset.key); },
    "+": () => now() && zoomed(now(), 1.25), "=": () => now() && zoomed(now(), 1.25), "-": () => now() && zoomed(now(), 0.8), 0: () => now() && zoomed(now(), 0),
    "/": () => { finder.field.focus(); finder.field.select(); }, "?": help,
  }[key];
  if (act) act();
  return Boolean(act);
};
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey || event.isComposing) return;
  if (event.target.closest("input, select, textarea, [contenteditable]")) {
    if (event.key === "Escape" && event.target === finder.field) {
      event.preventDefault();
      state.find = "";
      found();
      remember();
      event.target.blur();
    }
    return;
  }
  const open = document.querySelector("dialog[open]");
  if (steered(event)) return event.preventDefault();
  if (open && !(open.querySelector(".matrix") && "+=-0".includes(event.key))) return;
  if (pressed(event.key)) event.preventDefault();
});
