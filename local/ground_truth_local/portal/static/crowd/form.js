import { CrowdImageClassifier } from "./classifier.js";
import { h } from "./dom.js";
import { CrowdField } from "./fields.js";
import { embedded, tell } from "./host.js";
import { CrowdSemanticSegmentation } from "./segmentation.js";
import * as styles from "./styles.js";

/** `<crowd-form>`: collects the answers of what is inside and hands them to the page around.
 *
 * Fires a `submit` event that a template's script may cancel, then `crowd-answer` with the whole answer. */
export class CrowdForm extends HTMLElement {
  constructor() {
    super();
    this._status = h("div", { class: "status", role: "status" });
    this._button = h("button", { type: "button", class: "primary", onclick: () => this.submit() }, "Submit");
    this._bar = h("div", { class: "bar" }, this._status, this._button);
    this._confirm = this._emptyDialog();
    const root = this.attachShadow({ mode: "open" });
    root.adoptedStyleSheets = [styles.base, styles.form];
    root.append(h("slot"), this._bar, this._confirm);
  }

  connectedCallback() {
    if (!this.hasAttribute("role")) this.setAttribute("role", "main");
    this.style.setProperty("--crowd-form-bar", "60px");
    this.addEventListener("click", (event) => {
      const button = /** @type {Element} */ (event.target).closest?.('crowd-button[form-action="submit"], button[type="submit"], input[type="submit"]');
      if (!button) return;
      event.preventDefault();
      this.submit();
    });
    // What was missing is being given: the complaint is over.
    this.addEventListener("input", () => {
      if (this._status.dataset.kind === "error") this._say("");
    });
    this.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) this.submit();
    });
  }

  /** Ask the template's own handlers, collect the answer and hand it over. */
  async submit() {
    if (this._button.disabled) return;
    const event = new Event("submit", { bubbles: true, cancelable: true });
    this.dispatchEvent(event);
    // Templates also set `onsubmit`, which an element that isn't a form doesn't call by itself.
    if (this.onsubmit?.call(this, event) === false || event.defaultPrevented) return;
    if (!this._isValid()) return;
    if (this._widgets().some((widget) => widget.isBlank) && !(await this._confirmEmpty())) return;
    await this._send();
  }

  /** All answers by name: widgets, fields and native controls. */
  async collect() {
    const answer = {};
    for (const widget of this._widgets()) answer[widget.name] = await widget.getAnswer();
    for (const field of this._fields()) Object.assign(answer, field.answer);
    const controls = /** @type {NodeListOf<HTMLInputElement>} */ (
      this.querySelectorAll("input[name], textarea[name], select[name]")
    );
    for (const control of controls) {
      if (["checkbox", "radio"].includes(control.type)) answer[control.name] = control.checked;
      else answer[control.name] = control.value;
    }
    return answer;
  }

  _widgets() {
    return [...this.querySelectorAll("crowd-semantic-segmentation, crowd-image-classifier")].filter(
      (element) => element instanceof CrowdSemanticSegmentation || element instanceof CrowdImageClassifier,
    );
  }

  _fields() {
    return [...this.querySelectorAll("*")].filter((element) => element instanceof CrowdField);
  }

  _isValid() {
    const undecided = this._widgets().find((widget) => widget instanceof CrowdImageClassifier && !widget.isValid);
    if (undecided) {
      this._say("Please choose one of the answers.", "error");
      return false;
    }
    const invalid = this._fields().find((field) => !field.isValid);
    if (!invalid) return true;
    this._say(`Please fill in “${invalid.caption}”.`, "error");
    invalid.focus();
    return false;
  }

  async _send() {
    this._button.disabled = true;
    this._say("Preparing the answer …");
    try {
      const answer = await this.collect();
      this.dispatchEvent(new CustomEvent("crowd-answer", { bubbles: true, detail: answer }));
      tell("submit", { answer });
      this._say(embedded ? "Submitting …" : "The answer is ready.");
    } catch (error) {
      this._say(error.message, "error");
    } finally {
      if (!embedded) this._button.disabled = false;
    }
  }

  /** Called by the page around when the answer was refused. */
  refuse(text) {
    this._button.disabled = false;
    this._say(text, "error");
  }

  _say(text, kind = "") {
    this._status.textContent = text;
    this._status.dataset.kind = kind;
  }

  _confirmEmpty() {
    this._confirm.returnValue = "";
    this._confirm.showModal();
    return new Promise((resolve) => {
      this._confirm.addEventListener("close", () => resolve(this._confirm.returnValue === "yes"), { once: true });
    });
  }

  _emptyDialog() {
    const dialog = h("dialog", { "aria-label": "Nothing is painted" });
    dialog.append(
      h("div", { class: "dialog-head" }, h("h2", {}, "Nothing is painted")),
      h("div", { class: "dialog-body" }, "Submit the picture as background only, with no label in it?"),
      h(
        "div",
        { class: "dialog-foot" },
        h("button", { type: "button", onclick: () => dialog.close("no") }, "Go on painting"),
        h("button", { type: "button", class: "primary", onclick: () => dialog.close("yes") }, "Submit as background"),
      ),
    );
    return dialog;
  }
}
