import { ACTIONS, CHARACTERS, TOOLS } from "./shortcuts.js";

const KEYBOARD_STEP = 4;
const BY_CODE = new Map([
  ...TOOLS.map(([name, , code]) => /** @type {[string, string[]]} */ ([code, ["tool", name]])),
  ...ACTIONS.map(([code, name]) => /** @type {[string, string[]]} */ ([code, [name]])),
]);

/** Keys that work wherever the focus is (but in a text field), and a cross-hair to paint without a pointer. */
export class KeyboardInput {
  /**
   * @param {HTMLElement} stage
   * @param {import("../editor.js").Editor} editor
   * @param {import("./pointer.js").PointerInput} pointers
   * @param {{actions: Record<string, Function>, isBlocked: () => boolean}} options
   */
  constructor(stage, editor, pointers, { actions, isBlocked }) {
    this._stage = stage;
    this._editor = editor;
    this._pointers = pointers;
    this._actions = actions;
    this._isBlocked = isBlocked;
    this._pressed = false;
    this._abort = new AbortController();
    const options = { signal: this._abort.signal };
    document.addEventListener("keydown", (event) => this._keydown(event), options);
    document.addEventListener("keyup", (event) => this._keyup(event), options);
    window.addEventListener("blur", () => this._release(), options);
  }

  close() {
    this._abort.abort();
  }

  _keydown(event) {
    const target = event.composedPath()[0];
    if (event.defaultPrevented || event.isComposing || isTyping(target) || this._isBlocked()) return;
    if (this._handle(event, target)) event.preventDefault();
  }

  _handle(event, target) {
    // AltGr is Ctrl + Alt on Windows: what it types counts, not the key's place.
    if (event.getModifierState("AltGraph") || (event.ctrlKey && event.altKey)) return this._character(event.key);
    if (event.ctrlKey || event.metaKey) return this._command(event);
    return !event.altKey && this._plain(event, target);
  }

  _character(key) {
    const name = CHARACTERS[key];
    if (!name) return false;
    this._actions[name]();
    return true;
  }

  // Undo is where the letter is, as in all programs; on a keyboard without Latin letters, where the key is.
  _command(event) {
    const letter = /^[a-z]$/i.test(event.key) ? event.key.toLowerCase() : event.code.replace("Key", "").toLowerCase();
    if (letter === "z" && !event.shiftKey) this._editor.undo();
    else if (letter === "y" || (letter === "z" && event.shiftKey)) this._editor.redo();
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
    if (event.key === "?" || event.key === "F1") return this._character("?");
    const digit = /^(?:Digit|Numpad)([0-9])$/.exec(event.code);
    if (digit && !event.shiftKey) {
      this._editor.setLabel(digit[1] === "0" ? 10 : Number(digit[1]));
      return true;
    }
    if (event.code === "KeyC") {
      this._editor.compare(true);
      return true;
    }
    const [name, ...rest] = BY_CODE.get(event.code) ?? [];
    if (!name) return this._character(event.key);
    this._actions[name](...rest);
    return true;
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
      tool.down(crosshair, { minus: event.shiftKey });
    }
    return true;
  }

  _keyup(event) {
    if (event.code === "KeyC") this._editor.compare(false);
    if (event.key === " ") this._release();
  }

  _release() {
    this._pointers.spaceHeld = false;
    this._editor.compare(false);
    if (this._pressed) this._editor.tool.up(this._editor.crosshair);
    this._pressed = false;
  }
}

function isTyping(target) {
  if (!(target instanceof HTMLElement)) return false;
  if (target.isContentEditable || ["TEXTAREA", "SELECT"].includes(target.tagName)) return true;
  return target instanceof HTMLInputElement && !["range", "checkbox", "radio", "button"].includes(target.type);
}
