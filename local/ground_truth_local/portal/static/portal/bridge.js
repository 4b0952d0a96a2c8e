/** The one way from a task's frame to the page around it and to the server. */

import { post } from "./server.js";

const frame = /** @type {HTMLIFrameElement} */ (document.getElementById("frame"));
const banner = document.getElementById("banner");

/** Listen to the frame; `events` are what it tells, `replies` what it asks for, by kind. */
export function connect(events, replies = {}) {
  const answers = {
    hello: async () => ({ autoSegment: frame.dataset.autoSegment === "true", drafts: "draft" in replies }),
    "auto-segment": ({ points, hints }) => post(`${frame.dataset.task}/auto-segment`, { points, hints }),
    ...replies,
  };
  const told = {
    // Keys go to the frame only once it has the focus, and a person begins with one.
    state: () => document.activeElement === document.body && frame.focus(),
    blocked: ({ uri }) =>
      show(`The template loads ${uri}, which is blocked here: tasks are shown without a network.`),
    ...events,
  };
  window.addEventListener("message", async (event) => {
    // The frame has no origin ("null"), so it is known by its window.
    if (event.source !== frame.contentWindow || typeof event.data?.crowd !== "string") return;
    const { crowd: kind, id, content } = event.data;
    if (Object.hasOwn(told, kind)) told[kind](content ?? {});
    if (!Object.hasOwn(answers, kind)) return;
    try {
      reply({ crowd: "answer", id, result: await answers[kind](content ?? {}) });
    } catch (error) {
      reply({ crowd: "answer", id, error: error.message });
    }
  });
}

/** Say something to the frame. */
export function reply(message) {
  frame.contentWindow.postMessage(message, "*");
}

/** Show a line above the frame, as text. */
export function show(text, kind = "") {
  if (banner.textContent !== text) banner.textContent = text;
  banner.dataset.kind = kind;
  banner.hidden = false;
}

/** Take a line of a kind away again. */
export function hide(kind) {
  if (banner.dataset.kind === kind) banner.hidden = true;
}
