import { sheet } from "./dom.js";

/** Colours and type, shared by all elements; every text colour has a contrast of at least 4.5 : 1. */
export const base = sheet(`
  :host {
    --ink: #16202b; --muted: #526070; --line: #d5dce4; --soft: #f4f6f9; --paper: #ffffff;
    --accent: #0b5fad; --accent-dark: #084a88; --accent-soft: #e6f0fa; --stage: #1d232a; --danger: #b3261e;
    font: 14px/1.45 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "Liberation Sans", sans-serif;
    color: var(--ink);
  }
  *, *::before, *::after { box-sizing: border-box; }
  button {
    font: inherit; color: inherit; background: var(--paper); border: 1px solid var(--line); border-radius: 8px;
    min-height: 36px; padding: 0 12px; cursor: pointer; display: inline-flex; align-items: center; gap: 7px;
  }
  button:hover:not(:disabled) { background: var(--soft); border-color: #b9c4d0; }
  button:disabled { color: #6a7887; cursor: default; }
  button.primary { background: var(--accent); border-color: var(--accent); color: #fff; font-weight: 600; padding: 0 20px; }
  button.primary:hover:not(:disabled) { background: var(--accent-dark); }
  button.primary:disabled { background: #d3deea; border-color: #d3deea; color: #4a5866; }
  button.quiet { border-color: transparent; background: transparent; color: var(--accent); }
  button.quiet:hover { background: var(--accent-soft); }
  :focus-visible { outline: 3px solid #4c9be8; outline-offset: 2px; }
  svg { width: 20px; height: 20px; fill: none; stroke: currentColor; stroke-width: 1.6; stroke-linecap: round;
        stroke-linejoin: round; flex: none; }
  dialog {
    border: 0; border-radius: 14px; padding: 0; width: min(680px, calc(100vw - 48px)); max-height: calc(100vh - 48px);
    box-shadow: 0 24px 64px rgb(10 20 30 / .35); color: inherit;
  }
  dialog::backdrop { background: rgb(15 22 30 / .55); }
  .dialog-head { display: flex; align-items: center; justify-content: space-between; gap: 16px;
    padding: 16px 16px 12px 24px; border-bottom: 1px solid var(--line); }
  .dialog-head h2 { margin: 0; font-size: 18px; }
  .dialog-body { padding: 16px 24px 24px; overflow: auto; max-height: calc(100vh - 190px); }
  .dialog-foot { display: flex; justify-content: flex-end; gap: 10px; padding: 0 24px 20px; }
`);

