/** The page around a task's frame: submit, return, decline and the clock. */

import { connect, post, reply, show } from "./bridge.js";

const frame = document.getElementById("frame");

connect({
  submit: async ({ answer }) => {
    try {
      const { next } = await post("submit", { answer });
      location.assign(next);
    } catch (error) {
      show(`The answer was not taken: ${error.message}`, "error");
      reply({ crowd: "refused", text: error.message });
    }
  },
});

const ask = document.getElementById("ask");
for (const id of ["return", "decline"]) {
  const button = document.getElementById(id);
  button.addEventListener("click", () => {
    document.getElementById("ask-title").textContent = button.dataset.title;
    document.getElementById("ask-text").textContent = button.dataset.text;
    document.getElementById("ask-yes").textContent = button.textContent;
    document.getElementById("ask-form").action = button.dataset.action;
    ask.showModal();
  });
}
document.getElementById("ask-no").addEventListener("click", () => ask.close());

const clock = document.getElementById("clock");
const deadline = performance.now() + Number(clock.dataset.seconds) * 1000;
const LOW_SECONDS = 60;

function tick() {
  const left = Math.max(0, Math.ceil((deadline - performance.now()) / 1000));
  const parts = [Math.floor(left / 60) % 60, left % 60].map((part) => String(part).padStart(2, "0"));
  const hours = Math.floor(left / 3600);
  document.getElementById("time").textContent = (hours > 0 ? [hours, ...parts] : parts).join(":");
  clock.toggleAttribute("data-low", left <= LOW_SECONDS);
  if (left > 0) return;
  clearInterval(ticking);
  frame.inert = true;
  document.getElementById("over").showModal();
}
const ticking = setInterval(tick, 500);
tick();
