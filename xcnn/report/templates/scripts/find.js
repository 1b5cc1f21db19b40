// Finding images: text, label:, pred:, conf:, warn, wrong, and ! before any of them.
const titles = new Map(Object.entries(JSON.parse(document.body.dataset.titles)));
const failures = all(".failure");
const foundBy = (told, failed, text) => ({ ...told, failed, text: (told.name ? `${told.name} ${told.labels} ${told.pred}` : text).toLowerCase() });
const records = new Map([...images, ...failures].map((article) => [article, foundBy(article.dataset, article.classList.contains("failure"), article.textContent)]));
/** The images of the other pages; the first page knows them. */
const elsewhere = JSON.parse(document.getElementById("elsewhere")?.textContent ?? "[]").map((told) => foundBy(told, false, ""));
const { page: pageNumber, firstPage } = document.body.dataset;
const words = (text) => (text.match(/!?(?:[a-z]+:)?"[^"]*"?|\S+/gi) ?? []).map((word) => word.replaceAll('"', ""));

const fits = (record, word) => {
  if (word.startsWith("!") && word.length > 1) return !fits(record, word.slice(1));
  const [, field, rest] = word.match(/^(label|pred|conf):(.*)$/i) ?? [];
  const { labels = "", pred = "", conf = "", warn, wrong, failed, text } = record;
  switch ((field ?? word).toLowerCase()) {
    case "label": return labels.toLowerCase().includes(rest.toLowerCase());
    case "pred": return pred.toLowerCase().includes(rest.toLowerCase());
    case "warn": return failed || warn === "yes";
    case "wrong": return wrong === "yes";
    case "conf": {
      const [, sign, number, percent] = rest.match(/^(<=|>=|<|>|=)?(\d*\.?\d+)(%?)$/) ?? [];
      if (number === undefined) return rest === "";
      if (conf === "") return false;
      const value = Number(conf), limit = Number(number) / (percent ? 100 : 1);
      return { "<": value < limit, ">": value > limit, "<=": value <= limit, ">=": value >= limit, "=": Math.abs(value - limit) < 0.005 }[sign ?? "="];
    }
    default: return text.includes(word.toLowerCase());
  }
};

const SORTS = {
  "": ["as given", (one, other) => images.indexOf(one) - images.indexOf(other)],
  "conf-up": ["least confident", (one, other) => (one.dataset.conf || 2) - (other.dataset.conf || 2)],
  "conf-down": ["most confident", (one, other) => (other.dataset.conf || -1) - (one.dataset.conf || -1)],
  name: ["name", (one, other) => one.dataset.name.localeCompare(other.dataset.name, "en", { numeric: true })],
  time: ["slowest", (one, other) => other.dataset.seconds - one.dataset.seconds],
};
const finder = (() => {
  const field = made("input", { type: "search", autocomplete: "off", spellcheck: "false", placeholder: `cat  pred:dog  conf:<0.5  warn${images.some((article) => article.dataset.truth) ? "  wrong" : ""}`, "aria-label": "Find images", oninput: () => { state.find = field.value; found(); remember(); } });
  const sort = select("Sort", Object.entries(SORTS).map(([value, [text]]) => [value, text]), (value) => { state.sort = value; sorted(); remember(); });
  const count = made("output", { role: "status", class: "count" });
  const others = made("div", { class: "others" });
  return { field, sort, count, others, form: made("form", { role: "search", onsubmit: (event) => event.preventDefault() }, field, sort.label, count, others) };
})();

const MOST_OTHERS = 50;
/** What is found on the other pages; a page that does not know them leads to the one that does. */
const foundElsewhere = (asked) => {
  finder.others.replaceChildren();
  if (!firstPage || !asked.length) return "";
  if (pageNumber !== "1") {
    finder.others.append(made("a", { href: `${firstPage}#${new URLSearchParams({ q: state.find })}`, text: "Find in all pages" }));
    return "";
  }
  const fitting = elsewhere.filter((record) => asked.every((word) => fits(record, word)));
  const link = ({ page, key, name, pred, conf }) => made("li", {},
    made("a", { href: `./${encodeURIComponent(page)}#${new URLSearchParams({ img: key })}` }, made("bdi", { text: name })), " ",
    made("span", { class: "quiet", text: [pred, conf && `${(100 * conf).toFixed(1)}%`].filter(Boolean).join(" ") }));
  if (fitting.length) finder.others.append(made("ul", {}, ...fitting.slice(0, MOST_OTHERS).map(link)));
  if (fitting.length > MOST_OTHERS) finder.others.append(made("p", { class: "quiet", text: `and ${fitting.length - MOST_OTHERS} more` }));
  return `, ${fitting.length} of ${elsewhere.length} on other pages`;
};

const found = () => {
  const asked = words(state.find);
  const shownOf = (articles) => articles.filter((article) => {
    article.hidden = !asked.every((word) => fits(records.get(article), word));
    return !article.hidden;
  }).length;
  const failed = shownOf(failures);
  const number = shownOf(images);
  const more = failures.length ? `, ${failed} of ${failures.length} failed` : "";
  finder.count.textContent = `${number} of ${images.length} image${images.length === 1 ? "" : "s"}${firstPage ? " on this page" : ""}${foundElsewhere(asked)}${more}`;
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
  mark.replaceWith(...[...images].sort(SORTS[state.sort][1]));
};

/** Show the results of one explainer alone, or of all. */
const explained = () => {
  for (const card of all(".card")) card.hidden = Boolean(state.explainer) && card.dataset.explainer !== state.explainer;
  for (const group of all(".group")) group.hidden = !all(".card", group).some((card) => !card.hidden);
};
