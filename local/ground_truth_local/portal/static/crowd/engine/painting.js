import { History } from "./history.js";
import { intersect, isEmpty, rect, union } from "./rect.js";
import { connected, holes } from "./regions.js";
import { capsule, flood, polygon } from "./shapes.js";

/** What is painted: one class id a pixel (0 is background, label number i is i + 1), with undo.
 *
 * `onchange(rect)` is called after each change with the pixels that may differ, `oncommit()` after each whole step. */
export class Painting {
  /** @param {(area: import("./rect.js").Rect) => void} onchange */
  constructor(width, height, labelCount, onchange = (_area) => {}, oncommit = () => {}) {
    const Ids = labelCount < 256 ? Uint8Array : Uint16Array;
    this.width = width;
    this.height = height;
    this.data = new Ids(width * height);
    this._onchange = onchange;
    this._oncommit = oncommit;
    this._history = new History(this.data, width, height);
    this._stroke = null;
    this._dirty = null;
    /** Classes that nothing paints over, by id; null while there are none. */
    this.locked = null;
    /** Counts the steps, so that a tool sees whether its own was the last. */
    this.steps = 0;
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

  /** Start a brush stroke; `diameter` in pixels of the picture. Where `accepts(y)(x)` is given, it has to hold. */
  beginStroke(point, diameter, id, accepts = null) {
    this._history.begin();
    this._stroke = { last: centered(point), radius: diameter / 2, id, accepts };
    this._brush(this._stroke.last, this._stroke.last);
  }

  /** Draw on to the next point. */
  extendStroke(point) {
    const next = centered(point);
    const { last } = this._stroke;
    if (next.x === last.x && next.y === last.y) return;
    this._brush(last, next);
    this._stroke.last = next;
  }

  _brush(from, to) {
    const { radius, id, accepts } = this._stroke;
    this._draw(id, (emit) => capsule(from, to, radius, accepts ? this._only(accepts, emit) : emit));
  }

  /** Pass on the parts of spans whose pixels are accepted. */
  _only(accepts, emit) {
    return (y, from, to) => {
      if (y < 0 || y >= this.height) return;
      const test = accepts(y);
      let start = -1;
      const end = Math.min(to, this.width);
      for (let x = Math.max(0, from); x <= end; x++) {
        const inside = x < end && test(x);
        if (inside && start < 0) start = x;
        if (!inside && start >= 0) {
          emit(y, start, x);
          start = -1;
        }
      }
    };
  }

  endStroke() {
    this._stroke = null;
    this._commit();
  }

  /** Take the stroke that is under way back, as if it had never been begun. */
  abandonStroke() {
    this._stroke = null;
    this._report(this._history.abandon());
  }

  fillPolygon(points, id) {
    this._step(id, (emit) => polygon(points, emit));
  }

  /** Give a connected area of one class another one. */
  floodFill(x, y, id) {
    if (!this.contains(x, y) || this.at(x, y) === id || this.locked?.[this.at(x, y)]) return;
    this._step(id, (emit) => flood(this.data, this.width, this.height, Math.floor(x), Math.floor(y), emit));
  }

  /** Give the pixels connected with a place, for which `accepts(y)(x)` holds, a class. */
  fillWhere(x, y, accepts, id) {
    if (!this.contains(x, y)) return;
    this._step(id, (emit) => connected(this.width, this.height, Math.floor(x), Math.floor(y), accepts, emit));
  }

  /** Give the unlabeled pixels that a class encloses that class; tells whether there were any. */
  fillHoles(id) {
    const before = this.steps;
    this._step(id, (emit) => holes(this.data, this.width, this.height, id, emit));
    return this.steps > before;
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
    this.steps += 1;
    this._oncommit();
  }

  redo() {
    this._report(this._history.redo());
    this.steps += 1;
    this._oncommit();
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
    if (this._history.commit()) this.steps += 1;
    this._onchange(rect(0, 0, 0, 0));
    this._oncommit();
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
    if (this.locked) this._fillUnlocked(id, row + area.left, row + area.right);
    else this.data.fill(id, row + area.left, row + area.right);
    this._dirty = union(this._dirty, area);
  }

  _fillUnlocked(id, from, to) {
    const { data, locked } = this;
    for (let at = from; at < to; at++) if (!locked[data[at]]) data[at] = id;
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
