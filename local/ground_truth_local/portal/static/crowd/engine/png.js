/** Masks as PNG: written by hand, so that every pixel is exactly its label's colour; a canvas may convert. */

import { toRgb } from "./palette.js";

const SIGNATURE = [137, 80, 78, 71, 13, 10, 26, 10];
const ROWS_AT_ONCE = 64;
const RGBA = 6;

/** Encode class ids; class i has `colors[i - 1]`, background is transparent. Returns the file's bytes. */
export async function encodeMask(ids, width, height, colors) {
  const packed = packColors(colors);
  const header = new DataView(new ArrayBuffer(13));
  header.setUint32(0, width);
  header.setUint32(4, height);
  header.setUint8(8, 8);
  header.setUint8(9, RGBA);
  const pixels = await deflate((write) => writeRows(ids, width, height, packed, write));
  return concat([
    new Uint8Array(SIGNATURE),
    chunk("IHDR", new Uint8Array(header.buffer)),
    chunk("IDAT", pixels),
    chunk("IEND", new Uint8Array(0)),
  ]);
}

/** Read a mask's colours as class ids; colours that `colors` lacks become background.
 *
 * Returns `{ids, width, height, unknown}` with the number of pixels of unknown colour. */
export async function decodeMask(blob, colors, Ids) {
  const bitmap = await createImageBitmap(blob, { colorSpaceConversion: "none", premultiplyAlpha: "none" });
  const { width, height } = bitmap;
  const canvas = new OffscreenCanvas(width, Math.min(height, 512));
  const context = canvas.getContext("2d", { willReadFrequently: true });
  const byColor = new Map(colors.map((color, index) => [parseInt(color.slice(1), 16), index + 1]));
  const ids = new Ids(width * height);
  let unknown = 0;
  for (let top = 0; top < height; top += canvas.height) {
    context.clearRect(0, 0, width, canvas.height);
    context.drawImage(bitmap, 0, -top);
    const band = context.getImageData(0, 0, width, Math.min(canvas.height, height - top)).data;
    for (let i = 0, pixel = top * width; i < band.length; i += 4, pixel++) {
      const color = (band[i] << 16) | (band[i + 1] << 8) | band[i + 2];
      if (band[i + 3] === 0 || color === 0xffffff) continue;
      ids[pixel] = byColor.get(color) ?? 0;
      if (ids[pixel] === 0) unknown += 1;
    }
  }
  bitmap.close();
  return { ids, width, height, unknown };
}

/** Bytes as base64, in slices: a call with millions of arguments overflows the stack. */
export async function toBase64(bytes) {
  const url = await new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result);
    reader.onerror = () => reject(reader.error);
    reader.readAsDataURL(new Blob([bytes]));
  });
  return url.slice(url.indexOf(",") + 1);
}

async function writeRows(ids, width, height, packed, write) {
  const stride = width * 4 + 1;
  // Whole pixels at a time: a row in the file begins with a byte of its own, so it can't be written that way.
  const line = new Uint32Array(width);
  const bytes = new Uint8Array(line.buffer);
  for (let top = 0; top < height; top += ROWS_AT_ONCE) {
    const rows = Math.min(ROWS_AT_ONCE, height - top);
    const band = new Uint8Array(stride * rows);
    for (let row = 0; row < rows; row++) {
      const source = (top + row) * width;
      for (let x = 0; x < width; x++) line[x] = packed[ids[source + x]];
      band.set(bytes, row * stride + 1);
    }
    await write(band);
  }
}

// In memory the bytes are R, G, B, A on the little-endian machines that browsers run on.
function packColors(colors) {
  const packed = new Uint32Array(colors.length + 1);
  colors.forEach((color, index) => {
    const [red, green, blue] = toRgb(color);
    packed[index + 1] = ((255 << 24) | (blue << 16) | (green << 8) | red) >>> 0;
  });
  return packed;
}

async function deflate(produce) {
  const stream = new CompressionStream("deflate");
  const writer = stream.writable.getWriter();
  const result = new Response(stream.readable).arrayBuffer();
  await produce((bytes) => writer.write(bytes));
  await writer.close();
  return new Uint8Array(await result);
}

function chunk(type, content) {
  const bytes = new Uint8Array(content.length + 12);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, content.length);
  for (let i = 0; i < 4; i++) bytes[4 + i] = type.charCodeAt(i);
  bytes.set(content, 8);
  view.setUint32(content.length + 8, crc32(bytes.subarray(4, content.length + 8)));
  return bytes;
}

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? 0xedb88320 ^ (value >>> 1) : value >>> 1;
  return value >>> 0;
});

function crc32(bytes) {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = CRC_TABLE[(crc ^ byte) & 255] ^ (crc >>> 8);
  return (crc ^ 0xffffffff) >>> 0;
}

function concat(parts) {
  const whole = new Uint8Array(parts.reduce((total, part) => total + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.length;
  }
  return whole;
}
