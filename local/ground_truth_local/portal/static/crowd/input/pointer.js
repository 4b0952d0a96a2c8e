/** Pointers and wheel of the stage. */

/** A palm leaves the screen a little after the pen. */
const PALM_AFTER_PEN = 700;

/** One finger, pen or mouse uses the tool; two fingers, the middle button or a held space bar move the view.
 *
 * Once a pen is used, it alone paints: one finger moves the view, and while the pen draws, or has just drawn, touches are
 * a palm and do nothing at all. A pen's pressure changes nothing. */
export class PointerInput {
  /** @param {HTMLElement} stage @param {import("../editor.js").Editor} editor */
  constructor(stage, editor) {
    this._stage = stage;
    this._editor = editor;
    this._pointers = new Map();
    this._panning = false;
    this._pen = null;
    this._penSeen = false;
    this._penLast = -Infinity;
    this.spaceHeld = false;
    stage.addEventListener("pointerdown", (event) => this._down(event));
    stage.addEventListener("pointermove", (event) => this._move(event));
    stage.addEventListener("pointerup", (event) => this._up(event));
    stage.addEventListener("pointercancel", (event) => this._up(event));
    stage.addEventListener("pointerleave", () => this._leave());
    stage.addEventListener("dblclick", () => editor.tool.finish());
    stage.addEventListener("wheel", (event) => this._wheel(event), { passive: false });
    stage.addEventListener("contextmenu", (event) => event.preventDefault());
  }

  _down(event) {
    const secondary = event.button === 2 && this._editor.tool.options.includes("refine");
    if (event.button !== 0 && event.button !== 1 && !secondary) return;
    event.preventDefault();
    this._stage.focus({ preventScroll: true });
    if (event.pointerType === "pen") this._penDown(event);
    else if (event.pointerType === "touch" && this._isPalm(event)) return;
    this._stage.setPointerCapture(event.pointerId);
    this._pointers.set(event.pointerId, this._screen(event));
    this._editor.crosshair = null;
    if (this._pointers.size > 1) {
      this._editor.tool.cancel();
      this._panning = true;
    } else if (event.button === 1 || this.spaceHeld || this._editor.tool.name === "hand" || this._movesView(event)) {
      this._panning = true;
    } else if (!this._editor.busy) {
      this._editor.tool.down(this._image(event), { minus: secondary || event.shiftKey || event.altKey });
    }
  }

  _penDown(event) {
    this._pen = event.pointerId;
    this._penSeen = true;
    // A palm that came first has begun something: it was not meant.
    if (this._pointers.size > 0) this._editor.tool.cancel();
    this._pointers.clear();
    this._panning = false;
  }

  _isPalm(event) {
    return this._pen !== null || event.timeStamp - this._penLast < PALM_AFTER_PEN;
  }

  _movesView(event) {
    return this._penSeen && event.pointerType === "touch";
  }

  _move(event) {
    const editor = this._editor;
    if (event.pointerType === "pen") this._penLast = event.timeStamp;
    const isDown = this._pointers.has(event.pointerId);
    if (event.pointerType === "touch" && !isDown) return;
    editor.crosshair = null;
    if (this._panning && isDown) {
      this._pan(event);
      return;
    }
    if (isDown) {
      // A pen reports more often than the screen shows: each point counts for a smooth stroke.
      const points = event.getCoalescedEvents?.() ?? [];
      for (const point of points.length > 0 ? points : [event]) editor.tool.move(this._image(point));
    }
    editor.pointer = event.pointerType === "touch" ? null : this._image(event);
    editor.drawHints();
  }

  _up(event) {
    if (event.pointerId === this._pen) {
      this._pen = null;
      this._penLast = event.timeStamp;
    }
    if (!this._pointers.delete(event.pointerId)) return;
    if (!this._panning) this._editor.tool.up(this._image(event));
    if (this._pointers.size === 0) this._panning = false;
  }

  _leave() {
    this._editor.pointer = null;
    this._editor.drawHints();
  }

  _pan(event) {
    const before = [...this._pointers.values()];
    const old = this._pointers.get(event.pointerId);
    this._pointers.set(event.pointerId, this._screen(event));
    const after = [...this._pointers.values()];
    this._editor.view((viewport) => {
      if (before.length < 2) {
        viewport.panBy(after[0].x - old.x, after[0].y - old.y);
        return;
      }
      const [from, to] = [middle(before), middle(after)];
      viewport.panBy(to.x - from.x, to.y - from.y);
      viewport.zoomAt(to, spread(after) / Math.max(1, spread(before)));
    });
  }

  _wheel(event) {
    event.preventDefault();
    // With Shift held, some systems turn the wheel sideways.
    const turned = event.deltaY || event.deltaX;
    const pixels = event.deltaMode === 1 ? turned * 16 : turned;
    if ((event.shiftKey || event.altKey) && this._editor.tool.options.includes("size")) {
      if (pixels !== 0) this._editor.stepSize(pixels < 0 ? 1 : -1);
      return;
    }
    const factor = Math.exp(-Math.max(-200, Math.min(200, pixels)) * (event.ctrlKey ? 0.01 : 0.002));
    this._editor.view((viewport) => viewport.zoomAt(this._screen(event), factor));
  }

  _screen(event) {
    const box = this._stage.getBoundingClientRect();
    const ratio = this._editor.pixelRatio;
    return { x: (event.clientX - box.left) * ratio, y: (event.clientY - box.top) * ratio };
  }

  _image(event) {
    return this._editor.viewport.toImage(this._screen(event));
  }
}

function middle(points) {
  const [first, second] = points;
  return { x: (first.x + second.x) / 2, y: (first.y + second.y) / 2 };
}

function spread(points) {
  const [first, second] = points;
  return Math.hypot(first.x - second.x, first.y - second.y);
}
