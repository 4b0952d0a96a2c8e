/** Half-open rectangles `{left, top, right, bottom}` in whole pixels.
 *
 * @typedef {{left: number, top: number, right: number, bottom: number}} Rect */

export function rect(left, top, right, bottom) {
  return { left, top, right, bottom };
}

export function isEmpty(area) {
  return area.right <= area.left || area.bottom <= area.top;
}

export function union(first, second) {
  if (!first || isEmpty(first)) return second;
  if (!second || isEmpty(second)) return first;
  return rect(
    Math.min(first.left, second.left),
    Math.min(first.top, second.top),
    Math.max(first.right, second.right),
    Math.max(first.bottom, second.bottom),
  );
}

export function intersect(first, second) {
  return rect(
    Math.max(first.left, second.left),
    Math.max(first.top, second.top),
    Math.min(first.right, second.right),
    Math.min(first.bottom, second.bottom),
  );
}
