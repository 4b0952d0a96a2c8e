/** A painting as bytes that are small and quickly made: runs of equal class ids.
 *
 * `GTD1`, width, height (32 bits each, little-endian), then pairs of variable-length numbers: class id, pixels. */

const MAGIC = [0x47, 0x54, 0x44, 0x31];
const HEADER = 12;

/** Bytes of a painting. */
export function encodeDraft({ data, width, height }) {
  let bytes = new Uint8Array(1 << 16);
  bytes.set(MAGIC);
  const view = new DataView(bytes.buffer);
  view.setUint32(4, width, true);
  view.setUint32(8, height, true);
  let at = HEADER;
  const put = (value) => {
    while (value > 127) {
      bytes[at++] = (value & 127) | 128;
      value >>>= 7;
    }
    bytes[at++] = value;
  };
  const size = data.length;
  for (let from = 0; from < size; ) {
    const id = data[from];
    let to = from + 1;
    while (to < size && data[to] === id) to++;
    if (at + 16 > bytes.length) {
      const larger = new Uint8Array(bytes.length * 2);
      larger.set(bytes);
      bytes = larger;
    }
    put(id);
    put(to - from);
    from = to;
  }
  return bytes.slice(0, at);
}

/** Fill `target` with a draft's class ids; `false`, and nothing changed, if it isn't one of this painting. */
export function decodeDraft(bytes, target, width, height, labelCount) {
  if (bytes.length < HEADER || MAGIC.some((byte, index) => bytes[index] !== byte)) return false;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.getUint32(4, true) !== width || view.getUint32(8, true) !== height) return false;
  const ids = new target.constructor(target.length);
  let at = HEADER;
  const take = () => {
    let value = 0;
    for (let shift = 0; at < bytes.length && shift < 35; shift += 7) {
      const byte = bytes[at++];
      value += (byte & 127) * 2 ** shift;
      if (byte < 128) return value;
    }
    return NaN;
  };
  let pixel = 0;
  while (at < bytes.length) {
    const id = take();
    const run = take();
    if (!(id <= labelCount) || !(run > 0) || pixel + run > ids.length) return false;
    ids.fill(id, pixel, pixel + run);
    pixel += run;
  }
  if (pixel !== ids.length) return false;
  target.set(ids);
  return true;
}
