import { h } from "./dom.js";
import { iconOf } from "./icons.js";

const TOOLS = [
  ["brush", "Brush", "B"],
  ["eraser", "Eraser", "E"],
  ["polygon", "Polygon", "P"],
  ["fill", "Fill", "F"],
  ["auto", "Auto-segment", "A"],
  ["hand", "Move", "H"],
];
const KEYS = [
  ["1 – 9, 0", "select a label"],
  ["B E P F A H", "select a tool"],
  ["[ ]", "smaller, larger brush"],
  ["Ctrl+Z, Ctrl+Y", "undo, redo"],
  ["+ − W", "zoom in, zoom out, whole picture"],
  ["wheel, two fingers", "zoom"],
  ["Space + drag", "move the picture"],
  ["arrow keys, Space", "with the picture in focus: move a cross-hair, use the tool there"],
];

/** The elements that a person sees around and over the picture. `actions` are what they do. */
export class View {
  constructor({ header, fullHeader, labels, colors, hasShort, hasFull, actions }) {
    this.canvases = { picture: h("canvas"), painting: h("canvas"), hints: h("canvas") };
    this.canvases.painting.style.opacity = "0.6";
    this.surface = h(
      "div",
      { class: "surface", tabindex: 0, role: "application", "aria-label": "Picture to paint" },
      this.canvases.picture, this.canvases.painting, this.canvases.hints,
    );
    this._say = h("span");
    this._notice = h("div", { class: "notice", role: "alert", hidden: true });
    this._dialog = instructionsDialog(fullHeader, hasFull);
    this._guide = guide(hasShort, () => this.openInstructions());
    this._labels = labelButtons(labels, colors, actions);
    this._tools = new Map();
    this._actions = actions;
    this.root = h(
      "div",
      { class: "app" },
      this._head(header),
      this._toolbar(),
      this._guide,
      h(
        "div",
        { class: "stage" },
        this.surface,
        h("div", { class: "say", role: "status" }, this._say),
        this._zoomGroup(),
        this._notice,
      ),
      labelPanel(this._labels),
      this._dialog,
    );
  }

  get isDialogOpen() {
    return this._dialog.open;
  }

  openInstructions() {
    this._dialog.showModal();
  }

  say(text) {
    this._say.textContent = text;
  }

  showLoading() {
    this._notice.className = "notice";
    this._notice.replaceChildren(h("div", { class: "spinner" }), h("p", {}, "Loading the picture …"));
    this._notice.hidden = false;
  }

  showError(title, text) {
    this._notice.className = "notice error";
    this._notice.replaceChildren(h("strong", {}, title), h("p", {}, text));
    this._notice.hidden = false;
  }

  hideNotice() {
    this._notice.hidden = true;
  }

  /** Show only the tools that this task has. */
  offer(names) {
    for (const [name, button] of this._tools) button.hidden = !names.includes(name);
    this._tools.get("auto").style.display = names.includes("auto") ? "" : "none";
  }

  /** Bring all controls in line with the editor's state. */
  update(editor) {
    for (const [name, button] of this._tools) choose(button, name === editor.tool.name);
    this._labels.forEach((button, index) => choose(button, index + 1 === editor.label));
    this._size.max = editor.maxSize;
    this._size.value = editor.size;
    this._sizeOutput.value = `${editor.size} px`;
    this._size.disabled = !editor.tool.usesSize;
    this._undo.disabled = !editor.painting.canUndo;
    this._redo.disabled = !editor.painting.canRedo;
    const percent = (editor.viewport.scale / editor.pixelRatio) * 100;
    this._zoom.value = `${percent < 10 ? percent.toFixed(1) : Math.round(percent)} %`;
    this.surface.dataset.tool = editor.tool.name;
    this.surface.toggleAttribute("data-busy", editor.busy);
  }

  _head(header) {
    const toggle = h("button", { type: "button", class: "guide-toggle", "aria-expanded": "false" }, "Instructions");
    toggle.addEventListener("click", () => {
      toggle.setAttribute("aria-expanded", String(this._guide.toggleAttribute("data-open")));
    });
    return h("header", { class: "head" }, h("h1", {}, header), toggle);
  }

  _toolbar() {
    return h(
      "div",
      { class: "tools", role: "group", "aria-label": "Painting tools" },
      this._toolGroup(),
      this._sizeControl(),
      this._opacityControl(),
      h("div", { class: "spacer" }),
      this._historyGroup(),
    );
  }

