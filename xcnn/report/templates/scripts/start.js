// The page as its address asks for it.
const shown = () => {
  themed();
  colourAll(state.page);
  page.set();
  for (const article of images) show(article);
};
const arrived = () => {
  epoched();
  shown();
  sorted();
  found();
  explained();
  linked();
  for (const article of images) article.classList.remove("current");
  if (state.image) current(state.image, { move: true });
  if (state.matrix && !document.querySelector("dialog .matrix")) matrix(keyed.get(state.matrix));
  if (state.tile) enlargeNamed(state.tile);
};
const asked = () => (location.hash.includes("=") ? location.hash.slice(1) : "");

const bar = document.querySelector(".bar .controls");
if (all("[data-tint], .heat").length) bar.prepend(...page.built);
bar.append(button("?", help, { "aria-label": "Keys", title: "Keys" }));
if (epochs.length > 1) document.querySelector(".bar").append(timeline.built);
epoched();
if (images.length > 1 || failures.length || firstPage) document.querySelector(".bar").append(finder.form);
for (const article of images) {
  tools(article);
  readable(article);
}
if (asked()) state = stateOf(asked());
arrived();
addEventListener("hashchange", () => {
  if (returning) {
    returning = false;
    noted();
    return;
  }
  // A heading of the page is no view; an empty address is the first one.
  if ((location.hash.length > 1 && !asked()) || asked() === hashOf(state)) return;
  clearTimeout(waiting);
  enlarging = null;
  for (const open of all("dialog[open]")) open.close();
  state = stateOf(asked());
  arrived();
});
// On paper, nothing is far below.
addEventListener("beforeprint", () => {
  for (const photo of all("img[loading=lazy]")) photo.loading = "eager";
});
