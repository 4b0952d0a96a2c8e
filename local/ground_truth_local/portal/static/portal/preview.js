/** The page around a preview: an answer goes nowhere, but is checked by eye. */

import { connect, reply, show } from "./bridge.js";

connect({
  submit: ({ answer }) => {
    const names = Object.keys(answer ?? {}).join(", ");
    show(`A worker's answer would be sent now, with ${names}. This is a preview, so it is not.`);
    reply({ crowd: "refused", text: "A preview sends no answers." });
  },
});

const LOOK_AGAIN = 700;
const shown = document.getElementById("frame").dataset.version;

// With --watch: a change of the app or the template is seen at once.
async function follow() {
  const answer = await fetch("/version").catch(() => undefined);
  const now = answer?.ok ? String((await answer.json()).version) : shown;
  if (now !== shown) location.reload();
  else setTimeout(follow, LOOK_AGAIN);
}
if (shown) follow();
