import { h } from "./dom.js";
import * as styles from "./styles.js";

/** A simple input of a template; `answer` is what it adds to the form's answer. */
export class CrowdField extends HTMLElement {
  constructor() {
    super();
    this.attachShadow({ mode: "open", delegatesFocus: true }).adoptedStyleSheets = [styles.base, styles.field];
  }

  get name() {
    return this.getAttribute("name") ?? "";
  }

  /** @returns {unknown} */
  get value() {
    return undefined;
  }

  get caption() {
    return this.getAttribute("label") || this.textContent.trim() || this.name;
  }

  get answer() {
    return this.name ? { [this.name]: this.value } : {};
  }

  get isValid() {
    return !this.hasAttribute("required") || Boolean(this.value);
  }
}

class TextField extends CrowdField {
  /** @returns {HTMLInputElement | HTMLTextAreaElement} */
  _make() {
    throw new Error("made by each kind of field");
  }

  connectedCallback() {
    if (this._control) return;
    this._control = this._make();
    this._control.value = this.getAttribute("value") ?? "";
    this.shadowRoot.append(h("label", {}, this.getAttribute("label") ?? "", this._control));
  }

  get value() {
    return this._control?.value ?? "";
  }

  set value(text) {
    this._control.value = text;
  }
}

export class CrowdInput extends TextField {
  _make() {
    return h("input", { type: this.getAttribute("type") ?? "text", placeholder: this.getAttribute("placeholder") });
  }
}

export class CrowdTextArea extends TextField {
  _make() {
    return h("textarea", { rows: this.getAttribute("rows") ?? 3, placeholder: this.getAttribute("placeholder") });
  }
}

export class CrowdCheckbox extends CrowdField {
  connectedCallback() {
    if (this._control) return;
    this._control = h("input", { type: "checkbox", checked: this.hasAttribute("checked"), "aria-label": this.caption });
    this.shadowRoot.append(h("label", { class: "inline" }, this._control, h("slot")));
  }

  get value() {
    return this._control?.checked ?? false;
  }
}

export class CrowdRadioButton extends CrowdField {
  connectedCallback() {
    if (this._control) return;
    this._control = h("input", { type: "radio", checked: this.hasAttribute("checked"), "aria-label": this.caption });
    this._control.addEventListener("change", () => this._clearOthers());
    this.shadowRoot.append(h("label", { class: "inline" }, this._control, h("slot")));
  }

  get value() {
    return this._control?.checked ?? false;
  }

  // Each radio button lives in a shadow root of its own, where a browser doesn't group it.
  _clearOthers() {
    for (const other of this.closest("crowd-radio-group")?.querySelectorAll("crowd-radio-button") ?? []) {
      if (other !== this && other instanceof CrowdRadioButton) other._control.checked = false;
    }
  }
}

/** Elements that only hold content. */
export class CrowdContainer extends HTMLElement {}

export class CrowdButton extends HTMLElement {
  constructor() {
    super();
    const root = this.attachShadow({ mode: "open", delegatesFocus: true });
    root.adoptedStyleSheets = [styles.base, styles.field];
    const primary = this.getAttribute("variant") === "primary" || this.getAttribute("form-action") === "submit";
    root.append(h("button", { type: "button", class: primary ? "primary" : "" }, h("slot")));
  }
}

/** `<crowd-instructions>`: short and detailed instructions of forms without a widget. */
export class CrowdInstructions extends HTMLElement {
  constructor() {
    super();
    const root = this.attachShadow({ mode: "open" });
    root.adoptedStyleSheets = [styles.base, styles.field];
    const title = this.getAttribute("link-text") || "View instructions";
    root.append(h("details", {}, h("summary", {}, title), h("slot")));
  }
}
