/** A picture as it is stored: without the note by which a browser turns it.
 *
 * "Ground Truth … prevents browsers from rotating images by their EXIF orientation" (Developer Guide,
 * sms-cors-update), for which the service's page has `image-orientation: none`. A browser decodes a file to a bitmap
 * with the turn all the same (`imageOrientation: "none"` is an old name of "from-image"), so the note itself goes. */

const JPEG = 0xffd8;
const APP1 = 0xe1;
const START_OF_SCAN = 0xda;
const PNG = [0x89504e47, 0x0d0a1a0a];
const EXIF_CHUNK = 0x65584966;
const END_CHUNK = 0x49454e44;

/** The same file without EXIF. */
export async function asStored(blob) {
  const buffer = await blob.arrayBuffer();
  const view = new DataView(buffer);
  if (view.byteLength < 16) return blob;
  let noted = [];
  if (view.getUint16(0) === JPEG) noted = jpegNotes(view);
  else if (view.getUint32(0) === PNG[0] && view.getUint32(4) === PNG[1]) noted = pngNotes(view);
  if (noted.length === 0) return blob;
  const parts = [];
  let from = 0;
  for (const [start, end] of noted) {
    parts.push(buffer.slice(from, start));
    from = end;
  }
  return new Blob([...parts, buffer.slice(from)], { type: blob.type });
}

function jpegNotes(view) {
  const found = [];
  for (let at = 2; at + 4 <= view.byteLength && view.getUint8(at) === 0xff; ) {
    const marker = view.getUint8(at + 1);
    if (marker === START_OF_SCAN) break;
    if (marker === 0xff) {
      at += 1;
      continue;
    }
    const end = at + 2 + view.getUint16(at + 2);
    if (marker === APP1 && end <= view.byteLength) found.push([at, end]);
    at = end;
  }
  return found;
}

function pngNotes(view) {
  const found = [];
  for (let at = 8; at + 12 <= view.byteLength; ) {
    const end = at + 12 + view.getUint32(at);
    const type = view.getUint32(at + 4);
    if (type === END_CHUNK || end > view.byteLength) break;
    if (type === EXIF_CHUNK) found.push([at, end]);
    at = end;
  }
  return found;
}
