import { History } from "./history.js";
import { intersect, isEmpty, rect, union } from "./rect.js";
import { capsule, flood, polygon } from "./shapes.js";

/** What is painted: one class id a pixel (0 is background, label number i is i + 1), with undo.
 *
 * `onchange(rect)` is called after each change with the pixels that may differ. */
export class Painting {
  constructor(width, height, labelCount, onchange = () => {}) {
    const Ids = labelCount < 256 ? Uint8Array : Uint16Array;
    this.width = width;
    this.height = height;
    this.data = new Ids(width * height);
    this._onchange = onchange;
    this._history = new History(this.data, width, height);
    this._stroke = null;
    this._dirty = null;
  }

  get canUndo() {
    return this._history.canUndo;
  }

  get canRedo() {
    return this._history.canRedo;
  }

  /** Whether no pixel has a label. */
  get isBlank() {
    return this.data.every((id) => id === 0);
  }

  at(x, y) {
    return this.data[Math.floor(y) * this.width + Math.floor(x)];
  }

  contains(x, y) {
    return x >= 0 && y >= 0 && x < this.width && y < this.height;
  }

  /** Start a brush stroke; `diameter` in pixels of the picture. */
  beginStroke(point, diameter, id) {
    this._history.begin();
    this._stroke = { last: centered(point), radius: diameter / 2, id };
    this._draw(id, (emit) => capsule(this._stroke.last, this._stroke.last, diameter / 2, emit));
  }

  /** Draw on to the next point. */
  extendStroke(point) {
    const stroke = this._stroke;
    const next = centered(point);
    if (next.x === stroke.last.x && next.y === stroke.last.y) return;
    this._draw(stroke.id, (emit) => capsule(stroke.last, next, stroke.radius, emit));
    stroke.last = next;
  }

  endStroke() {
    this._stroke = null;
    this._commit();
  }

  fillPolygon(points, id) {
    this._step(id, (emit) => polygon(points, emit));
  }

  /** Give a connected area of one class another one. */
  floodFill(x, y, id) {
    if (!this.contains(x, y) || this.at(x, y) === id) return;
    this._step(id, (emit) => flood(this.data, this.width, this.height, Math.floor(x), Math.floor(y), emit));
  }

  /** Paint the pixels of a small bitmap (any value but 0 counts) at a place of the picture. */
  stamp(bitmap, columns, rows, left, top, id) {
    this._step(id, (emit) => {
      for (let y = 0; y < rows; y++) {
        let from = -1;
        for (let x = 0; x <= columns; x++) {
          const inside = x < columns && bitmap[y * columns + x] !== 0;
          if (inside && from < 0) from = x;
          if (!inside && from >= 0) {
            emit(top + y, left + from, left + x);
            from = -1;
          }
        }
      }
    });
  }

  clear() {
    this._step(0, (emit) => {
      for (let y = 0; y < this.height; y++) emit(y, 0, this.width);
    });
  }

  undo() {
    this._report(this._history.undo());
  }

  redo() {
    this._report(this._history.redo());
  }

  /** Take over class ids from elsewhere as the state to start from, without a step to undo. */
  load(ids) {
    this.data.set(ids);
    this._onchange(rect(0, 0, this.width, this.height));
  }

  _step(id, shape) {
    this._history.begin();
    this._draw(id, shape);
    this._commit();
  }

  // Only now can it be undone, so whoever listens has to look again.
  _commit() {
    this._history.commit();
    this._onchange(rect(0, 0, 0, 0));
  }

  _draw(id, shape) {
    shape((y, from, to) => this._span(id, y, from, to));
    const dirty = this._dirty;
    this._dirty = null;
    this._report(dirty);
  }

  _span(id, y, from, to) {
    const area = intersect(rect(from, y, to, y + 1), rect(0, 0, this.width, this.height));
    if (isEmpty(area)) return;
    this._history.touch(area.left, area.top, area.right, area.bottom);
    const row = y * this.width;
    this.data.fill(id, row + area.left, row + area.right);
    this._dirty = union(this._dirty, area);
  }

  _report(area) {
    if (!area) return;
    this._onchange(area);
  }
}

/** The centre of the pixel that a point lies in, so that a brush of one pixel paints exactly one. */
function centered(point) {
  return { x: Math.floor(point.x) + 0.5, y: Math.floor(point.y) + 0.5 };
}
