/** Talks to the page around the frame that shows a task: the portal, or a preview.
 *
 * The frame has an origin of its own and no way to the server but this. Without a page around it the elements
 * work all the same; an answer is then only an event. */

const waiting = new Map();
let counter = 0;
/** @type {Promise<{autoSegment?: boolean, drafts?: boolean}>} */
let capabilities = Promise.resolve({});

if (window.parent !== window) {
  window.addEventListener("message", (event) => {
    if (event.source !== window.parent || event.data?.crowd !== "answer") return;
    const { id, result, error } = event.data;
    const request = waiting.get(id);
    waiting.delete(id);
    if (!request) return;
    if (error === undefined) request.resolve(result);
    else request.reject(new Error(error));
  });
  capabilities = Promise.race([
    ask("hello").catch(() => ({})),
    new Promise((resolve) => setTimeout(() => resolve({}), 5000)),
  ]);
  document.addEventListener("securitypolicyviolation", (event) =>
    tell("blocked", { directive: event.effectiveDirective, uri: event.blockedURI }),
  );
}

/** Ask the page around for something; resolves with its result. */
export function ask(kind, content = {}) {
  if (window.parent === window) return Promise.reject(new Error("This page is not shown by a worker portal."));
  const id = ++counter;
  return new Promise((resolve, reject) => {
    waiting.set(id, { resolve, reject });
    tell(kind, content, id);
  });
}

/** Tell the page around something, no answer wanted. */
export function tell(kind, content = {}, id = 0) {
  // The frame can't know the portal's origin; what it says is the worker's own answer, no secret.
  if (window.parent !== window) window.parent.postMessage({ crowd: kind, id, content }, "*");
}

/** Call `action` with each message of a kind from the page around. */
export function listen(kind, action) {
  window.addEventListener("message", (event) => {
    if (event.source === window.parent && event.data?.crowd === kind) action(event.data);
  });
}

/** What the page around offers: `{autoSegment: boolean, drafts: boolean}`. */
export function offers() {
  return capabilities;
}

export const embedded = window.parent !== window;
