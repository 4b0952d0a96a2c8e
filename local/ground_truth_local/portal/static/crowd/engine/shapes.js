/** Shapes as horizontal spans: each calls `emit(y, from, to)` for pixels from ≤ x < to.
 *
 * A pixel belongs to a shape when its centre does. Nothing here knows the picture's size; the receiver clips. */

/** A line of round brush from one point to another: all pixels within `radius` of the segment. */
export function capsule(from, to, radius, emit) {
  const corners = sides(from, to, radius);
  const top = Math.floor(Math.min(from.y, to.y) - radius);
  const bottom = Math.ceil(Math.max(from.y, to.y) + radius);
  for (let y = top; y <= bottom; y++) {
    const range = { low: Infinity, high: -Infinity };
    circleRow(from, radius, y + 0.5, range);
    circleRow(to, radius, y + 0.5, range);
    for (let i = 0; i < corners.length; i++) {
      edgeRow(corners[i], corners[(i + 1) % corners.length], y + 0.5, range);
    }
    const first = Math.ceil(range.low - 0.5);
    const end = Math.floor(range.high - 0.5) + 1;
    if (end > first) emit(y, first, end);
  }
}

/** The inside of a closed polygon, by the even-odd rule. */
export function polygon(points, emit) {
  let top = Infinity;
  let bottom = -Infinity;
  for (const point of points) {
    top = Math.min(top, Math.floor(point.y));
    bottom = Math.max(bottom, Math.ceil(point.y));
  }
  for (let y = top; y < bottom; y++) {
    const crossings = crossingsAt(points, y + 0.5);
    for (let i = 0; i + 1 < crossings.length; i += 2) {
      const first = Math.ceil(crossings[i] - 0.5);
      const end = Math.ceil(crossings[i + 1] - 0.5);
      if (end > first) emit(y, first, end);
    }
  }
}

/** The pixels that are connected with a seed and have its value, four neighbours each.
 *
 * `emit` must change the value it is given, which is what keeps a pixel from being visited twice. */
export function flood(data, width, height, seedX, seedY, emit) {
  const value = data[seedY * width + seedX];
  const stack = [seedX, seedY];
  while (stack.length > 0) {
    const y = stack.pop();
    const x = stack.pop();
    const row = y * width;
    if (data[row + x] !== value) continue;
    let from = x;
    while (from > 0 && data[row + from - 1] === value) from--;
    let to = x + 1;
    while (to < width && data[row + to] === value) to++;
    emit(y, from, to);
    if (y > 0) seedRuns(data, row - width, from, to, value, stack, y - 1);
    if (y + 1 < height) seedRuns(data, row + width, from, to, value, stack, y + 1);
  }
}

function seedRuns(data, row, from, to, value, stack, y) {
  let inside = false;
  for (let x = from; x < to; x++) {
    const same = data[row + x] === value;
    if (same && !inside) stack.push(x, y);
    inside = same;
  }
}

function sides(from, to, radius) {
  const length = Math.hypot(to.x - from.x, to.y - from.y);
  if (length === 0) return [];
  const x = (-(to.y - from.y) / length) * radius;
  const y = ((to.x - from.x) / length) * radius;
  return [
    { x: from.x + x, y: from.y + y },
    { x: to.x + x, y: to.y + y },
    { x: to.x - x, y: to.y - y },
    { x: from.x - x, y: from.y - y },
  ];
}

function circleRow(center, radius, y, range) {
  const squared = radius * radius - (y - center.y) * (y - center.y);
  if (squared < 0) return;
  const half = Math.sqrt(squared);
  range.low = Math.min(range.low, center.x - half);
  range.high = Math.max(range.high, center.x + half);
}

function edgeRow(first, second, y, range) {
  if (Math.min(first.y, second.y) > y || Math.max(first.y, second.y) < y || first.y === second.y) return;
  const x = first.x + ((y - first.y) / (second.y - first.y)) * (second.x - first.x);
  range.low = Math.min(range.low, x);
  range.high = Math.max(range.high, x);
}

function crossingsAt(points, y) {
  const found = [];
  for (let i = 0; i < points.length; i++) {
    const first = points[i];
    const second = points[(i + 1) % points.length];
    if (first.y <= y !== second.y <= y) {
      found.push(first.x + ((y - first.y) / (second.y - first.y)) * (second.x - first.x));
    }
  }
  return found.sort((a, b) => a - b);
}
