/** The list of jobs: sends what an earlier page couldn't, and counts the time of the tasks at hand. */

import * as outbox from "./outbox.js";

const notice = document.getElementById("outbox");

for (const task of await outbox.waiting()) {
  const wait = () => say("An answer of yours is still to be sent: the server doesn't answer.");
  try {
    await outbox.resume(task, wait);
    say("An answer that you submitted before has been sent now.");
    document.querySelector(`[data-held="${CSS.escape(String(task))}"]`)?.remove();
  } catch (error) {
    say(`An answer that you submitted before was not taken: ${error.message}`);
  }
}

function say(text) {
  notice.textContent = text;
  notice.hidden = false;
}

const started = Date.now();
setInterval(() => {
  for (const time of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("[data-seconds]"))) {
    const left = Number(time.dataset.seconds) - (Date.now() - started) / 1000;
    if (left <= 0) location.reload();
    time.textContent = left < 60 ? "less than a minute" : inWords(Math.round(left / 60));
  }
}, 5000);

function inWords(minutes) {
  const hours = Math.floor(minutes / 60);
  if (hours === 0) return `${minutes} min`;
  return minutes % 60 ? `${hours} h ${minutes % 60} min` : `${hours} h`;
}
