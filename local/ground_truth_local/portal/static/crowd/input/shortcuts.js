/** The keys, by their place on the keyboard: `KeyB` is the key where an English keyboard has B, in any layout. */

/** Tools in the toolbar's order: name, title, key. */
export const TOOLS = [
  ["brush", "Brush", "KeyB"],
  ["eraser", "Eraser", "KeyE"],
  ["lasso", "Lasso", "KeyL"],
  ["polygon", "Polygon", "KeyP"],
  ["fill", "Fill", "KeyF"],
  ["smart-fill", "Smart fill", "KeyS"],
  ["smart-brush", "Smart brush", "KeyD"],
  ["auto", "Auto-segment", "KeyA"],
  ["hand", "Move", "KeyH"],
];

/** What else a key does: code, action's name, words. Where two codes do the same, both are there. */
export const ACTIONS = [
  ["BracketLeft", "smaller", "smaller brush"],
  ["BracketRight", "larger", "larger brush"],
  ["KeyG", "fillHoles", "fill the holes of the selected label"],
  ["KeyV", "hide", "show or hide the selected label"],
  ["KeyK", "lock", "lock the selected label: nothing paints over it"],
  ["KeyW", "fit", "whole picture"],
  ["Equal", "zoomIn", "zoom in"],
  ["NumpadAdd", "zoomIn", ""],
  ["Minus", "zoomOut", "zoom out"],
  ["NumpadSubtract", "zoomOut", ""],
  ["Slash", "search", "search the labels"],
];

/** What is typed with AltGr, or stands elsewhere on a layout, still means what it shows. */
export const CHARACTERS = { "[": "smaller", "]": "larger", "+": "zoomIn", "-": "zoomOut", "?": "help" };

const PLAIN = { BracketLeft: "[", BracketRight: "]", Equal: "=", Minus: "−", Slash: "/" };
let layout = new Map();

/** Learn what stands on this keyboard's keys, where the browser tells. */
export async function learnLayout() {
  try {
    layout = (await /** @type {any} */ (navigator).keyboard?.getLayoutMap()) ?? layout;
  } catch {
    // A browser that doesn't tell: the names of an English keyboard are shown.
  }
}

/** What stands on a key. */
export function keyName(code) {
  const known = layout.get(code);
  if (known) return known.toUpperCase();
  return PLAIN[code] ?? code.replace(/^Key|^Digit/, "");
}

/** The list of all keys, for people. */
export function describeKeys() {
  const tools = TOOLS.map(([, title, code]) => [keyName(code), title.toLowerCase()]);
  const actions = ACTIONS.filter(([, , words]) => words).map(([code, , words]) => [keyName(code), words]);
  return [
    ["1 – 9, 0", "select a label"],
    ...tools,
    ...actions,
    ["Shift + wheel", "brush size"],
    [keyName("KeyC"), "hold: compare with the earlier mask"],
    ["Ctrl + Z, Ctrl + Y", "undo, redo"],
    ["wheel, two fingers", "zoom"],
    ["Space + drag", "move the picture"],
    ["Enter, Backspace, Esc", "finish, take a corner back, drop"],
    ["arrow keys, Space", "with the picture in focus: move a cross-hair, use the tool there"],
    ["Ctrl + Enter", "submit"],
    ["?", "this list"],
  ];
}
