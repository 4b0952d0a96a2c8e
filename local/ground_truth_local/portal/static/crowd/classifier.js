import { h } from "./dom.js";
import { fetchPicture, loadPicture, PictureError } from "./engine/picture.js";
import { decodeMask } from "./engine/png.js";
import { tell } from "./host.js";
import { parseRelaxed } from "./relaxed-json.js";
import * as styles from "./styles.js";

const OPACITY = 0.55;
const MOST = 10;

/** `<crowd-image-classifier name src header categories overlay>`: choose what is true of a picture and its mask.
 *
 * `getAnswer()` resolves with the documented answer. `ready` resolves when a person can choose. */
export class CrowdImageClassifier extends HTMLElement {
  constructor() {
    super();
    this.attachShadow({ mode: "open" }).adoptedStyleSheets = [styles.base, styles.classifier];
    this.ready = new Promise((resolve) => {
      this._resolveReady = resolve;
    });
  }

  connectedCallback() {
    if (this._started) return;
    this._started = true;
    // While the page is still being read, instructions and comment are not there yet.
    if (document.readyState === "loading") {
      document.addEventListener("DOMContentLoaded", () => this._start(), { once: true });
    } else {
      this._start();
    }
  }

  get name() {
    return this.getAttribute("name") ?? "crowd-image-classifier";
  }

  get caption() {
    return "one of the answers";
  }

  /** The category that is chosen; undefined until one is. */
  get label() {
    const chosen = /** @type {HTMLInputElement | null} */ (this.shadowRoot.querySelector("input[type=radio]:checked"));
    return chosen ? this._categories[Number(chosen.value)] : undefined;
  }

  get isValid() {
    return this.label !== undefined;
  }

  get isBlank() {
    return false;
  }

  /** The element's answer, as the developer guide documents it; a comment only where one was written. */
  async getAnswer() {
    const comment = this._comment?.value.trim();
    return comment ? { label: this.label, workerComment: comment } : { label: this.label };
  }

  async _start() {
    try {
      this._categories = readCategories(this.getAttribute("categories"));
      this._overlay = readOverlay(this.getAttribute("overlay"));
    } catch (error) {
      this._fail("The template needs a change", error.message);
      return;
    }
    this._show();
    try {
      await this._draw();
      this._finish("ready");
    } catch (error) {
      const title = error instanceof PictureError ? "The picture can't be shown" : "The task can't be shown";
      this._fail(title, error.message);
    }
  }

  _show() {
    const short = this.querySelector("short-instructions");
    const full = this.querySelector("full-instructions");
    short?.setAttribute("slot", "short-instructions");
    full?.setAttribute("slot", "full-instructions");
    this._picture = h("canvas", { role: "img", "aria-label": "The picture" });
    this._mask = h("canvas", { class: "mask", role: "img", "aria-label": "Its labels" });
    this.shadowRoot.replaceChildren(
      h(
        "div",
        { class: "app" },
        h("h1", {}, this.getAttribute("header") ?? ""),
        h(
          "section",
          { class: "guide", "aria-label": "Instructions", tabindex: "0" },
          short && h("slot", { name: "short-instructions" }),
          full &&
            h("details", {}, h("summary", {}, full.getAttribute("header") || "Instructions"), h("slot", { name: "full-instructions" })),
        ),
        h("div", { class: "stage" }, h("div", { class: "pictures" }, this._picture, this._mask)),
        h("section", { class: "side", "aria-label": "Answer" }, this._legend(), this._choices(), this._writing()),
      ),
    );
  }

  _legend() {
    if (!this._overlay) return null;
    const toggle = h("input", { type: "checkbox", checked: true });
    toggle.addEventListener("change", () => {
      this._mask.hidden = !toggle.checked;
    });
    const entries = Object.entries(this._overlay.labelMappings).map(([name, { color }]) =>
      h("li", {}, h("span", { class: "swatch", style: `background:${color}` }), h("span", {}, name)),
    );
    return h("div", { class: "legend" }, h("label", {}, toggle, "Show the labels"), h("ul", {}, ...entries));
  }

