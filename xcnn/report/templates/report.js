"use strict";
// The page is complete without this script. It adds the sliders, the theme button and the copy button.
(() => {
  const root = document.documentElement;
  root.classList.add("js");

  const follow = (slider, value) => {
    slider.value = value;
    slider.nextElementSibling.textContent = `${value}%`;
  };

  document.addEventListener("input", ({ target }) => {
    if (!target.matches(".opacity")) return;
    const card = target.closest(".card");
    follow(target, target.value);
    (card ?? root).style.setProperty("--opacity", target.value / 100);
    if (card) return;
    for (const other of document.querySelectorAll(".card")) {
      other.style.removeProperty("--opacity");
      const slider = other.querySelector(".opacity");
      if (slider) follow(slider, target.value);
    }
  });

  const does = {
    theme() {
      const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
      root.dataset.theme = dark ? "light" : "dark";
    },
    async copy(button) {
      const command = button.parentElement.querySelector("code");
      const status = button.parentElement.querySelector("[role=status]");
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
    const button = target.closest("[data-does]");
    if (button) does[button.dataset.does](button);
  });
})();
