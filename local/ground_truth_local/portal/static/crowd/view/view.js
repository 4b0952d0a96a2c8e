import { h } from "../dom.js";
import { iconOf } from "../icons.js";
import { describeKeys, keyName, learnLayout, TOOLS } from "../input/shortcuts.js";
import { guide, InstructionsDialog, KeysDialog } from "./dialogs.js";
import { LabelPanel } from "./labels.js";
import { action, choose, roving, slider } from "./parts.js";

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
    this._actions = actions;
    this._say = h("span");
    this._notice = h("div", { class: "notice", role: "alert", hidden: true });
    this._instructions = new InstructionsDialog(fullHeader, hasFull);
    this._keys = new KeysDialog();
    this._guide = guide(hasShort, () => this._instructions.open());
    this.labels = new LabelPanel(labels, colors, actions);
    this._tools = new Map();
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
      this.labels.root,
      this._instructions.root,
      this._keys.root,
    );
    void learnLayout().then(() => this._nameKeys());
  }

  get isDialogOpen() {
    return this._instructions.root.open || this._keys.root.open;
  }

  openKeys() {
    this._keys.open(describeKeys());
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
    for (const [name, button] of this._tools) {
      button.hidden = !names.includes(name);
      button.style.display = names.includes(name) ? "" : "none";
    }
  }

  /** Bring all controls in line with the editor's state. */
  update(editor) {
    for (const [name, button] of this._tools) choose(button, name === editor.tool.name);
    this.labels.update(editor);
    this._size.range.max = editor.maxSize;
    this._size.set(editor.size, `${editor.size} px`);
    this._tolerance.set(editor.tolerance, String(editor.tolerance));
    for (const [name, element] of this._options) element.hidden = !editor.tool.options.includes(name);
    for (const [kind, button] of this._refine) choose(button, editor.refine === kind);
    this._undo.disabled = !editor.painting.canUndo;
    this._redo.disabled = !editor.painting.canRedo;
    this._compare.setAttribute("aria-pressed", String(editor.comparing));
    const percent = (editor.viewport.scale / editor.pixelRatio) * 100;
    this._zoom.value = `${percent < 10 ? percent.toFixed(1) : Math.round(percent)} %`;
    this.surface.dataset.tool = editor.tool.name;
    this.surface.dataset.cursor = editor.tool.options.includes("size") ? "ring" : "";
    this.surface.toggleAttribute("data-busy", editor.busy);
  }

  _head(header) {
    const toggle = h("button", { type: "button", class: "guide-toggle", "aria-expanded": "false" }, "Instructions");
    toggle.addEventListener("click", () => {
      toggle.setAttribute("aria-expanded", String(this._guide.toggleAttribute("data-open")));
    });
    return h("div", { class: "head" }, h("h1", {}, header), toggle);
  }

  _toolbar() {
    this._size = slider({ name: "Size", label: "Brush size", min: 1, max: 100, oninput: this._actions.size });
    this._tolerance = slider({
      name: "Tolerance", label: "Colour tolerance", min: 0, max: 128, oninput: this._actions.tolerance,
    });
    const opacity = slider({ name: "Opacity", label: "Opacity of the paint", min: 0, max: 100, oninput: (value) => {
      opacity.set(value, `${value} %`);
      // The canvas is only blended anew, not drawn: that is free at any size.
      this.canvases.painting.style.opacity = String(value / 100);
    } });
    opacity.set(60, "60 %");
    const refine = this._refineGroup();
    this._options = [["size", this._size.root], ["tolerance", this._tolerance.root], ["refine", refine]];
    return h(
      "div",
      { class: "tools", role: "group", "aria-label": "Painting tools" },
      this._toolGroup(),
      this._size.root, this._tolerance.root, refine, opacity.root,
      h("div", { class: "spacer" }),
      this._historyGroup(),
    );
  }

  _toolGroup() {
    const group = h("div", { class: "group segmented", role: "radiogroup", "aria-label": "Tool" });
    for (const [name, title] of TOOLS) {
      const button = h(
        "button",
        { type: "button", role: "radio", "aria-label": title, "data-tool": name, onclick: () => this._actions.tool(name) },
        iconOf(name), h("span", { class: "text" }, title),
      );
      this._tools.set(name, button);
      group.append(button);
    }
    this._nameKeys();
    roving(group);
    return group;
  }

  _nameKeys() {
    for (const [name, title, code] of TOOLS) {
      const button = this._tools.get(name);
      button?.setAttribute("title", `${title} (${keyName(code)})`);
      button?.setAttribute("aria-keyshortcuts", keyName(code));
    }
  }

  _refineGroup() {
    const group = h("div", { class: "group segmented", role: "radiogroup", "aria-label": "A click on the object" });
    this._refine = [["plus", "Adds"], ["minus", "Takes away"]].map(([kind, text]) => {
      const button = h("button", { type: "button", role: "radio", onclick: () => this._actions.refine(kind) }, iconOf(kind), text);
      group.append(button);
      return [kind, button];
    });
    roving(group);
    return group;
  }

  _historyGroup() {
    this._undo = action("undo", "Undo (Ctrl+Z)", this._actions.undo);
    this._redo = action("redo", "Redo (Ctrl+Y)", this._actions.redo);
    this._compare = action("compare", "Compare with the earlier mask (hold C)", this._actions.compare);
    return h(
      "div",
      { class: "group" },
      action("holes", "Fill the holes of the selected label (G)", this._actions.fillHoles),
      this._compare,
      this._undo, this._redo,
      action("help", "Keys (?)", this._actions.help),
    );
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
