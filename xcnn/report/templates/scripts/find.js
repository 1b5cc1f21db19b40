// Finding images: text, label:, pred:, conf:, warn, wrong, and ! before any of them.
const failures = all(".failure");
const foundBy = (told, failed, text, at) => ({ ...told, failed, at, text: (told.name ? `${told.name} ${told.labels} ${told.pred}` : text).toLowerCase() });
const records = new Map([...images, ...failures].map((article, at) => [article, foundBy(article.dataset, article.classList.contains("failure"), article.textContent, at)]));
const { page: pageNumber, firstPage, failures: failed } = document.body.dataset;
/** The images of the other pages. */
const elsewhere = (() => {
  const { fields = [], pages = [], rows = [] } = JSON.parse(document.getElementById("index")?.textContent ?? "{}");
  return rows.map((row, at) => foundBy(Object.fromEntries(fields.map((field, place) => [field, row[place]])), false, "", at))
    .filter(({ page: on }) => String(on) !== pageNumber).map((record) => ({ ...record, file: pages[record.page - 1] }));
})();
const judged = [...records.values(), ...elsewhere].some(({ truth }) => truth);
/** The conditions of a search; spaces within one are forgiven, and what is only begun is none yet. */
const words = (text) => (text
  .replace(/(^|[\s!])(label|pred|conf):\s+/gi, "$1$2:")
  .replace(/(^|[\s!])conf\s*(?=[<>=]\s*\S)/gi, "$1conf:")
  .replace(/(conf:[<>]?=?)\s+(?=[\d.])/gi, "$1")
  .replace(/(^|\s)!\s+/g, "$1!")
  .match(/!?(?:[a-z]+:)?"[^"]*"?|\S+/gi) ?? []).filter((word) => !/^!?(?:(?:label|pred|conf):)?$/i.test(word));
const bare = (word) => word.replaceAll('"', "");
const LIMIT = /^(<=|>=|<|>|=)?(\d*\.?\d+)(%?)$/;
/** The probability that a condition names: 0.5, 50% and 50 are the same. */
const limitOf = (rest) => {
  const [, , number, percent] = rest.match(LIMIT) ?? [];
  return Number(number) / (percent || Number(number) > 1 ? 100 : 1);
};

const fits = (record, asked) => {
  const word = bare(asked);
  if (word.startsWith("!") && word.length > 1) return !fits(record, asked.slice(1));
  // What begins with a quotation mark is text.
  const [, field, rest] = (!asked.startsWith('"') && word.match(/^(label|pred|conf):(.*)$/i)) || [];
  const { labels = "", pred = "", conf = "", warn, wrong, failed: isFailure, text } = record;
  switch (field ? `${field.toLowerCase()}:` : asked.toLowerCase()) {
    case "label:": return labels.toLowerCase().includes(rest.toLowerCase());
    case "pred:": return pred.toLowerCase().includes(rest.toLowerCase());
    case "warn": return isFailure || warn === "yes";
    case "wrong": return wrong === "yes";
    case "conf:": {
      const [, sign] = rest.match(LIMIT) ?? [], value = Number(conf), limit = limitOf(rest);
      if (conf === "" || Number.isNaN(limit)) return false;
      return { "<": value < limit, ">": value > limit, "<=": value <= limit, ">=": value >= limit, "=": Math.abs(value - limit) < 0.005 }[sign ?? "="];
    }
    default: return text.includes(word.toLowerCase());
  }
};
/** What is wrong with a condition, in words; nothing of plain text. A quoted one is text, and so is the letter of a drive. */
const oddOf = (asked) => {
  const word = bare(asked).replace(/^!/, ""), [, field, rest] = asked.replace(/^!/, "").match(/^([a-z]{2,}):(.*)$/i) ?? [];
  if (word.toLowerCase() === "wrong" && !judged) return "wrong finds nothing: the run was told no truth";
  if (field === undefined) return "";
  if (field.toLowerCase() === "conf") {
    const limit = limitOf(bare(rest));
    return Number.isNaN(limit) ? `${word} is not understood: write conf:<0.5` : limit > 1 ? `${word} is beyond all: a probability is at most 100%` : "";
  }
  return ["label", "pred"].includes(field.toLowerCase()) ? "" : `${word} is not understood and looked for as text: write label:, pred: or conf:`;
};

const SORTS = {
  "": ["as given", (one, other) => one.at - other.at],
  "conf-up": ["least confident", (one, other) => (one.conf || 2) - (other.conf || 2)],
  "conf-down": ["most confident", (one, other) => (other.conf || -1) - (one.conf || -1)],
  name: ["name", (one, other) => one.name.localeCompare(other.name, "en", { numeric: true })],
  time: ["slowest", (one, other) => other.seconds - one.seconds],
};
const finder = (() => {
  const field = made("input", { type: "search", autocomplete: "off", spellcheck: "false", placeholder: `cat  pred:dog  conf:<0.5  warn${judged ? "  wrong" : ""}`, "aria-label": "Find images", oninput: () => { state.find = field.value; found(); remember(); } });
  const sort = select(firstPage ? "Sort this page" : "Sort", Object.entries(SORTS).map(([value, [text]]) => [value, text]), (value) => { state.sort = value; sorted(); found(); remember(); });
  const count = made("output", { role: "status", class: "count" });
  const odd = made("output", { role: "status", class: "odd" });
  const others = made("div", { class: "others" });
  return { field, sort, count, odd, others, form: made("form", { role: "search", onsubmit: (event) => event.preventDefault() }, field, sort.label, count, odd, others) };
})();

const MOST_OTHERS = 50;
/** What is found on the other pages, in the order that is asked for. */
const foundElsewhere = (asked) => {
  finder.others.replaceChildren();
  if (!firstPage || !(asked.length || state.sort)) return "";
  const fitting = elsewhere.filter((record) => asked.every((word) => fits(record, word))).sort(SORTS[state.sort][1]);
  const link = ({ file, key, name, pred, conf }) => made("li", {},
    made("a", { href: `./${encodeURIComponent(file)}${carried({ image: key })}` }, made("bdi", { text: name })), " ",
    made("span", { class: "quiet", text: [pred, conf && `${(100 * conf).toFixed(1)}%`].filter(Boolean).join(" ") }));
  const list = [
    ...(fitting.length ? [made("ul", {}, ...fitting.slice(0, MOST_OTHERS).map(link))] : []),
    ...(fitting.length > MOST_OTHERS ? [made("p", { class: "quiet", text: `and ${fitting.length - MOST_OTHERS} more` })] : []),
  ];
  const first = state.sort === "name" ? "by name" : `${SORTS[state.sort][0]} first`;
  // The list of a question is its answer; that of an order alone would only stand in the way.
  finder.others.append(...(state.sort ? [made("details", { open: asked.length > 0 }, made("summary", { text: `Sorted within this page. On the other pages, ${first}` }), ...list)] : list));
  if (asked.length && failed > 0 && pageNumber !== "1") finder.others.append(made("a", { href: firstPage + carried(), text: "Find among the failures, on the first page" }));
  return asked.length ? `, ${fitting.length} of ${elsewhere.length} on other pages` : "";
};

const found = () => {
  const asked = words(state.find);
  const shownOf = (articles) => articles.filter((article) => {
    article.hidden = !asked.every((word) => fits(records.get(article), word));
    return !article.hidden;
  }).length;
  const failing = shownOf(failures);
  const number = shownOf(images);
  const more = failures.length ? `, ${failing} of ${failures.length} failed` : "";
  finder.count.textContent = `${number} of ${images.length} image${images.length === 1 ? "" : "s"}${firstPage ? " on this page" : ""}${foundElsewhere(asked)}${more}`;
  finder.odd.textContent = asked.map(oddOf).filter(Boolean).join("; ");
  if (finder.field.value !== state.find) finder.field.value = state.find;
};
let order = "";
const sorted = () => {
  if (!Object.hasOwn(SORTS, state.sort)) state.sort = "";
  finder.sort.set(state.sort);
  if (order === state.sort || !images.length) return;
  order = state.sort;
  const mark = document.createComment("");
  images[0].parentElement.insertBefore(mark, all(".image[data-key]")[0]);
  mark.replaceWith(...[...images].sort((one, other) => SORTS[state.sort][1](records.get(one), records.get(other))));
};

/** Show the results of one explainer alone, or of all. */
const explained = () => {
  for (const card of all(".card")) card.hidden = Boolean(state.explainer) && card.dataset.explainer !== state.explainer;
  for (const group of all(".group")) group.hidden = !all(".card", group).some((card) => !card.hidden);
};
