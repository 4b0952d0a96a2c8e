import { toRgb } from "./palette.js";
import { intersect, isEmpty, rect, union } from "./rect.js";

/** Draws picture and painting into two stacked canvases, at most once a frame.
 *
 * The painting is sampled at the stage's resolution straight from the class ids: a stroke on a 24-megapixel
 * photo costs as much as its area on the screen, and no second full-size bitmap is kept. */
export class Renderer {
  constructor({ picture, painting, viewport, pictureCanvas, paintingCanvas, onframe = () => {} }) {
    this._picture = picture;
    this._painting = painting;
    this._viewport = viewport;
    this._pictureContext = pictureCanvas.getContext("2d", { alpha: true });
    this._paintingContext = paintingCanvas.getContext("2d", { willReadFrequently: true });
    this._canvases = [pictureCanvas, paintingCanvas];
    this._onframe = onframe;
    this._lookup = new Uint32Array(1);
    /** Class ids to show instead of the painting's, to compare with. */
    this._instead = null;
    this._dirty = null;
    this._stale = true;
    this._frame = 0;
  }

  /** Set the colours of the labels, in label order, and the ids of those that are not shown. */
  setColors(colors, hidden = new Set()) {
    this._lookup = new Uint32Array(colors.length + 1);
    colors.forEach((color, index) => {
      if (hidden.has(index + 1)) return;
      const [red, green, blue] = toRgb(color);
      // Canvas pixels are bytes R, G, B, A: on the little-endian machines that browsers run on, A is on top.
      this._lookup[index + 1] = ((255 << 24) | (blue << 16) | (green << 8) | red) >>> 0;
    });
    this.invalidateView();
  }

  /** Show other class ids of the same size, or the painting's again (null). */
  showInstead(ids) {
    this._instead = ids;
    this.invalidateView();
  }

  resize(width, height) {
    for (const canvas of this._canvases) {
      canvas.width = width;
      canvas.height = height;
    }
    this.invalidateView();
  }

  /** All has to be drawn again: the view has moved. */
  invalidateView() {
    this._stale = true;
    this.schedule();
  }

  /** These pixels of the picture have another class now. */
  invalidate(area) {
    this._dirty = union(this._dirty, area);
    this.schedule();
  }

  schedule() {
    if (this._frame === 0) this._frame = requestAnimationFrame(() => this._render());
  }

  stop() {
    cancelAnimationFrame(this._frame);
    this._frame = -1;
  }

  _render() {
    this._frame = 0;
    const whole = rect(0, 0, this._viewport.width, this._viewport.height);
    if (this._stale) {
      this._picture.draw(this._pictureContext, this._viewport);
      this._paint(whole);
    } else if (this._dirty) {
      this._paint(intersect(this._onScreen(this._dirty), whole));
    }
    this._stale = false;
    this._dirty = null;
    this._onframe();
  }

  _onScreen(area) {
    const from = this._viewport.toScreen({ x: area.left, y: area.top });
    const to = this._viewport.toScreen({ x: area.right, y: area.bottom });
    return rect(Math.floor(from.x) - 1, Math.floor(from.y) - 1, Math.ceil(to.x) + 1, Math.ceil(to.y) + 1);
  }

  _paint(area) {
    if (isEmpty(area)) return;
    const columns = area.right - area.left;
    const rows = area.bottom - area.top;
    const image = new ImageData(columns, rows);
    const target = new Uint32Array(image.data.buffer);
    const { width, height } = this._painting;
    const data = this._instead ?? this._painting.data;
    const sources = this._sourceColumns(area);
    const lookup = this._lookup;
    let previous = -1;
    for (let row = 0; row < rows; row++) {
      const y = Math.floor((area.top + row + 0.5 - this._viewport.y) / this._viewport.scale);
      if (y < 0 || y >= height) continue;
      const start = row * columns;
      if (y === previous) {
        target.copyWithin(start, start - columns, start);
        continue;
      }
      previous = y;
      const line = y * width;
      for (let column = 0; column < columns; column++) {
        const x = sources[column];
        if (x >= 0) target[start + column] = lookup[data[line + x]];
      }
    }
    this._paintingContext.putImageData(image, area.left, area.top);
  }

  _sourceColumns(area) {
    const sources = new Int32Array(area.right - area.left);
    for (let column = 0; column < sources.length; column++) {
      const x = Math.floor((area.left + column + 0.5 - this._viewport.x) / this._viewport.scale);
      sources[column] = x >= 0 && x < this._painting.width ? x : -1;
    }
    return sources;
  }
}
