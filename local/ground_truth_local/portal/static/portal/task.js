/** The page around a task's frame: clock, return and decline, and the one way from the frame to the server. */

const frame = document.getElementById("frame");
const banner = document.getElementById("banner");
const task = frame.dataset.task;

const answers = {
  hello: async () => ({ autoSegment: frame.dataset.autoSegment === "true" }),
  "auto-segment": ({ points }) => post("auto-segment", { points }),
};
const events = {
  submit: ({ answer }) => submit(answer),
  blocked: ({ uri }) => show(`The template loads ${uri}, which the local portal doesn't: it shows tasks without a network.`),
};

window.addEventListener("message", async (event) => {
  // The frame has no origin ("null"), so it is known by its window.
  if (event.source !== frame.contentWindow || typeof event.data?.crowd !== "string") return;
  const { crowd: kind, id, content } = event.data;
  if (Object.hasOwn(events, kind)) events[kind](content ?? {});
  if (!Object.hasOwn(answers, kind)) return;
  try {
    reply({ crowd: "answer", id, result: await answers[kind](content ?? {}) });
  } catch (error) {
    reply({ crowd: "answer", id, error: error.message });
  }
});

function reply(message) {
  frame.contentWindow.postMessage(message, "*");
}

async function post(path, body) {
  const response = await fetch(`${task}/${path}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  const content = await response.json().catch(() => ({ error: `The server answered ${response.status}.` }));
  if (!response.ok) throw new Error(content.error);
  return content;
}

async function submit(answer) {
  try {
    const { next } = await post("submit", { answer });
    location.assign(next);
  } catch (error) {
    show(`The answer was not taken: ${error.message}`, "error");
    reply({ crowd: "refused", text: error.message });
  }
}

function show(text, kind = "") {
  banner.textContent = text;
  banner.dataset.kind = kind;
  banner.hidden = false;
}

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
