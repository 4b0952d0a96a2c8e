// The CDK's CLI looks at a stack every 5 s, because AWS throttles who asks more often. The embedded AWS doesn't,
// and its stacks are done within a second or two, so here the CLI looks four times a second.
"use strict";

const EVERY_MS = 5000;
const HERE_MS = 250;

// Its app and other programs inherit NODE_OPTIONS; none of their own timers is touched.
const { argv } = /** @type {any} */ (globalThis).process;
if (/[\\/](aws-)?cdk(\.js)?$/.test(argv[1] ?? "")) {
  const stock = globalThis.setTimeout;
  /** @type {any} */
  const sooner = (/** @type {any} */ callback, /** @type {any} */ delay, /** @type {any[]} */ ...rest) => {
    const looks = delay === EVERY_MS && /\bwaitFor\b/.test(new Error().stack ?? "");
    return stock(callback, looks ? HERE_MS : delay, ...rest);
  };
  globalThis.setTimeout = Object.defineProperties(sooner, Object.getOwnPropertyDescriptors(stock));
}
