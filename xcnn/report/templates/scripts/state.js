// What the reader has chosen, and its form in the address: the whole view can be sent as a link.
const MODES = [["overlay", "Overlay"], ["original", "Original"], ["side", "Side by side"], ["swipe", "Swipe"]];
const titles = new Map(Object.entries(JSON.parse(document.body.dataset.titles)));
const explainers = document.body.dataset.explainers.split(" ").filter(Boolean);
const images = all(".image[data-key]");
const keyed = new Map(images.map((article) => [article.dataset.key, article]));
const FIRST = { palette: "run", threshold: 0, gamma: 1, opacity: Number(document.body.dataset.opacity), mode: "overlay" };
const SHORT = { palette: "p", threshold: "t", gamma: "g", opacity: "o", mode: "v" };
const OWN = { ...SHORT, swipe: "s", zoom: "z", x: "x", y: "y" };
/** The epochs that something is said of: the number of each, and what was logged of it. */
const epochs = JSON.parse(document.body.dataset.epochs ?? "[]");
const fresh = () => ({ page: { ...FIRST }, own: {}, image: "", explainer: "", find: "", sort: "", theme: "", matrix: "", tile: "", nth: 0, epoch: 0 });
let state = fresh();

const limits = { threshold: [0, 99], gamma: [0.2, 3], opacity: [0, 100], swipe: [0, 100], zoom: [1, 32], x: [0, 1], y: [0, 1] };
const valid = (key, text) => {
  if (key === "palette") return text === "run" || Object.hasOwn(PALETTES, text) ? text : undefined;
  if (key === "mode") return MODES.some(([name]) => name === text) ? text : undefined;
  const value = Number(text);
  if (!text || !Number.isFinite(value)) return undefined;
  return Math.min(Math.max(value, limits[key][0]), limits[key][1]);
};
const own = (key) => (state.own[key] ??= {});
const lookOf = (key) => ({ ...state.page, ...state.own[key] });

const hashOf = ({ page, own: owned, image, explainer, find, sort, theme, matrix, tile, nth, epoch }) => {
  const told = new URLSearchParams();
  if (image) told.set("img", image);
  for (const [key, name] of Object.entries(SHORT)) if (page[key] !== FIRST[key]) told.set(name, page[key]);
  for (const [id, chosen] of Object.entries(owned)) {
    const words = Object.entries(OWN).filter(([key]) => chosen[key] !== undefined).map(([key, name]) => `${name}:${chosen[key]}`);
    if (words.length) told.set(`i.${id}`, words.join(","));
  }
  for (const [name, value] of Object.entries({ m: explainer, q: find, sort, theme, matrix, f: tile, n: tile && nth && nth + 1, epoch })) if (value) told.set(name, value);
  return told.toString();
};

const stateOf = (hash) => {
  const told = new URLSearchParams(hash), found = fresh();
  for (const [key, name] of Object.entries(SHORT)) found.page[key] = valid(key, told.get(name) ?? "") ?? FIRST[key];
  for (const [name, value] of told) {
    const id = name.startsWith("i.") ? name.slice(2) : "";
    if (!keyed.has(id)) continue;
    found.own[id] = {};
    for (const word of value.split(",")) {
      const [letter, text] = word.split(":");
      const [key] = Object.entries(OWN).find(([, one]) => one === letter) ?? [];
      const checked = key && valid(key, text ?? "");
      if (checked !== undefined && key) found.own[id][key] = checked;
    }
  }
  found.image = keyed.has(told.get("img")) ? told.get("img") : "";
  found.matrix = keyed.has(told.get("matrix")) ? told.get("matrix") : "";
  found.explainer = explainers.includes(told.get("m")) ? told.get("m") : "";
  found.theme = ["light", "dark"].includes(told.get("theme")) ? told.get("theme") : "";
  found.nth = Math.max(Math.trunc(Number(told.get("n"))) || 1, 1) - 1;
  // Of the last, which is shown anyway, nothing is said.
  found.epoch = epochs.slice(0, -1).map(([number]) => number).find((number) => String(number) === told.get("epoch")) ?? 0;
  [found.find, found.sort, found.tile] = ["q", "sort", "f"].map((name) => told.get(name) ?? "");
  return found;
};

/** Light or dark, as the reader chose; as the system is, without a choice. */
const themed = () => {
  if (state.theme) root.dataset.theme = state.theme;
  else delete root.dataset.theme;
};

/** The view as it holds on every page, for links to other pages. */
const carried = (more = {}) => {
  const told = hashOf({ ...fresh(), page: state.page, explainer: state.explainer, find: state.find, sort: state.sort, theme: state.theme, epoch: state.epoch, ...more });
  return told && `#${told}`;
};
const turners = all(".pages a").map((link) => [link, link.getAttribute("href")]);
const linked = () => { for (const [link, target] of turners) link.setAttribute("href", target + carried()); };
let waiting = 0;
/** Write the view into the address, without a step in the history. Browsers refuse it when it comes too often. */
const remember = () => {
  linked();
  clearTimeout(waiting);
  waiting = setTimeout(noted, 120);
};
const noted = () => {
  clearTimeout(waiting);
  history.replaceState(history.state, "", `#${hashOf(state)}`);
};
/** What opens is a step in the history: Back closes it. */
const stepped = (change) => {
  noted();
  change();
  history.pushState({ opened: true }, "", `#${hashOf(state)}`);
};
let returning = false;
/** What the reader closes takes its step back. */
const closedAgain = () => {
  if (!history.state?.opened) return remember();
  clearTimeout(waiting);
  returning = true;
  history.back();
};
