import { decodeDraft, encodeDraft } from "./draft.js";
import { Editor } from "./editor.js";
import { colors as paletteOf } from "./engine/palette.js";
import { fetchPicture, loadPicture, PictureError } from "./engine/picture.js";
import { decodeMask, encodeMask, toBase64 } from "./engine/png.js";
import { ask, listen, offers, tell } from "./host.js";
import { KeyboardInput } from "./input/keyboard.js";
import { PointerInput } from "./input/pointer.js";
import { parseRelaxed } from "./relaxed-json.js";
import * as styles from "./styles.js";
import { View } from "./view/view.js";

/** Milliseconds: a draft that takes longer to make waits this long for the next stroke. */
const SLOW = 12;
const KEEP_AFTER = 250;

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
    this._view.offer(["brush", "eraser", "lasso", "polygon", "fill", "smart-fill", "smart-brush", "hand"]);
    this.shadowRoot.replaceChildren(this._view.root);
    this._view.showLoading();
  }

  _actions() {
    const zoom = (factor) => this.editor?.view((viewport) => viewport.zoomAtCentre(factor));
    return {
      tool: (name) => this.editor?.setTool(name),
      label: (id) => this.editor?.setLabel(id),
      hide: (id) => this.editor?.toggleHidden(id ?? this.editor.label),
      lock: (id) => this.editor?.toggleLocked(id ?? this.editor.label),
      size: (size) => this.editor?.setSize(size),
      smaller: () => this.editor?.stepSize(-1),
      larger: () => this.editor?.stepSize(1),
      tolerance: (tolerance) => this.editor?.setTolerance(tolerance),
      refine: (kind) => this.editor?.setRefine(kind),
      fillHoles: () => this.editor?.fillHoles(),
      compare: () => this.editor?.compare(!this.editor.comparing),
      search: () => this._view.labels.focusSearch(),
      focus: () => this._view.surface.focus(),
      help: () => this._view.openKeys(),
      undo: () => this.editor?.undo(),
      redo: () => this.editor?.redo(),
      zoomIn: () => zoom(1.4),
      zoomOut: () => zoom(1 / 1.4),
      fit: () => this.editor?.view((viewport) => viewport.fit()),
    };
  }

  async _open() {
    const [picture, { autoSegment, drafts }] = await Promise.all([loadPicture(this.getAttribute("src")), offers()]);
    this.editor = new Editor(picture, this._view.canvases, this._colors, {
      segment: autoSegment ? segment : undefined,
      onchange: () => this._update(),
      onpaint: () => this._keep(),
      onsay: (text) => this._view.say(text),
    });
    this._view.offer([...this.editor.tools.keys()]);
    if (this._initial) await this._loadInitial();
    const restored = drafts && (await this._restore());
    this._listen();
    this._view.hideNotice();
    this._update();
    this._view.say(restored ? "What you had painted is here again." : this.editor.tool.help);
    this._finish("ready");
  }

  /** Show what was painted before, and from now on hand over what is painted; tells whether there was anything. */
  async _restore() {
    const { painting } = this.editor;
    const bytes = await ask("draft");
    const restored = bytes && decodeDraft(bytes, painting.data, painting.width, painting.height, this._labels.length);
    if (restored) painting.load(painting.data);
    this._drafting = true;
    listen("flush", () => {
      this._flush();
      tell("flushed");
    });
    document.addEventListener("visibilitychange", () => this._flush());
    window.addEventListener("pagehide", () => this._flush());
    return restored;
  }

  // At once, so that even a reload right after a stroke has it; on a huge picture once for a few quick strokes.
  _keep() {
    if (!this._drafting) return;
    this._unkept = true;
    clearTimeout(this._keeping);
    this._keeping = setTimeout(() => this._flush(), this._slow ? KEEP_AFTER : 0);
  }

  _flush() {
    if (!this._unkept) return;
    this._unkept = false;
    clearTimeout(this._keeping);
    const start = performance.now();
    tell("draft", { bytes: encodeDraft(this.editor.painting) });
    this._slow = performance.now() - start > SLOW;
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
    this.editor.earlier = found.ids;
    painting.load(found.ids);
  }

  _listen() {
    const { surface } = this._view;
    const actions = this._actions();
    const pointers = new PointerInput(surface, this.editor);
    this._keyboard = new KeyboardInput(surface, this.editor, pointers, {
      actions,
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

async function segment(points, hints) {
  const found = await ask("auto-segment", { points: points.map(({ x, y }) => [x, y]), hints });
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