  _toolGroup() {
    const group = h("div", { class: "group segmented", role: "radiogroup", "aria-label": "Tool" });
    for (const [name, title, key] of TOOLS) {
      const button = h(
        "button",
        { type: "button", role: "radio", title: `${title} (${key})`, "aria-label": title, "data-tool": name,
          "aria-keyshortcuts": key, onclick: () => this._actions.tool(name) },
        iconOf(name), h("span", { class: "text" }, title),
      );
      this._tools.set(name, button);
      group.append(button);
    }
    roving(group);
    return group;
  }

  _sizeControl() {
    this._size = h("input", { type: "range", min: 1, max: 100, "aria-label": "Brush size" });
    this._sizeOutput = h("output");
    this._size.addEventListener("input", () => this._actions.size(Number(this._size.value)));
    return h("label", { title: "Brush size ([ and ])" }, "Size", this._size, this._sizeOutput);
  }

  _opacityControl() {
    const range = h("input", { type: "range", min: 0, max: 100, value: 60, "aria-label": "Opacity of the paint" });
    const output = h("output", {}, "60 %");
    range.addEventListener("input", () => {
      output.value = `${range.value} %`;
      // The canvas is only blended anew, not drawn: that is free at any size.
      this.canvases.painting.style.opacity = String(range.value / 100);
    });
    return h("label", { title: "Opacity of the paint" }, "Opacity", range, output);
  }

  _historyGroup() {
    this._undo = action("undo", "Undo (Ctrl+Z)", this._actions.undo);
    this._redo = action("redo", "Redo (Ctrl+Y)", this._actions.redo);
    return h("div", { class: "group" }, this._undo, this._redo);
  }

  _zoomGroup() {
    this._zoom = h("output", { "aria-label": "Zoom" });
    return h(
      "div",
      { class: "group zoom", role: "group", "aria-label": "View" },
      action("minus", "Zoom out (−)", this._actions.zoomOut),
      this._zoom,
      action("plus", "Zoom in (+)", this._actions.zoomIn),
      action("fit", "Whole picture (W)", this._actions.fit),
    );
  }
}

function action(name, title, onclick) {
  return h("button", { type: "button", title, "aria-label": title.replace(/ \(.*/, ""), onclick }, iconOf(name));
}

function choose(button, chosen) {
  button.setAttribute("aria-checked", String(chosen));
  button.tabIndex = chosen ? 0 : -1;
}

/** Arrow keys move within a group of radio buttons, as they do in native ones. */
function roving(group) {
  group.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    const buttons = [...group.querySelectorAll("button")].filter((button) => button.style.display !== "none");
    const index = buttons.indexOf(event.target);
    if (!step || index < 0) return;
    event.preventDefault();
    const next = buttons[(index + step + buttons.length) % buttons.length];
    next.click();
    next.focus();
  });
}

function labelButtons(labels, colors, actions) {
  return labels.map((label, index) =>
    h(
      "button",
      { type: "button", role: "radio", "data-label": index + 1, onclick: () => actions.label(index + 1) },
      h("span", { class: "swatch", style: `background:${colors[index]}` }),
      h("span", { class: "name" }, label),
      index < 10 ? h("kbd", { "aria-hidden": "true" }, String((index + 1) % 10)) : null,
    ),
  );
}

function labelPanel(buttons) {
  const list = h("div", { class: "list", role: "radiogroup", "aria-label": "Label" }, ...buttons);
  roving(list);
  return h(
    "section",
    { class: "labels", "aria-label": "Labels" },
    h("h2", {}, "Labels"),
    list,
    h("p", { class: "note" }, "What stays unpainted is background."),
  );
}

function guide(hasShort, open) {
  return h(
    "section",
    { class: "guide", "aria-label": "Instructions" },
    h("h2", {}, "Instructions"),
    hasShort ? h("slot", { name: "short-instructions" }) : h("p", {}, "Paint each object with its label."),
    h("p", {}, h("button", { type: "button", class: "open-full", onclick: open }, iconOf("book"), "View full instructions")),
  );
}

function instructionsDialog(header, hasFull) {
  const dialog = h("dialog", { "aria-label": header });
  const keys = KEYS.flatMap(([key, text]) => [h("dt", {}, h("kbd", {}, key)), h("dd", {}, text)]);
  dialog.append(
    h(
      "div",
      { class: "dialog-head" },
      h("h2", {}, header),
      h("button", { type: "button", class: "quiet", "aria-label": "Close", onclick: () => dialog.close() }, iconOf("close")),
    ),
    h(
      "div",
      { class: "dialog-body" },
      hasFull ? h("slot", { name: "full-instructions" }) : null,
      h("h3", {}, "Keys"),
      h("dl", { class: "keys" }, ...keys),
    ),
  );
  return dialog;
}
