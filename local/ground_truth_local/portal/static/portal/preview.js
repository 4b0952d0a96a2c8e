/** The page around a preview: an answer goes nowhere, but is checked by eye. */

import { connect, reply, show } from "./bridge.js";

connect({
  submit: ({ answer }) => {
    const names = Object.keys(answer ?? {}).join(", ");
    show(`A worker's answer would be sent now, with ${names}. This is a preview, so it is not.`);
    reply({ crowd: "refused", text: "A preview sends no answers." });
  },
});
