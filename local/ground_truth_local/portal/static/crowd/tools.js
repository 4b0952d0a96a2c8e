/** What a pointer (or the keyboard's cross-hair) does to the painting, by tool. Points are in picture pixels. */

const CLOSE_DISTANCE = 12;
const INK = "#ffffff";
const OUTLINE = "#10151a";

class Tool {
  constructor(editor) {
    this.editor = editor;
  }

  down() {}
  move() {}
  up() {}
  /** Drop what is half done; returns whether there was anything. */
  cancel() {
    return false;
  }
  /** Finish what is half done, on Enter. */
  finish() {
    return false;
  }
  /** Take the last point back, on Backspace. */
  back() {
    return false;
  }
  drawHints() {}
}

export class Brush extends Tool {
  name = "brush";
  usesSize = true;
  help = "Brush: drag to paint the selected label.";

  get id() {
    return this.editor.label;
  }

  down(point) {
    this.editor.painting.beginStroke(point, this.editor.size, this.id);
    this._active = true;
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
    this.up();
    this.editor.painting.undo();
    return true;
  }

  drawHints(context, viewport, pointer) {
    if (!pointer) return;
    const center = viewport.toScreen(pointer);
    ring(context, center, Math.max(2, (this.editor.size / 2) * viewport.scale));
  }
}

export class Eraser extends Brush {
  name = "eraser";
  help = "Eraser: drag to make pixels unlabeled again.";

  get id() {
    return 0;
  }
}

export class Fill extends Tool {
  name = "fill";
  help = "Fill: click an area to give all of it the selected label.";

  down(point) {
    this.editor.painting.floodFill(point.x, point.y, this.editor.label);
  }
}

/** Collects corners, shown until they become something. */
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
}

export class Polygon extends Corners {
  name = "polygon";
  help = "Polygon: click corner after corner; click the first one or press Enter to fill it. Backspace takes one back.";

  down(point) {
    if (this.points.length >= 3 && this._closes(point)) {
      this.finish();
      return;
    }
    this.points.push(point);
    this.editor.drawHints();
  }

  finish() {
    if (this.points.length < 3) return false;
    this.editor.painting.fillPolygon(this.points, this.editor.label);
    return this.cancel();
  }

  _closes(point) {
    const { viewport } = this.editor;
    const first = viewport.toScreen(this.points[0]);
    const here = viewport.toScreen(point);
    return Math.hypot(first.x - here.x, first.y - here.y) <= CLOSE_DISTANCE * this.editor.pixelRatio;
  }

  drawHints(context, viewport, pointer) {
    if (this.points.length === 0) return;
    const screen = this.points.map((point) => viewport.toScreen(point));
    const path = pointer ? [...screen, viewport.toScreen(pointer)] : screen;
    line(context, path);
    screen.forEach((point, index) => dot(context, point, index === 0 ? 6 : 4));
  }
}

export class AutoSegment extends Corners {
  name = "auto";
  help = "Auto-segment: click the object's top-most, bottom-most, left-most and right-most point, in any order.";

  down(point) {
    if (this.editor.busy) return;
    this.points.push(point);
    this.editor.drawHints();
    const left = 4 - this.points.length;
    if (left > 0) this.editor.say(`Auto-segment: ${left} more ${left === 1 ? "point" : "points"}.`);
    else this._run();
  }

  async _run() {
    const { editor, points } = this;
    const label = editor.label;
    editor.setBusy("Finding the object …");
    try {
      const found = await editor.segment(points);
      editor.painting.stamp(found.bitmap, found.width, found.height, found.left, found.top, label);
      editor.say("Done. Refine the mask with brush and eraser.");
    } catch (error) {
      editor.say(`Auto-segment failed: ${error.message}`);
    } finally {
      editor.setBusy(null);
      this.cancel();
    }
  }

  drawHints(context, viewport) {
    for (const point of this.points) dot(context, viewport.toScreen(point), 6);
  }
}

export class Hand extends Tool {
  name = "hand";
  help = "Move: drag the picture; the wheel or two fingers zoom.";
}

function ring(context, center, radius) {
  for (const [color, width] of [[OUTLINE, 3], [INK, 1.5]]) {
    context.beginPath();
    context.arc(center.x, center.y, radius, 0, Math.PI * 2);
    context.strokeStyle = color;
    context.lineWidth = width;
    context.stroke();
  }
}

function line(context, points) {
  for (const [color, width] of [[OUTLINE, 4], [INK, 2]]) {
    context.beginPath();
    points.forEach((point, index) => (index ? context.lineTo(point.x, point.y) : context.moveTo(point.x, point.y)));
    context.strokeStyle = color;
    context.lineWidth = width;
    context.lineJoin = "round";
    context.stroke();
  }
}

function dot(context, point, radius) {
  context.beginPath();
  context.arc(point.x, point.y, radius, 0, Math.PI * 2);
  context.fillStyle = INK;
  context.strokeStyle = OUTLINE;
  context.lineWidth = 2;
  context.fill();
  context.stroke();
}
