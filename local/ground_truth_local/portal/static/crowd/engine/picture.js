import { asStored } from "./stored.js";

/** The picture and smaller copies of it, so that a far view of a large photo is drawn from few pixels. */
export class Picture {
  constructor(bitmap) {
    this.width = bitmap.width;
    this.height = bitmap.height;
    this.bitmap = bitmap;
    /** Resolves when the smaller copies are there. @type {Promise<void> | undefined} */
    this.ready = undefined;
    this._levels = [bitmap];
  }

  /** Make the smaller copies, each half the one before. */
  async shrink(smallest = 1024) {
    let last = this._levels[0];
    while (Math.max(last.width, last.height) > smallest * 2) {
      last = await createImageBitmap(last, {
        resizeWidth: Math.ceil(last.width / 2),
        resizeHeight: Math.ceil(last.height / 2),
        resizeQuality: "medium",
      });
      this._levels.push(last);
    }
  }

  /** Draw what a viewport sees. */
  draw(context, viewport) {
    const level = this._levelFor(viewport.scale);
    const factor = this.width / level.width;
    const from = viewport.toImage({ x: 0, y: 0 });
    const to = viewport.toImage({ x: viewport.width, y: viewport.height });
    const left = Math.max(0, Math.floor(from.x / factor));
    const top = Math.max(0, Math.floor(from.y / factor));
    const right = Math.min(level.width, Math.ceil(to.x / factor));
    const bottom = Math.min(level.height, Math.ceil(to.y / factor));
    context.clearRect(0, 0, viewport.width, viewport.height);
    if (right <= left || bottom <= top) return;
    const scale = viewport.scale * factor;
    // From here on a person looks at pixels, and wants to see where one ends.
    context.imageSmoothingEnabled = viewport.scale < 3;
    context.drawImage(
      level,
      left, top, right - left, bottom - top,
      viewport.x + left * scale, viewport.y + top * scale, (right - left) * scale, (bottom - top) * scale,
    );
  }

  _levelFor(scale) {
    let index = 0;
    while (index + 1 < this._levels.length && scale * 2 ** (index + 1) <= 1) index += 1;
    return this._levels[index];
  }
}

/** Why a picture could not be shown, in words for the person who set up the job. */
export class PictureError extends Error {}

/** Load a picture as the service's page does: a plain cross-origin read, which needs the bucket's CORS. */
export async function loadPicture(url) {
  const picture = new Picture(await decode(await fetchPicture(url)));
  // The view works without the smaller copies, only slower: don't wait for them.
  picture.ready = picture.shrink().catch(() => {});
  return picture;
}

/** Fetch a file across origins; a failure says whether CORS is the cause. */
export async function fetchPicture(url) {
  if (!url) throw new PictureError("The template's element has no src, so there is no picture to show.");
  let response;
  try {
    response = await fetch(url, { mode: "cors", credentials: "omit" });
  } catch {
    throw new PictureError(await diagnose(url));
  }
  if (!response.ok) {
    throw new PictureError(
      `The picture's address answered ${response.status} ${response.statusText}. ` +
        "The job's role may not be allowed to read it, or the link has expired.",
    );
  }
  return response.blob();
}

async function decode(blob) {
  try {
    return await createImageBitmap(await asStored(blob));
  } catch {
    throw new PictureError(`The file is not a picture that a browser can show (${blob.type || "unknown type"}).`);
  }
}

// A browser tells a page nothing about a failed read; but a plain <img> works without CORS.
function diagnose(url) {
  return new Promise((resolve) => {
    const image = new Image();
    image.onload = () =>
      resolve(
        "The picture's bucket has no CORS rule for this page: allow GET from origin * and expose " +
          "Access-Control-Allow-Origin. Workers on AWS would see the same failure.",
      );
    image.onerror = () =>
      resolve(
        "The picture could not be loaded. Its bucket may lack a CORS rule (GET from origin *), the job's role " +
          "may not read it, or the link has expired.",
      );
    image.src = url;
  });
}
