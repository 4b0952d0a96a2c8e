/** Which part of the picture is seen. Screen coordinates are device pixels of the stage. */

const MAX_SCALE = 40;
const MARGIN = 0.96;
const KEEP_VISIBLE = 48;

export class Viewport {
  constructor(imageWidth, imageHeight) {
    this.imageWidth = imageWidth;
    this.imageHeight = imageHeight;
    this.width = 1;
    this.height = 1;
    this.scale = 1;
    this.x = 0;
    this.y = 0;
    this._fitted = true;
  }

  /** Take the stage's size; a view that showed the whole picture goes on doing so. */
  resize(width, height) {
    const centre = this.toImage({ x: this.width / 2, y: this.height / 2 });
    this.width = width;
    this.height = height;
    if (this._fitted) {
      this.fit();
      return;
    }
    this.x = width / 2 - centre.x * this.scale;
    this.y = height / 2 - centre.y * this.scale;
    this._clamp();
  }

  /** Show the whole picture. */
  fit() {
    this.scale = this._fitScale();
    this.x = (this.width - this.imageWidth * this.scale) / 2;
    this.y = (this.height - this.imageHeight * this.scale) / 2;
    this._fitted = true;
  }

  /** Change the scale so that the given point of the screen stays where it is. */
  zoomAt(point, factor) {
    const scale = Math.min(MAX_SCALE, Math.max(this._fitScale() * 0.5, this.scale * factor));
    const applied = scale / this.scale;
    this.x = point.x - (point.x - this.x) * applied;
    this.y = point.y - (point.y - this.y) * applied;
    this.scale = scale;
    this._fitted = false;
    this._clamp();
  }

  zoomAtCentre(factor) {
    this.zoomAt({ x: this.width / 2, y: this.height / 2 }, factor);
  }

  panBy(x, y) {
    this.x += x;
    this.y += y;
    this._fitted = false;
    this._clamp();
  }

  /** Pan just so far that a point of the picture is seen. */
  reveal(point) {
    const screen = this.toScreen(point);
    const x = Math.min(0, this.width - KEEP_VISIBLE - screen.x) + Math.max(0, KEEP_VISIBLE - screen.x);
    const y = Math.min(0, this.height - KEEP_VISIBLE - screen.y) + Math.max(0, KEEP_VISIBLE - screen.y);
    if (x !== 0 || y !== 0) this.panBy(x, y);
  }

  toImage(point) {
    return { x: (point.x - this.x) / this.scale, y: (point.y - this.y) / this.scale };
  }

  toScreen(point) {
    return { x: point.x * this.scale + this.x, y: point.y * this.scale + this.y };
  }

  _fitScale() {
    const scale = Math.min(this.width / this.imageWidth, this.height / this.imageHeight) * MARGIN;
    return Math.min(Math.max(scale, 1e-4), MAX_SCALE);
  }

  // Some of the picture always stays on the screen, or a person loses it.
  _clamp() {
    const right = this.width - KEEP_VISIBLE;
    const bottom = this.height - KEEP_VISIBLE;
    this.x = Math.min(right, Math.max(KEEP_VISIBLE - this.imageWidth * this.scale, this.x));
    this.y = Math.min(bottom, Math.max(KEEP_VISIBLE - this.imageHeight * this.scale, this.y));
  }
}
