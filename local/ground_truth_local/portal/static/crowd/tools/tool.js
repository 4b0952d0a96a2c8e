/** What a pointer (or the keyboard's cross-hair) does to the painting, by tool. Points are in picture pixels. */
export class Tool {
  name = "";
  help = "";
  /** Which of the options "size", "tolerance", "refine" belong to the tool. */
  options = [];

  /** @param {import("../editor.js").Editor} editor */
  constructor(editor) {
    this.editor = editor;
  }

  /** @param {{x: number, y: number}} _point @param {{minus?: boolean}} _how */
  down(_point, _how = {}) {}
  move(_point) {}
  up(_point) {}
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
  drawHints(_context, _viewport, _pointer) {}
}

export class Hand extends Tool {
  name = "hand";
  help = "Move: drag the picture; the wheel or two fingers zoom.";
}
