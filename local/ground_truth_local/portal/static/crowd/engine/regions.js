/** Regions as horizontal spans that follow from the picture or the painting; a pixel is connected with four others. */

/** The pixels connected with a seed for which `accepts(x, y)` holds, found with a map of those seen. */
export function connected(width, height, seedX, seedY, rowTest, emit) {
  const seen = new Uint8Array(width * height);
  const stack = [seedX, seedY];
  if (!rowTest(seedY)(seedX)) return;
  while (stack.length > 0) {
    const y = stack.pop();
    const x = stack.pop();
    const row = y * width;
    if (seen[row + x]) continue;
    const accepts = rowTest(y);
    let from = x;
    while (from > 0 && !seen[row + from - 1] && accepts(from - 1)) from--;
    let to = x + 1;
    while (to < width && !seen[row + to] && accepts(to)) to++;
    seen.fill(1, row + from, row + to);
    emit(y, from, to);
    if (y > 0) push(seen, row - width, from, to, rowTest(y - 1), stack, y - 1);
    if (y + 1 < height) push(seen, row + width, from, to, rowTest(y + 1), stack, y + 1);
  }
}

function push(seen, row, from, to, accepts, stack, y) {
  let inside = false;
  for (let x = from; x < to; x++) {
    const open = !seen[row + x] && accepts(x);
    if (open && !inside) stack.push(x, y);
    inside = open;
  }
}

/** The unlabeled pixels that a class encloses: those from which no way leads to the picture's edge but through it. */
export function holes(data, width, height, id, emit) {
  const outside = new Uint8Array(width * height);
  const stack = [];
  for (let x = 0; x < width; x++) stack.push(x, 0, x, height - 1);
  for (let y = 0; y < height; y++) stack.push(0, y, width - 1, y);
  while (stack.length > 0) {
    const y = stack.pop();
    const x = stack.pop();
    const row = y * width;
    const isOpen = (at) => data[row + at] !== id && !outside[row + at];
    if (!isOpen(x)) continue;
    let from = x;
    while (from > 0 && isOpen(from - 1)) from--;
    let to = x + 1;
    while (to < width && isOpen(to)) to++;
    outside.fill(1, row + from, row + to);
    for (const next of [y - 1, y + 1]) {
      if (next < 0 || next >= height) continue;
      push(outside, next * width, from, to, (at) => data[next * width + at] !== id, stack, next);
    }
  }
  for (let y = 0; y < height; y++) {
    const row = y * width;
    let from = -1;
    for (let x = 0; x <= width; x++) {
      const inside = x < width && data[row + x] === 0 && !outside[row + x];
      if (inside && from < 0) from = x;
      if (!inside && from >= 0) {
        emit(y, from, x);
        from = -1;
      }
    }
  }
}
