/** The colours that Ground Truth gives to labels, in the order of the label list. */

const FIRST = [
  "#2ca02c", "#1f77b4", "#ff7f0e", "#d62728", "#9467bd", "#8c564b", "#e377c2", "#7f7f7f", "#bcbd22", "#17becf",
  "#98df8a", "#aec7e8", "#ffbb78", "#ff9896", "#c5b0d5", "#c49c94", "#f7b6d2", "#c7c7c7", "#dbdb8d", "#9edae5",
];
const GOLDEN_RATIO = 0.618033988749895;

/** `count` different colours, none of them white, always the same for a position. */
export function colors(count) {
  const found = FIRST.slice(0, count);
  const seen = new Set([...found, "#ffffff", "#000000"]);
  for (let step = 0; found.length < count; step++) {
    const color = fromHsv((step * GOLDEN_RATIO) % 1, 0.45 + (step % 3) * 0.25, 0.95 - (step % 5) * 0.1125);
    if (!seen.has(color)) {
      seen.add(color);
      found.push(color);
    }
  }
  return found;
}

/** The three bytes of a `#rrggbb` colour. */
export function toRgb(color) {
  const packed = parseInt(color.slice(1), 16);
  return [packed >> 16, (packed >> 8) & 255, packed & 255];
}

function fromHsv(hue, saturation, value) {
  const channel = (offset) => {
    const k = (offset + hue * 6) % 6;
    const part = value - value * saturation * Math.max(0, Math.min(k, 4 - k, 1));
    return Math.round(part * 255).toString(16).padStart(2, "0");
  };
  return `#${channel(5)}${channel(3)}${channel(1)}`;
}
