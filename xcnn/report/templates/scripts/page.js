// The page is complete without this script. It adds what can be changed, compared, searched and enlarged.
// Text goes into the page as text, never as markup.
const root = document.documentElement;
root.classList.add("js");

const all = (selector, within = document) => [...within.querySelectorAll(selector)];
const SVG = "http://www.w3.org/2000/svg";

/** Make an element; what begins with `on` is listened to, `text` is its text, everything else an attribute. */
const made = (tag, told = {}, ...children) => {
  const [name, space] = tag.startsWith("svg:") ? [tag.slice(4), SVG] : [tag, "http://www.w3.org/1999/xhtml"];
  const one = document.createElementNS(space, name);
  for (const [key, value] of Object.entries(told)) {
    if (key.startsWith("on")) one.addEventListener(key.slice(2), value);
    else if (key === "text") one.textContent = value;
    else if (value === true) one.setAttribute(key, "");
    else if (value !== false && value !== undefined) one.setAttribute(key, value);
  }
  one.append(...children);
  return one;
};
const button = (text, onclick, told = {}) => made("button", { type: "button", text, onclick, ...told });
const slider = (text, told, oninput) => {
  const shown = made("output");
  const range = made("input", { type: "range", autocomplete: "off", ...told, oninput: () => oninput(Number(range.value)) });
  return { label: made("label", {}, text, " ", range, shown), set: (value, words) => { range.value = value; shown.textContent = words; } };
};
const select = (text, choices, onchange) => {
  const list = made("select", { autocomplete: "off", onchange: () => onchange(list.value) }, ...choices.map(([value, words]) => made("option", { value, text: words })));
  return { label: made("label", {}, text, " ", list), set: (value) => { list.value = value; } };
};
const short = (value) => {
  const size = Math.abs(value);
  return value === 0 ? "0" : size >= 0.001 && size < 10000 ? value.toFixed(size < 1 ? 3 : 2) : value.toExponential(1);
};

/** A dialog with a title and a button that closes it; it goes when it is closed. */
const dialog = (title, closed, ...children) => {
  const one = made("dialog", { "aria-labelledby": "dialog-title", onclose: () => { one.remove(); closed(); } },
    made("header", {}, made("h2", { id: "dialog-title", "aria-live": "polite", text: title }), button("Close", () => one.close())), ...children);
  one.addEventListener("click", (event) => { if (event.target === one) one.close(); });
  document.body.append(one);
  one.showModal();
  return one;
};

const does = {
  theme() {
    const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    state.theme = dark ? "light" : "dark";
    themed();
    remember();
  },
  async copy(pressed) {
    const command = pressed.parentElement.querySelector("code");
    const status = pressed.parentElement.querySelector("[role=status]");
    try {
      await navigator.clipboard.writeText(command.textContent);
      status.textContent = "Copied.";
    } catch {
      // Some browsers keep the clipboard from local files: leave the last key to the reader.
      getSelection().selectAllChildren(command);
      status.textContent = "Selected; copy it with your keyboard.";
    }
  },
};
document.addEventListener("click", ({ target }) => {
  const pressed = target.closest("[data-does]");
  if (pressed) does[pressed.dataset.does](pressed);
});