export const segmentation = sheet(`
  :host { display: block; height: max(520px, calc(100vh - var(--crowd-form-bar, 0px))); }
  .app { height: 100%; display: grid; background: var(--paper);
    grid-template: "head head head" auto "tools tools tools" auto "guide stage labels" minmax(0, 1fr) / 248px minmax(0, 1fr) 272px; }
  .head { grid-area: head; display: flex; align-items: center; gap: 16px; padding: 12px 20px 6px; }
  .head h1 { margin: 0; font-size: 18px; line-height: 1.3; font-weight: 650; flex: 1; overflow-wrap: anywhere; }
  .tools { grid-area: tools; display: flex; flex-wrap: wrap; align-items: center; gap: 6px 14px; padding: 6px 20px 10px;
    border-bottom: 1px solid var(--line); }
  .group { display: flex; align-items: center; gap: 4px; }
  .group.segmented { background: var(--soft); border-radius: 10px; padding: 3px; }
  .tools button { min-height: 38px; padding: 0 10px; border-color: transparent; background: transparent; }
  .tools button:hover:not(:disabled, [aria-checked="true"]) { background: #e6ebf1; border-color: transparent; }
  .tools button[aria-checked="true"], .tools button[aria-checked="true"]:hover { background: var(--accent); border-color: var(--accent); color: #fff; }
  .tools label { display: flex; align-items: center; gap: 8px; color: var(--muted); }
  .tools output { min-width: 46px; color: var(--ink); font-variant-numeric: tabular-nums; }
  .zoom { position: absolute; top: 12px; right: 12px; background: rgb(14 19 24 / .8); color: #f2f5f8; border-radius: 10px; padding: 3px; gap: 2px; }
  .zoom output { min-width: 56px; text-align: center; font-variant-numeric: tabular-nums; font-size: 13px; }
  .zoom button { border-color: transparent; background: transparent; padding: 0 8px; }
  .zoom button:hover:not(:disabled) { background: rgb(255 255 255 / .14); border-color: transparent; }
  input[type="range"] { width: 96px; accent-color: var(--accent); height: 28px; margin: 0; }
  .spacer { flex: 1; }
  .guide { grid-area: guide; overflow: auto; padding: 16px 20px; border-right: 1px solid var(--line); background: var(--paper); }
  .guide h2, .labels h2 { margin: 0 0 10px; font-size: 12px; letter-spacing: .05em; text-transform: uppercase; color: var(--muted);
    font-weight: 650; }
  .guide-toggle { display: none; }
  .stage { grid-area: stage; position: relative; overflow: hidden; background: var(--stage); min-width: 0; min-height: 0; }
  .surface { position: absolute; inset: 0; touch-action: none; cursor: crosshair; user-select: none; }
  .surface:focus-visible { outline-offset: -4px; }
  .surface[data-tool="hand"] { cursor: grab; }
  .surface[data-cursor="ring"] { cursor: none; }
  .surface[data-busy] { cursor: progress; }
  canvas { position: absolute; inset: 0; width: 100%; height: 100%; pointer-events: none; }
  .say { position: absolute; left: 12px; right: 12px; bottom: 12px; display: flex; justify-content: center; pointer-events: none; }
  .say span { background: rgb(14 19 24 / .86); color: #f2f5f8; border-radius: 8px; padding: 6px 12px; font-size: 13px; max-width: 720px; }
  .say span:empty { display: none; }
  .notice { position: absolute; inset: 0; display: grid; place-content: center; justify-items: center; gap: 12px; color: #e8edf2;
    padding: 32px; text-align: center; }
  .notice p { max-width: 560px; margin: 0; }
  .notice[hidden] { display: none; }
  .notice.error { background: #2a1a1a; }
  .notice.error strong { font-size: 17px; color: #ffd9d5; }
  .spinner { width: 28px; height: 28px; border-radius: 50%; border: 3px solid #4b5867; border-top-color: #dfe7ef; animation: turn 1s linear infinite; }
  @keyframes turn { to { transform: rotate(1turn); } }
  @media (prefers-reduced-motion: reduce) { .spinner { animation-duration: 4s; } }
  .labels { grid-area: labels; overflow: auto; padding: 16px 14px; border-left: 1px solid var(--line); }
  .labels h2 { padding-left: 6px; }
  .labels input[type="search"] { font: inherit; width: 100%; padding: 7px 10px; margin: 0 0 10px; border: 1px solid #8391a0; border-radius: 8px; }
  .list { display: grid; gap: 3px 1px; grid-template-columns: minmax(0, 1fr) auto auto; }
  .choices { display: contents; }
  .list button { min-height: 40px; padding: 5px 8px; border-color: transparent; text-align: left; }
  .list button[hidden] { display: none; }
  .list button[aria-checked="true"], .list button[aria-checked="true"]:hover { background: var(--accent-soft); border-color: var(--accent); font-weight: 600; }
  .list .switch { padding: 0 5px; color: #74808e; border-radius: 8px; }
  .list .switch svg { width: 18px; height: 18px; }
  .list .switch[aria-pressed="true"] { color: var(--accent-dark); background: var(--accent-soft); }
  .tools label[hidden], .tools .group[hidden] { display: none; }
  .tools button[aria-pressed="true"] { background: #ffe7b8; color: #5a3000; }
  .swatch { width: 18px; height: 18px; border-radius: 5px; border: 1px solid rgb(0 0 0 / .25); flex: none; }
  .name { flex: 1; min-width: 0; overflow-wrap: anywhere; hyphens: auto; }
  kbd { font: 600 11px/1 ui-monospace, "Liberation Mono", monospace; color: var(--muted); border: 1px solid var(--line); border-bottom-width: 2px;
    border-radius: 5px; padding: 3px 5px; background: var(--paper); }
  .note { color: var(--muted); font-size: 12.5px; margin: 14px 6px 0; }
  ::slotted(short-instructions), ::slotted(full-instructions) { display: block; overflow-wrap: anywhere; }
  .keys { display: grid; grid-template-columns: auto 1fr; gap: 6px 14px; margin: 8px 0 0; align-items: center; }
  .keys dt, .keys dd { margin: 0; }
  h3 { margin: 22px 0 0; font-size: 14px; }
  @media (max-width: 1750px) { .tools button .text { display: none; } }
  @media (max-width: 1180px) {
    .app { grid-template-columns: 216px minmax(0, 1fr) 232px; }
  }
  @media (max-width: 900px) {
    .app { grid-template: "head head" auto "tools tools" auto "stage labels" minmax(0, 1fr) / minmax(0, 1fr) 204px; }
    .guide { display: none; position: relative; z-index: 2; grid-area: stage; border: 0; box-shadow: 0 12px 32px rgb(10 20 30 / .3); width: min(340px, 100%); }
    .guide[data-open] { display: block; }
    .guide-toggle { display: inline-flex; }
    .labels { padding: 12px 8px; }
    .list kbd { display: none; }
    .list .switch { padding: 0 3px; }
    .tools button { padding: 0 8px; }
    .tools { gap: 4px 8px; padding: 6px 12px 8px; }
    .tools output { min-width: 40px; }
    input[type="range"] { width: 76px; }
  }
`);

