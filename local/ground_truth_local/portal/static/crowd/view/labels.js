import { h } from "../dom.js";
import { iconOf } from "../icons.js";
import { choose, roving } from "./parts.js";

/** From here on a person searches a label rather than reads them all. */
const SEARCH_FROM = 12;

/** The labels: one is selected; each is shown or hidden, locked or not; many can be searched. */
export class LabelPanel {
  constructor(labels, colors, actions) {
    this._labels = labels;
    this._actions = actions;
    this._rows = labels.map((label, index) => row(label, index + 1, colors[index], actions));
    const choices = h("div", { class: "choices", role: "radiogroup", "aria-label": "Label" });
    choices.append(...this._rows.map((one) => one.choice));
    roving(choices);
    const switches = h("div", { class: "choices", role: "group", "aria-label": "Shown and locked labels" });
    switches.append(...this._rows.flatMap((one) => [one.eye, one.lock]));
    this._none = h("p", { class: "note", role: "status", hidden: true }, "No label like that.");
    this.root = h(
      "section",
      { class: "labels", "aria-label": "Labels" },
      h("h2", {}, "Labels"),
      this._search(),
      h("div", { class: "list" }, choices, switches),
      this._none,
      h("p", { class: "note" }, "What stays unpainted is background."),
    );
  }

  /** Put the cursor into the search, where there is one. */
  focusSearch() {
    this._input?.focus();
    this._input?.select();
  }

  update(editor) {
    this._rows.forEach(({ choice, eye, lock }, index) => {
      const id = index + 1;
      choose(choice, id === editor.label);
      press(eye, editor.hidden.has(id), "eye-off", "eye");
      press(lock, editor.locked.has(id), "lock", "lock-open");
    });
    if (editor.label === this._shown) return;
    this._shown = editor.label;
    this._rows[editor.label - 1]?.choice.scrollIntoView({ block: "nearest" });
  }

  _search() {
    if (this._labels.length <= SEARCH_FROM) return null;
    this._input = h("input", { type: "search", placeholder: `Search ${this._labels.length} labels`, "aria-label": "Search labels" });
    this._input.addEventListener("input", () => this._filter());
    this._input.addEventListener("keydown", (event) => {
      if (event.key === "Enter") this._take(event);
      else if (event.key === "Escape") this._leave(event);
    });
    return this._input;
  }

  _filter() {
    const words = fold(this._input.value).split(/\s+/).filter(Boolean);
    let found = 0;
    this._rows.forEach(({ choice, eye, lock }, index) => {
      const matches = words.every((word) => fold(this._labels[index]).includes(word));
      for (const part of [choice, eye, lock]) part.hidden = !matches;
      found += Number(matches);
    });
    this._none.hidden = found > 0;
  }

  _take(event) {
    event.preventDefault();
    const first = this._rows.findIndex(({ choice }) => !choice.hidden);
    if (first < 0) return;
    this._actions.label(first + 1);
    this._leave(event);
  }

  _leave(event) {
    event.stopPropagation();
    this._input.value = "";
    this._filter();
    this._actions.focus();
  }
}

/** Letters without marks and case, so that "strasse" and "café" are found as people type them. */
function fold(text) {
  return text.normalize("NFKD").replace(/\p{M}/gu, "").replaceAll("ß", "ss").toLowerCase();
}

function row(label, id, color, actions) {
  const place = `grid-row:${id}`;
  const key = id <= 10 ? h("kbd", { "aria-hidden": "true" }, String(id % 10)) : null;
  const choice = h(
    "button",
    { type: "button", role: "radio", "data-label": id, style: place, lang: "", onclick: () => actions.label(id) },
    h("span", { class: "swatch", style: `background:${color}` }),
    h("span", { class: "name" }, label),
    key,
  );
  const eye = toggle(`Hide ${label}`, `${place};grid-column:2`, () => actions.hide(id));
  const lock = toggle(`Lock ${label}`, `${place};grid-column:3`, () => actions.lock(id));
  return { choice, eye, lock };
}

function toggle(label, style, onclick) {
  return h("button", { type: "button", class: "switch", "aria-label": label, title: label, style, onclick, "aria-pressed": "false" });
}

function press(button, pressed, on, off) {
  if (button.getAttribute("aria-pressed") === String(pressed) && button.firstChild) return;
  button.setAttribute("aria-pressed", String(pressed));
  button.replaceChildren(iconOf(pressed ? on : off));
}
