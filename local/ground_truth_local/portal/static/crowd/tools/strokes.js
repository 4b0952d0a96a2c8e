import { isLike } from "../engine/pixels.js";
import { line, ring } from "./hints.js";
import { Tool } from "./tool.js";

export class Brush extends Tool {
  name = "brush";
  options = ["size"];
  help = "Brush: drag to paint the selected label.";

  get id() {
    return this.editor.label;
  }

  down(point) {
    this.editor.painting.beginStroke(point, this.editor.size, this.id, this._accepts(point));
    this._active = true;
  }

  /** Which pixels the stroke may paint; null for all. */
  _accepts(_point) {
    return null;
  }

  move(point) {
    if (this._active) this.editor.painting.extendStroke(point);
  }

  up() {
    if (this._active) this.editor.painting.endStroke();
    this._active = false;
  }

  cancel() {
    if (!this._active) return false;
    this._active = false;
    this.editor.painting.abandonStroke();
    return true;
  }

  drawHints(context, viewport, pointer) {
    if (!pointer) return;
    ring(context, viewport.toScreen(pointer), Math.max(2, (this.editor.size / 2) * viewport.scale));
  }
}

export class Eraser extends Brush {
  name = "eraser";
  help = "Eraser: drag to make pixels unlabeled again.";

  get id() {
    return 0;
  }
}

/** Paints only what has the colour of the place where the stroke began. */
export class SmartBrush extends Brush {
  name = "smart-brush";
  options = ["size", "tolerance"];
  help = "Smart brush: drag over an object; only pixels of the colour where you began are painted.";

  _accepts(point) {
    const { pixels, tolerance, picture } = this.editor;
    const x = Math.min(picture.width - 1, Math.max(0, Math.floor(point.x)));
    const y = Math.min(picture.height - 1, Math.max(0, Math.floor(point.y)));
    const accepts = isLike(pixels.at(x, y), tolerance);
    return (row) => {
      const colors = pixels.row(row);
      return (column) => accepts(colors[column]);
    };
  }

  up() {
    super.up();
    this.editor.pixels.release();
  }
}

/** Draw an outline by hand; what it encloses is painted. */
export class Lasso extends Tool {
  name = "lasso";
  help = "Lasso: drag around an object; what you enclose gets the selected label.";
  points = [];

  down(point) {
    this.points = [point];
    this.editor.drawHints();
  }

  move(point) {
    if (this.points.length === 0) return;
    const last = this.points[this.points.length - 1];
    if (last.x !== point.x || last.y !== point.y) this.points.push(point);
    this.editor.drawHints();
  }

  up() {
    const { points } = this;
    this.points = [];
    if (points.length > 2) this.editor.painting.fillPolygon(points, this.editor.label);
    this.editor.drawHints();
  }

  cancel() {
    const any = this.points.length > 0;
    this.points = [];
    this.editor.drawHints();
    return any;
  }

  drawHints(context, viewport) {
    if (this.points.length > 1) line(context, this.points.map((point) => viewport.toScreen(point)), { closed: true });
  }
}
