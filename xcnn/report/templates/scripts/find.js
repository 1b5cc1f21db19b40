// Finding images: text, label:, pred:, conf:, warn, wrong, and ! before any of them.
const titles = new Map(Object.entries(JSON.parse(document.body.dataset.titles)));
const failures = all(".failure");
const texts = new Map([...images, ...failures].map((article) => [article, (article.dataset.name ? `${article.dataset.name} ${article.dataset.labels} ${article.dataset.pred}` : article.textContent).toLowerCase()]));
const words = (text) => (text.match(/!?(?:[a-z]+:)?"[^"]*"?|\S+/gi) ?? []).map((word) => word.replaceAll('"', ""));

const fits = (article, word) => {
  if (word.startsWith("!") && word.length > 1) return !fits(article, word.slice(1));
  const failed = article.classList.contains("failure");
  const [, field, rest] = word.match(/^(label|pred|conf):(.*)$/i) ?? [];
  const { labels = "", pred = "", conf = "", warn, wrong } = article.dataset;
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
    default: return texts.get(article).includes(word.toLowerCase());
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
  const field = made("input", { type: "search", autocomplete: "off", spellcheck: "false", placeholder: "cat  pred:dog  conf:<0.5  warn", "aria-label": "Find images", oninput: () => { state.find = field.value; found(); remember(); } });
  const sort = select("Sort", Object.entries(SORTS).map(([value, [text]]) => [value, text]), (value) => { state.sort = value; sorted(); remember(); });
  const count = made("output", { role: "status", class: "count" });
  return { field, sort, count, form: made("form", { role: "search", onsubmit: (event) => event.preventDefault() }, field, sort.label, count) };
})();

const found = () => {
  const asked = words(state.find);
  const shownOf = (articles) => articles.filter((article) => {
    article.hidden = !asked.every((word) => fits(article, word));
    return !article.hidden;
  }).length;
  const failed = shownOf(failures);
  const number = shownOf(images);
  const more = failures.length ? `, ${failed} of ${failures.length} failed` : "";
  finder.count.textContent = `${number} of ${images.length} image${images.length === 1 ? "" : "s"}${more}`;
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
