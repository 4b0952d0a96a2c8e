/** Answers that a person has submitted: kept until the server has them, sent once however often it is asked. */

import * as kept from "./kept.js";
import { post, Refused } from "./server.js";

const RETRY = [500, 1000, 2000, 4000];

/** Keep an answer, then send it until the server has taken or refused it.
 *
 * Returns the next page's path. `onwait` is told when the server can't be reached. */
export async function submit(task, content, onwait = () => {}) {
  // A browser that keeps nothing (a private window that is full, say) may still send.
  await kept.put("answers", task, content).catch(() => {});
  return send(task, content, onwait);
}

/** Send what an earlier page has kept for a task, if there is anything. */
export async function resume(task, onwait) {
  const content = await kept.get("answers", task).catch(() => undefined);
  return content && send(task, content, onwait);
}

/** The tasks whose answers are still to be sent. */
export const waiting = () => kept.keys("answers").catch(() => []);

async function send(task, content, onwait) {
  for (let attempt = 0; ; attempt++) {
    try {
      const { next } = await post(`${task}/submit`, content);
      await kept.remove("answers", task).catch(() => {});
      return next;
    } catch (error) {
      if (error instanceof Refused) {
        // Who is signed out signs in again, and it is sent then.
        if (error.status !== 401) await kept.remove("answers", task).catch(() => {});
        throw error;
      }
      onwait(error);
      await pause(RETRY[Math.min(attempt, RETRY.length - 1)]);
    }
  }
}

function pause(milliseconds) {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, milliseconds);
    window.addEventListener("online", () => resolve(clearTimeout(timer)), { once: true });
  });
}
