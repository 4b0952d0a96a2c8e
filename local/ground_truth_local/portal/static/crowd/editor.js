import { Painting } from "./engine/painting.js";
import { Pixels } from "./engine/pixels.js";
import { Renderer } from "./engine/renderer.js";
import { Viewport } from "./engine/viewport.js";
import { Fill, SmartFill } from "./tools/areas.js";
import { AutoSegment, Polygon } from "./tools/corners.js";
import { Brush, Eraser, Lasso, SmartBrush } from "./tools/strokes.js";
import { Hand } from "./tools/tool.js";

const TOLERANCE = 24;

/** The state of one painting session: picture, painting, view, tool, label. The view listens with `onchange`. */
export class Editor {
  /**
   * @param {import("./engine/picture.js").Picture} picture
   * @param {{picture: HTMLCanvasElement, painting: HTMLCanvasElement, hints: HTMLCanvasElement}} canvases
   * @param {string[]} colors of the labels, in order
   * @param {{segment?: Function, onchange?: Function, onpaint?: Function, onsay?: Function}} hooks
   */
  constructor(picture, canvases, colors, hooks = {}) {
    this.picture = picture;
    this.colors = colors;
    this.viewport = new Viewport(picture.width, picture.height);
    this.pixels = new Pixels(picture);
    this.painting = new Painting(
      picture.width,
      picture.height,
      colors.length,
      (area) => {
        this._renderer.invalidate(area);
        this._changed();
      },
      () => hooks.onpaint?.(),
    );
    this._canvases = canvases;
    this._hooks = hooks;
    this._renderer = new Renderer({
      picture,
      painting: this.painting,
      viewport: this.viewport,
      pictureCanvas: canvases.picture,
      paintingCanvas: canvases.painting,
      onframe: () => this._drawHints(),
    });
    this._renderer.setColors(colors);
    this.pixelRatio = 1;
    this.pointer = null;
    /** Where the keyboard paints, in picture pixels. */
    this.crosshair = null;
    this.label = 1;
    this.hidden = new Set();
    this.locked = new Set();
    this.size = Math.max(4, Math.round(Math.max(picture.width, picture.height) / 50));
    this.tolerance = TOLERANCE;
    /** What a click does to an auto-segmented object: "plus" or "minus". */
    this.refine = "plus";
    this.busy = false;
    /** The mask that the task began with, to compare with; null for nothing. */
    this.earlier = null;
    this.comparing = false;
    this.tools = this._makeTools();
    this.tool = this.tools.get("brush");
    picture.ready?.then(() => this._renderer.invalidateView());
  }

  /** @returns {Map<string, import("./tools/tool.js").Tool>} */
  _makeTools() {
    const kinds = [Brush, Eraser, Lasso, Polygon, Fill, SmartFill, SmartBrush];
    if (this._hooks.segment) kinds.push(AutoSegment);
    return new Map([...kinds, Hand].map((Kind) => new Kind(this)).map((tool) => [tool.name, tool]));
  }

  get maxSize() {
    return Math.max(50, Math.round(Math.max(this.picture.width, this.picture.height) / 8));
  }

  resize(width, height, pixelRatio) {
    this.pixelRatio = pixelRatio;
    const [columns, rows] = [width, height].map((side) => Math.max(1, Math.round(side * pixelRatio)));
    this.viewport.resize(columns, rows);
    this._canvases.hints.width = columns;
    this._canvases.hints.height = rows;
    this._renderer.resize(columns, rows);
    this._changed();
  }

  setTool(name) {
    if (!this.tools.has(name)) return;
    this.tool.cancel();
    this.tool = this.tools.get(name);
    this.say(this.tool.help);
    this._changed();
    this.drawHints();
  }

  setLabel(id) {
    if (id < 1 || id > this.colors.length) return;
    this.label = id;
    // Whoever picks a label wants to paint with it, and to see it.
    if (this.tool.name === "eraser" || this.tool.name === "hand") this.setTool("brush");
    if (this.hidden.has(id)) this.toggleHidden(id);
    this._changed();
  }

  setSize(size) {
    this.size = Math.min(this.maxSize, Math.max(1, Math.round(size)));
    this._changed();
    this.drawHints();
  }

  /** Make the brush one step larger (1) or smaller (-1). */
  stepSize(sign) {
    this.setSize(this.size + sign * Math.max(1, Math.round(this.size * 0.2)));
  }

  setTolerance(tolerance) {
    this.tolerance = Math.min(255, Math.max(0, Math.round(tolerance)));
    this._changed();
  }

  setRefine(kind) {
    this.refine = kind;
    this._changed();
  }

  /** Show a class, or don't; what is painted stays. */
  toggleHidden(id) {
    toggle(this.hidden, id);
    this._renderer.setColors(this.colors, this.hidden);
    this._changed();
  }

  /** Let tools paint over a class, or don't. */
  toggleLocked(id) {
    toggle(this.locked, id);
    const flags = new Uint8Array(this.colors.length + 1);
    for (const one of this.locked) flags[one] = 1;
    this.painting.locked = this.locked.size > 0 ? flags : null;
    this._changed();
  }

  /** Give the selected label what it encloses. */
  fillHoles() {
    this.say(this.painting.fillHoles(this.label) ? "The holes are filled." : "This label encloses nothing unlabeled.");
  }

  /** Show the mask that the task began with instead of what is painted now. */
  compare(comparing) {
    if (this.comparing === comparing) return;
    this.comparing = comparing;
    this._renderer.showInstead(comparing ? (this.earlier ?? new Uint8Array(this.painting.data.length)) : null);
    if (comparing) this.say(this.earlier ? "This is the mask that the task began with." : "This is the picture without paint.");
    else this.say(this.tool.help);
    this._changed();
  }

  /** Move the view: `change(viewport)` does it. */
  view(change) {
    change(this.viewport);
    this._renderer.invalidateView();
    this._changed();
  }

  undo() {
    if (!this.tool.back()) this.painting.undo();
  }

  redo() {
    this.painting.redo();
  }

  say(text) {
    this._hooks.onsay?.(text);
  }

  setBusy(text) {
    this.busy = text !== null;
    if (text) this.say(text);
    this._changed();
  }

  segment(points, hints) {
    return this._hooks.segment(points, hints);
  }

  /** Show the tool's hints anew, at the next frame. */
  drawHints() {
    this._renderer.schedule();
  }

  close() {
    this._renderer.stop();
  }

  _changed() {
    this._hooks.onchange?.();
  }

  _drawHints() {
    const { hints } = this._canvases;
    const context = hints.getContext("2d");
    context.clearRect(0, 0, hints.width, hints.height);
    this.tool.drawHints(context, this.viewport, this.pointer);
    if (this.crosshair) drawCrosshair(context, this.viewport.toScreen(this.crosshair));
  }
}

function toggle(set, id) {
  if (!set.delete(id)) set.add(id);
}

function drawCrosshair(context, { x, y }) {
  for (const [color, width] of [["#10151a", 4], ["#ffffff", 2]]) {
    context.beginPath();
    for (const [dx, dy] of [[1, 0], [-1, 0], [0, 1], [0, -1]]) {
      context.moveTo(x + dx * 4, y + dy * 4);
      context.lineTo(x + dx * 14, y + dy * 14);
    }
    context.strokeStyle = color;
    context.lineWidth = width;
    context.stroke();
  }
}
