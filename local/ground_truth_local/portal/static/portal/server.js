/** Requests to the portal's server, told apart by what a worker can do about a failure. */

/** The server said no: `status`, and its words. */
export class Refused extends Error {
  constructor(status, text) {
    super(text);
    this.status = status;
  }
}

/** Nobody answered, so that it may be tried again. */
export class Unreachable extends Error {}

const TIMEOUT = 120_000;

/** Post JSON and return the answer's. */
export async function post(path, body, { keepalive = false } = {}) {
  let response;
  try {
    response = await fetch(path, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
      keepalive,
      signal: AbortSignal.timeout(TIMEOUT),
    });
  } catch {
    throw new Unreachable("The server doesn't answer.");
  }
  const content = await response.json().catch(() => ({}));
  if (response.ok) return content;
  const text = content.error ?? (response.status === 401 ? "Please sign in again." : `The server answered ${response.status}.`);
  // A server that is going down or coming up says so with 5xx.
  if (response.status >= 502) throw new Unreachable(text);
  throw new Refused(response.status, text);
}

/** Bytes as base64. */
export function toBase64(bytes) {
  let text = "";
  for (let at = 0; at < bytes.length; at += 32768) text += String.fromCharCode(...bytes.subarray(at, at + 32768));
  return btoa(text);
}

export const fromBase64 = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));

/** Deflate or inflate bytes. */
export async function transform(bytes, stream) {
  return new Uint8Array(await new Response(new Blob([bytes]).stream().pipeThrough(stream)).arrayBuffer());
}
