/** The one way from a task's frame to the page around it and to the server. */

const frame = document.getElementById("frame");
const banner = document.getElementById("banner");

/** Listen to the frame; `events` are what it tells, by kind. */
export function connect(events) {
  const answers = {
    hello: async () => ({ autoSegment: frame.dataset.autoSegment === "true" }),
    "auto-segment": ({ points }) => post("auto-segment", { points }),
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

/** Send JSON to the server, below the task's address. */
export async function post(path, body) {
  const response = await fetch(`${frame.dataset.task}/${path}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  const content = await response.json().catch(() => ({ error: `The server answered ${response.status}.` }));
  if (!response.ok) throw new Error(content.error);
  return content;
}

/** Show a line above the frame, as text. */
export function show(text, kind = "") {
  banner.textContent = text;
  banner.dataset.kind = kind;
  banner.hidden = false;
}
