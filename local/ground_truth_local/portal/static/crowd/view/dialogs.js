import { h } from "../dom.js";
import { iconOf } from "../icons.js";

function dialog(title, ...body) {
  const root = h("dialog", { "aria-label": title });
  const close = h(
    "button",
    { type: "button", class: "quiet", "aria-label": "Close", onclick: () => root.close() },
    iconOf("close"),
  );
  // Scrolled by keys as well, so it can have the focus.
  const content = h("div", { class: "dialog-body", tabindex: 0, role: "document", "aria-label": title }, ...body);
  root.append(h("div", { class: "dialog-head" }, h("h2", {}, title), close), content);
  return root;
}

/** The full instructions of the template. */
export class InstructionsDialog {
  constructor(header, hasFull) {
    const words = "The job has no more instructions than those beside the picture.";
    this.root = dialog(header, hasFull ? h("slot", { name: "full-instructions" }) : h("p", {}, words));
  }

  open() {
    this.root.showModal();
  }
}

/** The list of keys, with what stands on this keyboard. */
export class KeysDialog {
  constructor() {
    this._list = h("dl", { class: "keys" });
    this.root = dialog("Keys", this._list);
  }

  open(keys) {
    this._list.replaceChildren(
      ...keys.flatMap(([key, text]) => [h("dt", {}, h("kbd", {}, key)), h("dd", {}, text)]),
    );
    if (!this.root.open) this.root.showModal();
  }
}

/** The instructions beside the picture. */
export function guide(hasShort, open) {
  return h(
    "section",
    { class: "guide", "aria-label": "Instructions", tabindex: 0 },
    h("h2", {}, "Instructions"),
    hasShort ? h("slot", { name: "short-instructions" }) : h("p", {}, "Paint each object with its label."),
    h("p", {}, h("button", { type: "button", class: "open-full", onclick: open }, iconOf("book"), "View full instructions")),
  );
}
