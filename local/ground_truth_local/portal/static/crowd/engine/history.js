/** Undo and redo by tiles: a step keeps the tiles that it changed, as they were before. */

const TILE = 128;
const MAX_STEPS = 200;
const MAX_BYTES = 192 * 1024 * 1024;

export class History {
  constructor(data, width, height) {
    this._data = data;
    this._width = width;
    this._height = height;
    this._columns = Math.ceil(width / TILE);
    this._touched = new Uint8Array(this._columns * Math.ceil(height / TILE));
    this._open = null;
    this._done = [];
    this._undone = [];
    this._bytes = 0;
  }

  get canUndo() {
    return this._done.length > 0;
  }

  get canRedo() {
    return this._undone.length > 0;
  }

  /** Start a step; until `commit`, each `touch` keeps what is about to be overwritten. */
  begin() {
    this._open = new Map();
    this._touched.fill(0);
  }

  /** Announce that pixels of this rectangle (clipped to the picture) are about to change. */
  touch(left, top, right, bottom) {
    const lastRow = Math.floor((bottom - 1) / TILE);
    const lastColumn = Math.floor((right - 1) / TILE);
    for (let row = Math.floor(top / TILE); row <= lastRow; row++) {
      for (let column = Math.floor(left / TILE); column <= lastColumn; column++) {
        const tile = row * this._columns + column;
        if (this._touched[tile]) continue;
        this._touched[tile] = 1;
        this._open.set(tile, this._read(tile));
      }
    }
  }

  /** Finish the step; one that touched nothing is forgotten. Tells whether there is a step. */
  commit() {
    const step = this._open;
    this._open = null;
    if (!step || step.size === 0) return false;
    for (const dropped of this._undone) this._bytes -= size(dropped);
    this._undone = [];
    this._push(this._done, step);
    while (this._done.length > MAX_STEPS || (this._bytes > MAX_BYTES && this._done.length > 1)) {
      this._bytes -= size(this._done.shift());
    }
    return true;
  }

  /** Drop the step that is under way, and put back what it overwrote; returns the changed rectangle, or null. */
  abandon() {
    const step = this._open;
    this._open = null;
    if (!step || step.size === 0) return null;
    return this._restore(step, () => {});
  }

  /** Take a step back; returns the changed rectangle, or null. */
  undo() {
    return this._swap(this._done, this._undone);
  }

  /** Take a step forward again; returns the changed rectangle, or null. */
  redo() {
    return this._swap(this._undone, this._done);
  }

  _push(steps, step) {
    steps.push(step);
    this._bytes += size(step);
  }

  _swap(source, target) {
    const step = source.pop();
    if (!step) return null;
    this._bytes -= size(step);
    const inverse = new Map();
    const changed = this._restore(step, (tile) => inverse.set(tile, this._read(tile)));
    this._push(target, inverse);
    return changed;
  }

  _restore(step, before) {
    const changed = { left: Infinity, top: Infinity, right: 0, bottom: 0 };
    for (const [tile, content] of step) {
      before(tile);
      this._write(tile, content);
      const area = this._area(tile);
      changed.left = Math.min(changed.left, area.left);
      changed.top = Math.min(changed.top, area.top);
      changed.right = Math.max(changed.right, area.right);
      changed.bottom = Math.max(changed.bottom, area.bottom);
    }
    return changed;
  }

  _area(tile) {
    const left = (tile % this._columns) * TILE;
    const top = Math.floor(tile / this._columns) * TILE;
    return {
      left,
      top,
      right: Math.min(left + TILE, this._width),
      bottom: Math.min(top + TILE, this._height),
    };
  }

  // A tile of one value, which most are, is kept as that number.
  _read(tile) {
    const { left, top, right, bottom } = this._area(tile);
    const columns = right - left;
    const copy = new this._data.constructor(columns * (bottom - top));
    for (let y = top; y < bottom; y++) {
      const start = y * this._width + left;
      copy.set(this._data.subarray(start, start + columns), (y - top) * columns);
    }
    return isUniform(copy) ? copy[0] : copy;
  }

  _write(tile, content) {
    const { left, top, right, bottom } = this._area(tile);
    const columns = right - left;
    for (let y = top; y < bottom; y++) {
      const start = y * this._width + left;
      if (typeof content === "number") {
        this._data.fill(content, start, start + columns);
      } else {
        this._data.set(content.subarray((y - top) * columns, (y - top + 1) * columns), start);
      }
    }
  }
}

function isUniform(values) {
  for (let i = 1; i < values.length; i++) if (values[i] !== values[0]) return false;
  return true;
}

function size(step) {
  let bytes = 64;
  for (const content of step.values()) bytes += typeof content === "number" ? 32 : content.byteLength + 64;
  return bytes;
}
