// From gray levels to colours: the tables of the filters. tints.py writes the first ones.
const STRONG = 0.6, PALE = 200;
const parsed = (stops) => stops.map((stop) => [1, 3, 5].map((at) => parseInt(stop.slice(at, at + 2), 16)));
const between = (stops, share) => {
  const place = Math.min(Math.max(share, 0), 1) * (stops.length - 1);
  const low = Math.min(Math.floor(place), Math.max(stops.length - 2, 0));
  const high = Math.min(low + 1, stops.length - 1);
  return stops[low].map((value, at) => value + (place - low) * (stops[high][at] - value));
};

/** 256 colours with an opacity, 0..255 and 0..1, for the levels of a map. */
const table = ({ signed, over, cut }, { palette, threshold, gamma }) => {
  const diverging = palette === "diverging";
  const stops = parsed(palette === "run" ? RUN[signed ? "signed" : "positive"] : PALETTES[palette]);
  const centred = signed || diverging;
  const veils = over && centred && Math.min(...between(stops, 0.5)) >= PALE;
  const zero = signed ? 127 : 0, most = signed ? 127 : 255;
  return Array.from({ length: 256 }, (_, level) => {
    const value = Math.min(Math.max((level - zero) / most, -1), 1);
    const size = Math.abs(value), bent = size ** gamma;
    const strong = veils ? Math.max(bent, STRONG) : bent;
    const share = centred ? 0.5 + (value < 0 ? -strong : strong) / 2 : strong;
    const hidden = Math.abs(level - zero) < cut || size < threshold / 100;
    return { colour: between(stops, share), opacity: hidden ? 0 : veils ? bent : 1 };
  });
};

const written = (filter, look) => {
  const { sign, over, cut } = filter.dataset;
  const found = table({ signed: sign === "signed", over: over === "yes", cut: Number(cut) }, look);
  ["R", "G", "B"].forEach((channel, at) => {
    filter.querySelector(`feFunc${channel}`).setAttribute("tableValues", found.map(({ colour }) => (colour[at] / 255).toFixed(4)).join(" "));
  });
  filter.querySelector("feFuncA").setAttribute("tableValues", found.map(({ opacity }) => opacity.toFixed(3)).join(" "));
};

/** The colour bars of a part of the page. */
const barred = (part, look) => {
  const bar = (signed) => {
    const found = table({ signed, over: false, cut: 0 }, { ...look, threshold: 0 });
    const last = signed ? 254 : 255;
    return Array.from({ length: 33 }, (_, at) => `rgb(${found[Math.round((at / 32) * last)].colour.map(Math.round).join(" ")})`).join(", ");
  };
  part.style.setProperty("--palette", bar(false));
  part.style.setProperty("--signed", bar(true));
};

const tints = all("filter[data-sign]");
const same = (one, other) => ["palette", "threshold", "gamma"].every((key) => one[key] === other[key]);

/** Colour everything as the page asks. */
const colourAll = (look) => {
  for (const filter of tints) written(filter, look);
  barred(root, look);
  root.style.setProperty("--opacity", look.opacity / 100);
};

/** Colour the maps of one image with a look of its own, or as the page does. */
const colourOne = (article, look, page) => {
  const own = same(look, page) ? "" : `-of-${article.dataset.key}`;
  const needed = new Set();
  for (const heat of all("[data-tint]", article)) {
    needed.add(heat.dataset.tint);
    heat.setAttribute("filter", `url(#${heat.dataset.tint}${own})`);
  }
  for (const name of own ? needed : []) {
    let filter = document.getElementById(name + own);
    if (!filter) {
      filter = document.getElementById(name).cloneNode(true);
      filter.id = name + own;
      tints[0].parentElement.append(filter);
    }
    written(filter, look);
  }
  if (own) barred(article, look);
  else ["--palette", "--signed"].forEach((name) => article.style.removeProperty(name));
  if (look.opacity === page.opacity) article.style.removeProperty("--opacity");
  else article.style.setProperty("--opacity", look.opacity / 100);
};
