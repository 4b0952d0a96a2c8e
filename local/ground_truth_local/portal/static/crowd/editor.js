import { Painting } from "./engine/painting.js";
import { Renderer } from "./engine/renderer.js";
import { Viewport } from "./engine/viewport.js";
import { AutoSegment, Brush, Eraser, Fill, Hand, Polygon } from "./tools.js";

/** The state of one painting session: picture, painting, view, tool, label. The view listens with `onchange`. */
export class Editor {
  /**
   * @param {Picture} picture
   * @param {{picture: HTMLCanvasElement, painting: HTMLCanvasElement, hints: HTMLCanvasElement}} canvases
   * @param {string[]} colors of the labels, in order
   * @param {{segment?: Function, onchange?: Function, onsay?: Function}} hooks
   */
  constructor(picture, canvases, colors, hooks = {}) {
    this.picture = picture;
    this.colors = colors;
    this.viewport = new Viewport(picture.width, picture.height);
    this.painting = new Painting(picture.width, picture.height, colors.length, (area) => {
      this._renderer.invalidate(area);
      this._changed();
    });
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
    this.label = 1;
    this.size = Math.max(4, Math.round(Math.max(picture.width, picture.height) / 50));
    this.busy = false;
    const tools = [new Brush(this), new Eraser(this), new Polygon(this), new Fill(this), new Hand(this)];
    if (hooks.segment) tools.splice(4, 0, new AutoSegment(this));
    this.tools = new Map(tools.map((tool) => [tool.name, tool]));
    this.tool = this.tools.get("brush");
    picture.ready?.then(() => this._renderer.invalidateView());
  }

  get maxSize() {
    return Math.max(50, Math.round(Math.max(this.picture.width, this.picture.height) / 8));
  }

  resize(width, height, pixelRatio) {
    this.pixelRatio = pixelRatio;
    const size = [Math.max(1, Math.round(width * pixelRatio)), Math.max(1, Math.round(height * pixelRatio))];
    this.viewport.resize(...size);
    this._canvases.hints.width = size[0];
    this._canvases.hints.height = size[1];
    this._renderer.resize(...size);
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
    // Whoever picks a label wants to paint with it.
    if (this.tool.name === "eraser" || this.tool.name === "hand") this.setTool("brush");
    this._changed();
  }

  setSize(size) {
    this.size = Math.min(this.maxSize, Math.max(1, Math.round(size)));
    this._changed();
    this.drawHints();
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

  segment(points) {
    return this._hooks.segment(points);
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