  _choices() {
    const choices = this._categories.map((category, index) =>
      h("label", {}, h("input", { type: "radio", name: "category", value: index }), h("span", {}, category)),
    );
    return h("fieldset", {}, h("legend", {}, "What is true?"), ...choices);
  }

  _writing() {
    const template = this.querySelector("worker-comment");
    if (!template) return null;
    this._comment = h("textarea", {
      rows: 4,
      "aria-label": template.getAttribute("header") || "Comment",
      placeholder: template.getAttribute("placeholder"),
    });
    return h("details", { class: "comment" }, h("summary", {}, template.getAttribute("link-text") || "Comment"), this._comment);
  }

  async _draw() {
    const picture = await loadPicture(this.getAttribute("src"));
    for (const canvas of [this._picture, this._mask]) {
      canvas.width = picture.width;
      canvas.height = picture.height;
    }
    this._picture.getContext("2d").drawImage(picture.bitmap, 0, 0);
    if (this._overlay) await this._drawMask(picture);
  }

  async _drawMask(picture) {
    const colors = Object.values(this._overlay.labelMappings).map(({ color }) => color.toLowerCase());
    const found = await decodeMask(await fetchPicture(this._overlay.src), colors, Uint16Array);
    if (found.width !== picture.width || found.height !== picture.height) {
      throw new Error(
        `The mask in overlay has ${found.width} by ${found.height} pixels, the picture ${picture.width} by ${picture.height}.`,
      );
    }
    if (found.unknown > 0) throw new Error(`${found.unknown} pixels of the mask in overlay have a colour that its labelMappings lack.`);
    const image = new ImageData(found.width, found.height);
    const rgba = colors.map((color) => [1, 3, 5].map((at) => Number.parseInt(color.slice(at, at + 2), 16)));
    found.ids.forEach((id, pixel) => {
      if (id > 0) image.data.set([...rgba[id - 1], 255 * OPACITY], pixel * 4);
    });
    this._mask.getContext("2d").putImageData(image, 0, 0);
  }

  _fail(title, text) {
    this.shadowRoot.replaceChildren(h("div", { class: "problem", role: "alert" }, h("strong", {}, title), h("p", {}, text)));
    this._categories = [];
    tell("problem", { title, text });
    this._finish("error");
  }

  _finish(state) {
    this.dataset.state = state;
    this._resolveReady(state);
    tell("state", { state });
  }
}

function readCategories(text) {
  let found;
  try {
    found = parseRelaxed(text ?? "");
  } catch (error) {
    throw new Error(`The attribute categories must be a JSON list of strings: ${error.message}.`);
  }
  if (!Array.isArray(found) || found.length === 0 || !found.every((each) => typeof each === "string" && each)) {
    throw new Error("The attribute categories must be a JSON list of at least one string.");
  }
  if (found.length > MOST) throw new Error(`The attribute categories must have at most ${MOST} entries, it has ${found.length}.`);
  return found;
}

function readOverlay(text) {
  if (!text?.trim()) return null;
  let value;
  try {
    value = parseRelaxed(text);
  } catch (error) {
    throw new Error(`The attribute overlay is not JSON: ${error.message}.`);
  }
  const mask = value?.semanticSegmentation;
  const colors = Object.values(mask?.labelMappings ?? {}).map((mapping) => mapping?.color);
  if (typeof mask?.src !== "string" || colors.length === 0 || !colors.every((color) => /^#[0-9a-f]{6}$/i.test(color ?? ""))) {
    throw new Error(
      'The attribute overlay must be {"semanticSegmentation": {"src": "…", "labels": […], "labelMappings": {"<label>": {"color": "#rrggbb"}}}}.',
    );
  }
  return mask;
}
