/** Pointers, wheel and keys of the stage. */

const KEYBOARD_STEP = 4;

/** One finger, pen or mouse uses the tool; two fingers, the middle button or a held space bar move the view. */
export class PointerInput {
  constructor(stage, editor) {
    this._stage = stage;
    this._editor = editor;
    this._pointers = new Map();
    this._panning = false;
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
    if (event.button !== 0 && event.button !== 1) return;
    event.preventDefault();
    this._stage.focus({ preventScroll: true });
    this._stage.setPointerCapture(event.pointerId);
    this._pointers.set(event.pointerId, this._screen(event));
    this._editor.crosshair = null;
    if (this._pointers.size > 1) {
      this._editor.tool.cancel();
      this._panning = true;
    } else if (event.button === 1 || this.spaceHeld || this._editor.tool.name === "hand") {
      this._panning = true;
    } else if (!this._editor.busy) {
      this._editor.tool.down(this._image(event));
    }
  }

  _move(event) {
    const editor = this._editor;
    editor.crosshair = null;
    if (this._panning && this._pointers.has(event.pointerId)) {
      this._pan(event);
      return;
    }
    if (this._pointers.has(event.pointerId)) {
      // A pen reports more often than the screen shows: each point counts for a smooth stroke.
      const points = event.getCoalescedEvents?.() ?? [];
      for (const point of points.length > 0 ? points : [event]) editor.tool.move(this._image(point));
    }
    editor.pointer = event.pointerType === "touch" ? null : this._image(event);
    editor.drawHints();
  }

  _up(event) {
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
    const lines = event.deltaMode === 1 ? event.deltaY * 16 : event.deltaY;
    const factor = Math.exp(-Math.max(-200, Math.min(200, lines)) * (event.ctrlKey ? 0.01 : 0.002));
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

/** Keys that work wherever the focus is (but in a text field), and a cross-hair to paint without a pointer. */
export class KeyboardInput {
  constructor(stage, editor, pointers, actions) {
    this._stage = stage;
    this._editor = editor;
    this._pointers = pointers;
    this._actions = actions;
    this._pressed = false;
    this._abort = new AbortController();
    const options = { signal: this._abort.signal };
    document.addEventListener("keydown", (event) => this._keydown(event), options);
    document.addEventListener("keyup", (event) => this._keyup(event), options);
  }

  close() {
    this._abort.abort();
  }

  _keydown(event) {
    const target = event.composedPath()[0];
    if (event.defaultPrevented || isTyping(target) || this._actions.isBlocked()) return;
    const handled =
      event.ctrlKey || event.metaKey ? this._command(event) : !event.altKey && this._plain(event, target);
    if (handled) event.preventDefault();
  }

  _command(event) {
    const key = event.key.toLowerCase();
    if (key === "z" && !event.shiftKey) this._editor.undo();
    else if (key === "y" || (key === "z" && event.shiftKey)) this._editor.redo();
    else return false;
    return true;
  }

  _plain(event, target) {
    const onStage = target === this._stage;
    if (event.key.startsWith("Arrow")) return onStage && this._arrow(event);
    if (event.key === " ") return onStage && this._space(event);
    if (event.key === "Enter") return onStage && this._editor.tool.finish();
    if (event.key === "Escape") return this._editor.tool.cancel();
    if (event.key === "Backspace") return this._editor.tool.back();
    if (/^[0-9]$/.test(event.key)) {
      this._editor.setLabel(event.key === "0" ? 10 : Number(event.key));
      return true;
    }
    const action = this._actions.keys[event.key.toLowerCase()];
    action?.();
    return action !== undefined;
  }

  _arrow(event) {
    const editor = this._editor;
    const { viewport } = editor;
    const centre = viewport.toImage({ x: viewport.width / 2, y: viewport.height / 2 });
    const from = editor.crosshair ?? editor.pointer ?? centre;
    const step = Math.max(1, (KEYBOARD_STEP * editor.pixelRatio) / viewport.scale) * (event.shiftKey ? 8 : 1);
    const direction = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    const point = {
      x: Math.min(editor.picture.width - 1, Math.max(0, from.x + direction[0] * step)),
      y: Math.min(editor.picture.height - 1, Math.max(0, from.y + direction[1] * step)),
    };
    editor.crosshair = point;
    editor.pointer = point;
    if (this._pressed) editor.tool.move(point);
    editor.view((view) => view.reveal(point));
    return true;
  }

  _space(event) {
    const { crosshair, tool } = this._editor;
    if (!crosshair) {
      this._pointers.spaceHeld = true;
    } else if (!event.repeat && !this._editor.busy) {
      this._pressed = true;
      tool.down(crosshair);
    }
    return true;
  }

  _keyup(event) {
    if (event.key !== " ") return;
    this._pointers.spaceHeld = false;
    if (this._pressed) this._editor.tool.up(this._editor.crosshair);
    this._pressed = false;
  }
}

function isTyping(target) {
  if (!(target instanceof HTMLElement)) return false;
  if (target.isContentEditable || ["TEXTAREA", "SELECT"].includes(target.tagName)) return true;
  return target.tagName === "INPUT" && !["range", "checkbox", "radio", "button"].includes(target.type);
}

function middle([first, second]) {
  return { x: (first.x + second.x) / 2, y: (first.y + second.y) / 2 };
}

function spread([first, second]) {
  return Math.hypot(first.x - second.x, first.y - second.y);
}
