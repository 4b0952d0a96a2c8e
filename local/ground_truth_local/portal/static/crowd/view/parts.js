import { h } from "../dom.js";
import { iconOf } from "../icons.js";

/** A button with an icon; its title says the key as well. */
export function action(name, title, onclick) {
  return h("button", { type: "button", title, "aria-label": title.replace(/ \(.*/, ""), onclick }, iconOf(name));
}

/** Show a radio button as chosen or not; the chosen one is the group's stop for the Tab key. */
export function choose(button, chosen) {
  button.setAttribute("aria-checked", String(chosen));
  button.tabIndex = chosen ? 0 : -1;
}

/** Arrow keys move within a group of radio buttons, as they do in native ones. */
export function roving(group) {
  group.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    const buttons = [...group.querySelectorAll('[role="radio"]')].filter((button) => !button.hidden);
    const index = buttons.indexOf(event.target);
    if (!step || index < 0) return;
    event.preventDefault();
    const next = buttons[(index + step + buttons.length) % buttons.length];
    next.click();
    next.focus();
  });
}

/** A slider with its name and value. */
export function slider({ name, label, min, max, oninput }) {
  const range = h("input", { type: "range", min, max, "aria-label": label });
  const output = h("output");
  range.addEventListener("input", () => oninput(Number(range.value)));
  const root = h("label", { title: label }, name, range, output);
  return {
    root,
    range,
    set(value, text) {
      range.value = value;
      range.setAttribute("aria-valuetext", text);
      output.value = text;
    },
  };
}
