import { Editor } from "./editor.js";
import { colors as paletteOf } from "./engine/palette.js";
import { fetchPicture, loadPicture, PictureError } from "./engine/picture.js";
import { decodeMask, encodeMask, toBase64 } from "./engine/png.js";
import { ask, offers, tell } from "./host.js";
import { KeyboardInput, PointerInput } from "./input.js";
import { parseRelaxed } from "./relaxed-json.js";
import * as styles from "./styles.js";
import { View } from "./view.js";

/** `<crowd-semantic-segmentation name src header labels initial-value>`: paint a mask over a picture.
 *
 * `getAnswer()` resolves with the documented answer. `ready` resolves when a person can paint. */
export class CrowdSemanticSegmentation extends HTMLElement {
  constructor() {
    super();
    this.attachShadow({ mode: "open" }).adoptedStyleSheets = [styles.base, styles.segmentation];
    this.ready = new Promise((resolve) => {
      this._resolveReady = resolve;
    });
  }

  connectedCallback() {
    if (this._started) return;
    this._started = true;
    // While the page is still being read, the instructions inside are not there yet.
    if (document.readyState === "loading") {
      document.addEventListener("DOMContentLoaded", () => this._start(), { once: true });
    } else {
      this._start();
    }
  }

  disconnectedCallback() {
    this._keyboard?.close();
    this._resizes?.disconnect();
  }

  get name() {
    return this.getAttribute("name") ?? "crowd-semantic-segmentation";
  }

  /** What is painted, as class ids: `{data, width, height}`; null until the picture is there. */
  get mask() {
    if (!this.editor) return null;
    const { data, width, height } = this.editor.painting;
    return { data, width, height };
  }

  /** Whether nothing is painted. */
  get isBlank() {
    return this.editor?.painting.isBlank ?? true;
  }

  /** The element's answer, as the developer guide documents it. */
  async getAnswer() {
    if (!this.editor) throw new Error("The picture is not there yet.");
    const { data, width, height } = this.editor.painting;
    const png = await encodeMask(data, width, height, this._colors);
    const answer = {
      inputImageProperties: { height, width },
      labelMappings: Object.fromEntries(this._labels.map((label, index) => [label, { color: this._colors[index] }])),
      labeledImage: { pngImageData: await toBase64(png) },
    };
    if (this._initial) answer.initialValueModified = data.some((id, pixel) => id !== this._initialIds[pixel]);
    return answer;
  }

  async _start() {
    try {
      this._labels = readLabels(this.getAttribute("labels"));
      this._initial = readInitial(this.getAttribute("initial-value"));
    } catch (error) {
      this._labels = [];
      this._show([]);
      this._fail("The template needs a change", error.message);
      return;
    }
    this._colors = chooseColors(this._labels, this._initial);
    this._show(this._colors);
    try {
      await this._open();
    } catch (error) {
      const title = error instanceof PictureError ? "The picture can't be shown" : "The task can't be shown";
      this._fail(title, error.message);
    }
  }

  _show(colors) {
    const short = this.querySelector("short-instructions");
    const full = this.querySelector("full-instructions");
    short?.setAttribute("slot", "short-instructions");
    full?.setAttribute("slot", "full-instructions");
    this._view = new View({
      header: this.getAttribute("header") ?? "",
      fullHeader: full?.getAttribute("header") || "Instructions",
      labels: this._labels,
      colors,
      hasShort: short !== null,
      hasFull: full !== null,
      actions: this._actions(),
    });
    this._view.offer(["brush", "eraser", "polygon", "fill", "hand"]);
    this.shadowRoot.replaceChildren(this._view.root);
    this._view.showLoading();
  }

  _actions() {
    const zoom = (factor) => this.editor?.view((viewport) => viewport.zoomAtCentre(factor));
    return {
      tool: (name) => this.editor?.setTool(name),
      label: (id) => this.editor?.setLabel(id),
      size: (size) => this.editor?.setSize(size),
      undo: () => this.editor?.undo(),
      redo: () => this.editor?.redo(),
      zoomIn: () => zoom(1.4),
      zoomOut: () => zoom(1 / 1.4),
      fit: () => this.editor?.view((viewport) => viewport.fit()),
    };
  }

  async _open() {
    const [picture, { autoSegment }] = await Promise.all([loadPicture(this.getAttribute("src")), offers()]);
    this.editor = new Editor(picture, this._view.canvases, this._colors, {
      segment: autoSegment ? (points) => segment(points) : undefined,
      onchange: () => this._update(),
      onsay: (text) => this._view.say(text),
    });
    this._view.offer([...this.editor.tools.keys()]);
    if (this._initial) await this._loadInitial();
    this._listen();
    this._view.hideNotice();
    this._update();
    this._view.say(this.editor.tool.help);
    this._finish("ready");
  }