export const classifier = sheet(`
  :host { display: block; height: max(520px, calc(100vh - var(--crowd-form-bar, 0px))); }
  .app { height: 100%; display: grid; background: var(--paper);
    grid-template: "head head head" auto "guide stage side" minmax(0, 1fr) / 232px minmax(0, 1fr) 280px; }
  h1 { grid-area: head; margin: 0; padding: 12px 20px; font-size: 18px; line-height: 1.3; overflow-wrap: anywhere; border-bottom: 1px solid var(--line); }
  .guide { grid-area: guide; overflow: auto; padding: 16px 20px; border-right: 1px solid var(--line); }
  .stage { grid-area: stage; overflow: hidden; background: var(--stage); min-width: 0; min-height: 0; position: relative; }
  .pictures { position: absolute; inset: 12px; }
  canvas { position: absolute; inset: 0; width: 100%; height: 100%; object-fit: contain; image-orientation: none; }
  canvas[hidden] { display: none; }
  .side { grid-area: side; overflow: auto; padding: 16px 20px; border-left: 1px solid var(--line); display: grid; gap: 18px; align-content: start; }
  .legend ul { list-style: none; margin: 8px 0 0; padding: 0; display: grid; gap: 6px; }
  .legend li, label { display: flex; align-items: center; gap: 10px; overflow-wrap: anywhere; }
  .swatch { width: 18px; height: 18px; border-radius: 5px; border: 1px solid rgb(0 0 0 / .25); flex: none; }
  fieldset { border: 1px solid var(--line); border-radius: 10px; margin: 0; padding: 8px 14px 14px; display: grid; gap: 4px; min-width: 0; }
  fieldset label { min-height: 40px; }
  input { width: 18px; height: 18px; accent-color: var(--accent); flex: none; }
  label span { min-width: 0; overflow-wrap: anywhere; }
  summary { cursor: pointer; color: var(--accent); min-height: 28px; }
  textarea { font: inherit; width: 100%; padding: 8px 10px; border: 1px solid #8391a0; border-radius: 8px; }
  .problem { padding: 32px; background: #fdf1f0; color: #8c1d18; height: 100%; }
  ::slotted(short-instructions), ::slotted(full-instructions) { display: block; overflow-wrap: anywhere; }
  @media (max-width: 900px) {
    .app { grid-template: "head head" auto "guide guide" auto "stage side" minmax(0, 1fr) / minmax(0, 1fr) 216px; }
    .guide { max-height: 96px; border: 0; border-bottom: 1px solid var(--line); }
  }
`);

export const form = sheet(`
  :host { display: block; min-height: 100vh; background: #fff; }
  form { display: block; }
  .bar { position: sticky; bottom: 0; z-index: 3; display: flex; align-items: center; justify-content: flex-end; gap: 16px; min-height: 60px;
    padding: 10px 20px; background: var(--paper); border-top: 1px solid var(--line); }
  .status { flex: 1; color: var(--muted); }
  .status[data-kind="error"] { color: var(--danger); font-weight: 600; }
  .problem { margin: 16px 20px; padding: 12px 16px; border: 1px solid #e6b0ac; background: #fdf1f0; color: #8c1d18; border-radius: 10px; }
`);

export const field = sheet(`
  :host { display: block; padding: 8px 20px; }
  :host([type="submit"]), :host(crowd-button) { display: inline-block; }
  label { display: grid; gap: 4px; max-width: 640px; }
  label.inline { display: flex; align-items: center; gap: 8px; }
  input:not([type="checkbox"]):not([type="radio"]), textarea { font: inherit; padding: 8px 10px; border: 1px solid #8e9aa8; border-radius: 8px; width: 100%; }
  input[type="checkbox"], input[type="radio"] { width: 18px; height: 18px; accent-color: var(--accent); }
`);
