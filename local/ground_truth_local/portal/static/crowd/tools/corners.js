import { dot, line, sign } from "./hints.js";
import { Tool } from "./tool.js";

const REACH = 12;

/** Collects points, shown until they become something. */
class Corners extends Tool {
  points = [];

  cancel() {
    const any = this.points.length > 0;
    this.points = [];
    this.editor.drawHints();
    return any;
  }

  back() {
    const any = this.points.pop() !== undefined;
    this.editor.drawHints();
    return any;
  }

  /** The number of the corner that a point meets, -1 if none. */
  _cornerAt(point) {
    const { viewport, pixelRatio } = this.editor;
    const here = viewport.toScreen(point);
    return this.points.findIndex((corner) => {
      const there = viewport.toScreen(corner);
      return Math.hypot(there.x - here.x, there.y - here.y) <= REACH * pixelRatio;
    });
  }
}

export class Polygon extends Corners {
  name = "polygon";
  help =
    "Polygon: click corner after corner, drag one to move it; click the first one or press Enter to fill it. Backspace takes one back.";
  _moving = -1;
  _moved = false;

  down(point) {
    this._moving = this._cornerAt(point);
    this._moved = false;
    if (this._moving < 0) this.points.push(point);
    this.editor.drawHints();
  }

  move(point) {
    if (this._moving < 0) return;
    const corner = this.points[this._moving];
    const { viewport, pixelRatio } = this.editor;
    const distance = Math.hypot(point.x - corner.x, point.y - corner.y) * viewport.scale;
    // A hand that trembles while it clicks moves nothing.
    if (!this._moved && distance < 3 * pixelRatio) return;
    this._moved = true;
    this.points[this._moving] = point;
    this.editor.drawHints();
  }

  up() {
    const closes = this._moving === 0 && !this._moved && this.points.length >= 3;
    this._moving = -1;
    if (closes) this.finish();
  }

  finish() {
    if (this.points.length < 3) return false;
    this.editor.painting.fillPolygon(this.points, this.editor.label);
    return this.cancel();
  }

  cancel() {
    this._moving = -1;
    return super.cancel();
  }

  drawHints(context, viewport, pointer) {
    if (this.points.length === 0) return;
    const screen = this.points.map((point) => viewport.toScreen(point));
    const follows = pointer && this._moving < 0 && this._cornerAt(pointer) < 0;
    line(context, follows ? [...screen, viewport.toScreen(pointer)] : screen, { closed: screen.length > 2 && !follows });
    for (const [index, point] of screen.entries()) dot(context, point, index === 0 ? 6 : 5);
  }
}

/** Four extreme points give a mask; clicks afterwards say what else belongs to the object, or doesn't. */
export class AutoSegment extends Corners {
  name = "auto";
  options = ["refine"];
  help = "Auto-segment: click the object's top-most, bottom-most, left-most and right-most point, in any order.";
  hints = [];
  _object = null;

  down(point, { minus = false } = {}) {
    const { editor } = this;
    if (editor.busy) return;
    if (this._object && this._object.step === editor.painting.steps) {
      this.hints.push([point.x, point.y, minus || editor.refine === "minus" ? 0 : 1]);
      void this._run(this._object.points, this._object.label);
      return;
    }
    this._forget();
    this.points.push(point);
    editor.drawHints();
    const left = 4 - this.points.length;
    if (left > 0) editor.say(`Auto-segment: ${left} more ${left === 1 ? "point" : "points"}.`);
    else void this._run(this.points, editor.label);
  }

  async _run(points, label) {
    const { editor } = this;
    editor.setBusy("Finding the object …");
    try {
      const found = await editor.segment(points, this.hints);
      // A better mask takes the place of the last one, as one step to undo.
      if (this._object?.step === editor.painting.steps) editor.painting.undo();
      editor.painting.stamp(found.bitmap, found.width, found.height, found.left, found.top, label);
      this._object = { points, label, step: editor.painting.steps };
      editor.say("Done. Click to add what is missing, Shift-click to take away; Enter begins another. Refine the mask with any tool.");
    } catch (error) {
      this.hints.pop();
      editor.say(`Auto-segment failed: ${error.message}`);
    } finally {
      editor.setBusy(null);
      this.points = [];
      editor.drawHints();
    }
  }

  _forget() {
    this._object = null;
    this.hints = [];
  }

  finish() {
    if (!this._object) return false;
    this._forget();
    this.editor.say(this.help);
    this.editor.drawHints();
    return true;
  }

  cancel() {
    const any = super.cancel() || this._object !== null;
    this._forget();
    return any;
  }

  drawHints(context, viewport) {
    for (const point of this.points) dot(context, viewport.toScreen(point), 6);
    for (const [x, y, inside] of this.hints) sign(context, viewport.toScreen({ x, y }), inside === 1);
  }
}
