/** A task's draft: in this browser after each stroke, on the server a moment later; one window at a time. */

import * as kept from "./kept.js";
import { fromBase64, post, Refused, toBase64, transform } from "./server.js";

const SEND_AFTER = 1200;
const RETRY_AFTER = 3000;
/** Milliseconds: what another window gets to keep its last stroke; one that sleeps doesn't answer. */
const HAND_OVER = 3000;
const FLUSH = 1000;
/** What a page may still send while it goes away. */
const KEEPALIVE_BYTES = 60_000;

export class Drafts {
  /**
   * @param {{task: string, key: string, flush: () => Promise<void>, ontaken: () => void, onlost: () => void, onback: () => void,
   *   onrefused: (error: Error) => void}} options
   */
  constructor(options) {
    this._options = options;
    this.window = [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
    this._latest = null;
    this._keeping = Promise.resolve();
    this._pending = 0;
    this._sent = true;
    this._lost = false;
    this._taken = false;
    this._timer = 0;
    this._channel = new BroadcastChannel(`worker-portal ${options.key}`);
    this._channel.onmessage = ({ data }) => this._hear(data);
    this._lock = `worker-portal ${options.key}`;
    this._release = () => {};
    window.addEventListener("online", () => this._send());
    window.addEventListener("pagehide", () => this._leave());
  }

  /** Whether leaving now would lose something that is nowhere else. */
  get isUnsaved() {
    return !this._taken && (this._pending > 0 || (this._lost && !this._sent));
  }

  /** Take the task over from any other window; resolves with what was painted, or null. */
  async open() {
    await this._askOthers();
    const [local, remote] = await Promise.all([
      kept.get("drafts", this._options.key).catch(() => undefined),
      post(`${this._options.task}/open`, { window: this.window }).catch((error) => {
        if (error instanceof Refused) throw error;
        this._setLost(true);
        return { draft: null };
      }),
    ]);
    // What this browser has and the server has not is newer, unless another browser painted since.
    if (local && !local.sent && (!remote.draft || local.saved >= remote.saved * 1000)) {
      this._latest = local.bytes;
      this._sent = false;
      this._schedule(0);
      return local.bytes;
    }
    return remote.draft ? transform(fromBase64(remote.draft), new DecompressionStream("deflate")) : (local?.bytes ?? null);
  }

  /** Keep what is painted now. */
  save(bytes) {
    if (this._taken) return;
    this._latest = bytes;
    this._sent = false;
    this._pending += 1;
    this._keeping = kept
      .put("drafts", this._options.key, { bytes, saved: Date.now(), sent: false })
      .catch(() => this._send())
      .finally(() => {
        this._pending -= 1;
      });
    this._schedule(SEND_AFTER);
  }

  /** The task is done: nothing is left to keep. */
  async forget() {
    this._taken = true;
    clearTimeout(this._timer);
    await this._keeping;
    await kept.remove("drafts", this._options.key).catch(() => {});
  }

  _schedule(milliseconds) {
    clearTimeout(this._timer);
    this._timer = setTimeout(() => this._send(), milliseconds);
  }

  async _send() {
    if (this._sent || this._taken || !this._latest) return;
    const bytes = this._latest;
    try {
      const draft = toBase64(await transform(bytes, new CompressionStream("deflate")));
      await post(`${this._options.task}/draft`, { window: this.window, draft });
      this._setLost(false);
      if (this._latest === bytes) await this._note(bytes);
    } catch (error) {
      if (!(error instanceof Refused)) {
        this._setLost(true);
        this._schedule(RETRY_AFTER);
      } else if (error.status === 409) this._takenOver();
      else this._options.onrefused(error);
    }
  }

  async _note(bytes) {
    this._sent = true;
    await kept.put("drafts", this._options.key, { bytes, saved: Date.now(), sent: true }).catch(() => {});
  }

  _setLost(lost) {
    if (this._lost === lost) return;
    this._lost = lost;
    if (lost) this._options.onlost();
    else this._options.onback();
  }

  /** A small draft still reaches the server while the page goes away. */
  _leave() {
    if (this._sent || this._taken || !this._latest || this._latest.length > KEEPALIVE_BYTES / 2) return;
    const text = toBase64(deflateStored(this._latest));
    void post(`${this._options.task}/draft`, { window: this.window, draft: text }, { keepalive: true }).catch(() => {});
  }

  // Another window of this browser hands over, after it has kept its last stroke. A lock tells whether there is one.
  async _askOthers() {
    const { held = [] } = await navigator.locks.query();
    const others = held.filter((lock) => lock.name === this._lock).length;
    const holding = new Promise((resolve) => {
      this._release = () => resolve(undefined);
    });
    void navigator.locks.request(this._lock, { mode: "shared" }, () => holding);
    if (others === 0) return;
    let left = others;
    await new Promise((resolve) => {
      setTimeout(resolve, HAND_OVER);
      this._onkept = () => --left === 0 && resolve(undefined);
      this._channel.postMessage({ kind: "open", from: this.window });
    });
    this._onkept = null;
  }

  async _hear({ kind, from }) {
    if (from === this.window) return;
    if (kind === "kept") this._onkept?.();
    if (kind !== "open" || this._taken) return;
    await Promise.race([this._options.flush(), new Promise((resolve) => setTimeout(resolve, FLUSH))]);
    await this._keeping;
    this._channel.postMessage({ kind: "kept", from: this.window });
    this._takenOver();
  }

  _takenOver() {
    this._taken = true;
    this._release();
    clearTimeout(this._timer);
    this._options.ontaken();
  }
}

/** A zlib stream of stored blocks: made at once, as a page that goes away can't wait for a compressor. */
function deflateStored(bytes) {
  const parts = [0x78, 0x01];
  for (let at = 0; at === 0 || at < bytes.length; at += 65535) {
    const part = bytes.subarray(at, at + 65535);
    const last = at + 65535 >= bytes.length ? 1 : 0;
    parts.push(last, part.length & 255, part.length >> 8, ~part.length & 255, (~part.length >> 8) & 255, ...part);
  }
  let [low, high] = [1, 0];
  for (const byte of bytes) {
    low = (low + byte) % 65521;
    high = (high + low) % 65521;
  }
  return new Uint8Array([...parts, high >> 8, high & 255, low >> 8, low & 255]);
}