  async _loadInitial() {
    const { painting } = this.editor;
    const found = await decodeMask(await fetchPicture(this._initial.src), this._colors, painting.data.constructor);
    if (found.width !== painting.width || found.height !== painting.height) {
      throw new Error(
        `The mask in initial-value has ${found.width} by ${found.height} pixels, the picture ${painting.width} by ${painting.height}.`,
      );
    }
    if (found.unknown > 0) {
      throw new Error(`${found.unknown} pixels of the mask in initial-value have a colour that its labelMappings lack.`);
    }
    this._initialIds = found.ids;
    painting.load(found.ids);
  }

  _listen() {
    const { surface } = this._view;
    const actions = this._actions();
    const step = (sign) => this.editor.setSize(this.editor.size + sign * Math.max(1, Math.round(this.editor.size * 0.2)));
    const tool = (name) => () => actions.tool(name);
    const keys = {
      b: tool("brush"), e: tool("eraser"), p: tool("polygon"), f: tool("fill"), a: tool("auto"), h: tool("hand"),
      "[": () => step(-1), "]": () => step(1), "+": actions.zoomIn, "=": actions.zoomIn, "-": actions.zoomOut, w: actions.fit,
    };
    const pointers = new PointerInput(surface, this.editor);
    this._keyboard = new KeyboardInput(surface, this.editor, pointers, {
      keys,
      isBlocked: () => this._view.isDialogOpen || document.querySelector("dialog[open]") !== null,
    });
    this._resizes = new ResizeObserver(() => this._resize());
    this._resizes.observe(surface);
    this._resize();
  }

  _resize() {
    const { clientWidth, clientHeight } = this._view.surface;
    this.editor.resize(clientWidth, clientHeight, window.devicePixelRatio || 1);
  }

  _update() {
    this._view.update(this.editor);
  }

  _fail(title, text) {
    this._view.showError(title, text);
    tell("problem", { title, text });
    this._finish("error");
  }

  _finish(state) {
    this.dataset.state = state;
    this._resolveReady(state);
    tell("state", { state });
  }
}

async function segment(points) {
  const found = await ask("auto-segment", { points: points.map(({ x, y }) => [x, y]) });
  const bytes = Uint8Array.from(atob(found.png), (letter) => letter.charCodeAt(0));
  const bitmap = await createImageBitmap(new Blob([bytes], { type: "image/png" }));
  const context = new OffscreenCanvas(bitmap.width, bitmap.height).getContext("2d");
  context.drawImage(bitmap, 0, 0);
  const pixels = context.getImageData(0, 0, bitmap.width, bitmap.height).data;
  const inside = Uint8Array.from({ length: bitmap.width * bitmap.height }, (_, index) => (pixels[index * 4] > 127 ? 1 : 0));
  return { bitmap: inside, width: bitmap.width, height: bitmap.height, left: found.left, top: found.top };
}

function readLabels(text) {
  let labels;
  try {
    labels = parseRelaxed(text ?? "");
  } catch (error) {
    throw new Error(`The attribute labels must be a JSON list of strings: ${error.message}.`);
  }
  if (!Array.isArray(labels) || labels.length === 0 || !labels.every((label) => typeof label === "string" && label)) {
    throw new Error("The attribute labels must be a JSON list of at least one string.");
  }
  if (new Set(labels).size !== labels.length) throw new Error("The attribute labels names a label twice.");
  return labels;
}

function readInitial(text) {
  if (!text?.trim()) return null;
  let value;
  try {
    value = parseRelaxed(text);
  } catch (error) {
    throw new Error(`The attribute initial-value is not JSON: ${error.message}.`);
  }
  const colors = Object.values(value?.labelMappings ?? {}).map((mapping) => mapping?.color);
  if (typeof value?.src !== "string" || !colors.every((color) => /^#[0-9a-f]{6}$/i.test(color ?? ""))) {
    throw new Error('The attribute initial-value must be {"src": "…", "labelMappings": {"<label>": {"color": "#rrggbb"}}}.');
  }
  return value;
}

/** A prior mask's colours stay what they were; labels that it lacks get others. */
function chooseColors(labels, initial) {
  const given = labels.map((label) =>
    initial && Object.hasOwn(initial.labelMappings, label) ? initial.labelMappings[label].color.toLowerCase() : null,
  );
  const free = paletteOf(labels.length * 2 + 1).filter((color) => !given.includes(color));
  return given.map((color) => color ?? free.shift());
}
