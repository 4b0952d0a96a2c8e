/** Lines and dots over the picture, readable on any ground: a dark line with a light one in it. */

const INK = "#ffffff";
const OUTLINE = "#10151a";

export function ring(context, center, radius) {
  for (const [color, width] of [[OUTLINE, 3], [INK, 1.5]]) {
    context.beginPath();
    context.arc(center.x, center.y, radius, 0, Math.PI * 2);
    context.strokeStyle = color;
    context.lineWidth = width;
    context.stroke();
  }
}

export function line(context, points, { closed = false } = {}) {
  for (const [color, width] of [[OUTLINE, 4], [INK, 2]]) {
    context.beginPath();
    for (const { x, y } of points) context.lineTo(x, y);
    if (closed) context.closePath();
    context.strokeStyle = color;
    context.lineWidth = width;
    context.lineJoin = "round";
    context.stroke();
  }
}

export function dot(context, point, radius, color = INK) {
  context.beginPath();
  context.arc(point.x, point.y, radius, 0, Math.PI * 2);
  context.fillStyle = color;
  context.strokeStyle = OUTLINE;
  context.lineWidth = 2;
  context.fill();
  context.stroke();
}

/** A plus or a minus in a coloured dot. */
export function sign(context, point, inside) {
  dot(context, point, 8, inside ? "#1d7a3d" : "#b3261e");
  context.strokeStyle = INK;
  context.lineWidth = 2;
  context.beginPath();
  context.moveTo(point.x - 4, point.y);
  context.lineTo(point.x + 4, point.y);
  if (inside) {
    context.moveTo(point.x, point.y - 4);
    context.lineTo(point.x, point.y + 4);
  }
  context.stroke();
}
