// The epochs of a training: one is shown at a time, the last unless a slider says otherwise.
const trained = all("[data-epoch]");
const timeline = (() => {
  const logged = made("span", { class: "logged" });
  const last = epochs.length - 1;
  const range = slider("Epoch", { min: 0, max: last }, (at) => {
    state.epoch = at === last ? 0 : epochs[at][0];
    epoched();
    found();
    remember();
  });
  return {
    built: made("div", { class: "controls timeline", role: "group", "aria-label": "Training" }, range.label, logged),
    set(at) {
      const [number, words] = epochs[at];
      range.set(at, `${number} of ${epochs[last][0]}`);
      // The slider counts what there is; of every second epoch, say, its places are not the numbers.
      range.label.querySelector("input").setAttribute("aria-valuetext", `epoch ${number}${words ? `: ${words}` : ""}`);
      logged.textContent = words;
    },
  };
})();

/** Show the epoch that is asked for. */
const epoched = () => {
  if (!epochs.length) return;
  const asked = epochs.findIndex(([number]) => number === state.epoch);
  const at = asked < 0 ? epochs.length - 1 : asked;
  for (const block of trained) block.hidden = Number(block.dataset.epoch) !== epochs[at][0];
  for (const article of images) {
    missed(article, epochs[at][0]);
    judge(article);
  }
  timeline.set(at);
};
/** Say so where an image has nothing of an epoch. */
const missed = (article, number) => {
  const own = all("[data-epoch]", article);
  const none = own.length > 0 && own.every((block) => block.hidden);
  const note = article.querySelector(".missed");
  if (!none) note?.remove();
  else if (note) note.textContent = `Nothing was explained after epoch ${number}.`;
  else article.querySelector(".cards").append(made("p", { class: "missed quiet", text: `Nothing was explained after epoch ${number}.` }));
};
/** An image is found by what is predicted of it now. */
const judge = (article) => {
  const block = ofEpoch("[data-epoch]", article)[0];
  if (!block?.dataset.name) return;
  records.set(article, { ...records.get(article), ...foundBy(block.dataset, false, "", records.get(article).at) });
  const truth = article.querySelector(".truth");
  truth?.querySelector("b")?.remove();
  if (block.dataset.wrong) truth?.append(" ", made("b", { text: `wrong: predicted ${block.dataset.pred}` }));
};
/** What a part of the page shows of this epoch, and of no epoch. */
const ofEpoch = (selector, within) => all(selector, within).filter((one) => !one.closest("[data-epoch][hidden]"));
