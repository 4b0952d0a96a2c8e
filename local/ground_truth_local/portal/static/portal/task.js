/** The page around a task's frame: drafts, submit, return, decline and the clock. */

import { connect, hide, reply, show } from "./bridge.js";
import { Drafts } from "./drafts.js";
import * as outbox from "./outbox.js";

const frame = /** @type {HTMLIFrameElement} */ (document.getElementById("frame"));
const task = frame.dataset.task;
const LOST = "The connection is lost. What you paint is kept in this browser, and sent when the server is back.";
const WAITING = "The connection is lost. Your answer is kept in this browser, and sent when the server is back.";
let leaving = false;
let flushed = () => {};
let submitting = false;

const drafts = new Drafts({
  task,
  key: frame.dataset.draft,
  flush: () =>
    new Promise((resolve) => {
      flushed = () => resolve();
      reply({ crowd: "flush" });
    }),
  ontaken: () => {
    frame.inert = true;
    dialog("taken").showModal();
  },
  onlost: () => show(LOST, "lost"),
  onback: () => hide("lost"),
  onrefused: (error) => show(`What you paint is kept in this browser only: ${error.message}`, "error"),
});

connect(
  {
    draft: ({ bytes }) => bytes instanceof Uint8Array && drafts.save(bytes),
    flushed: () => flushed(),
    submit: ({ answer }) => submit({ answer, window: drafts.window }),
  },
  { draft: () => drafts.open() },
);
// An answer that an earlier page couldn't send goes first.
void submit(null);

/** Send an answer (null: the one that is kept from before); once, however often it is asked. */
async function submit(content) {
  if (submitting) return;
  submitting = true;
  const wait = () => {
    frame.inert = true;
    show(WAITING, "waiting");
  };
  try {
    const next = await (content ? outbox.submit(task, content, wait) : outbox.resume(task, wait));
    if (next === undefined) return;
    leaving = true;
    await drafts.forget();
    location.assign(next);
  } catch (error) {
    frame.inert = false;
    show(`The answer was not taken: ${error.message}`, "error");
    reply({ crowd: "refused", text: error.message });
  } finally {
    submitting = false;
  }
}

window.addEventListener("beforeunload", (event) => {
  if (leaving || (!drafts.isUnsaved && !submitting)) return;
  event.preventDefault();
});

for (const id of ["return", "decline"]) {
  const button = document.getElementById(id);
  button.addEventListener("click", () => {
    document.getElementById("ask-title").textContent = button.dataset.title;
    document.getElementById("ask-text").textContent = button.dataset.text;
    document.getElementById("ask-yes").textContent = button.textContent;
    /** @type {HTMLFormElement} */ (document.getElementById("ask-form")).action = button.dataset.action;
    dialog("ask").showModal();
  });
}
document.getElementById("ask-no").addEventListener("click", () => dialog("ask").close());
document.getElementById("ask-form").addEventListener("submit", () => {
  leaving = true;
});
document.getElementById("take-back").addEventListener("click", () => {
  leaving = true;
  location.reload();
});

function dialog(id) {
  return /** @type {HTMLDialogElement} */ (document.getElementById(id));
}

const clock = document.getElementById("clock");
// By the clock on the wall: a laptop that slept has used its time up, too.
const deadline = Date.now() + Number(clock.dataset.seconds) * 1000;
const LOW_SECONDS = 60;

function tick() {
  const left = Math.max(0, Math.ceil((deadline - Date.now()) / 1000));
  const parts = [Math.floor(left / 60) % 60, left % 60].map((part) => String(part).padStart(2, "0"));
  const hours = Math.floor(left / 3600);
  document.getElementById("time").textContent = (hours > 0 ? [hours, ...parts] : parts).join(":");
  clock.toggleAttribute("data-low", left <= LOW_SECONDS);
  if (left > 0) return;
  clearInterval(ticking);
  frame.inert = true;
  leaving = true;
  if (!dialog("over").open) dialog("over").showModal();
}
const ticking = setInterval(tick, 500);
document.addEventListener("visibilitychange", tick);
tick();
