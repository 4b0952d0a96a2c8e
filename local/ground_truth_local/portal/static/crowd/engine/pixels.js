/** The picture's colours, band by band and only while somebody needs them: all of a 24-megapixel photo are 96 MB. */

const ROWS = 128;
const KEEP = 15_000;

export class Pixels {
  /** @param {import("./picture.js").Picture} picture */
  constructor(picture) {
    this._picture = picture;
    this.width = picture.width;
    this.height = picture.height;
    this._bands = new Map();
    this._timer = 0;
    /** @type {OffscreenCanvasRenderingContext2D | null} */
    this._context = null;
  }

  /** The colours of a row as packed 32-bit pixels. */
  row(y) {
    const number = Math.floor(y / ROWS);
    let band = this._bands.get(number);
    if (!band) {
      band = this._read(number);
      this._bands.set(number, band);
    }
    const start = (y - number * ROWS) * this.width;
    return band.subarray(start, start + this.width);
  }

  at(x, y) {
    return this.row(y)[x];
  }

  /** Let the colours go, a while after they were last of use. */
  release() {
    clearTimeout(this._timer);
    this._timer = setTimeout(() => this._bands.clear(), KEEP);
  }

  _read(number) {
    const top = number * ROWS;
    const rows = Math.min(ROWS, this.height - top);
    this._context ??= new OffscreenCanvas(this.width, ROWS).getContext("2d", { willReadFrequently: true });
    this._context.clearRect(0, 0, this.width, ROWS);
    this._context.drawImage(this._picture.bitmap, 0, top, this.width, rows, 0, 0, this.width, rows);
    return new Uint32Array(this._context.getImageData(0, 0, this.width, rows).data.buffer);
  }
}

/** A test whether a packed colour is within `tolerance` of another, in each of its three channels. */
export function isLike(color, tolerance) {
  const [red, green, blue] = [color & 255, (color >>> 8) & 255, (color >>> 16) & 255];
  return (other) =>
    Math.abs((other & 255) - red) <= tolerance &&
    Math.abs(((other >>> 8) & 255) - green) <= tolerance &&
    Math.abs(((other >>> 16) & 255) - blue) <= tolerance;
}
