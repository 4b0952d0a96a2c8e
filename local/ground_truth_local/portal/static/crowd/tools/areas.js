import { isLike } from "../engine/pixels.js";
import { Tool } from "./tool.js";

export class Fill extends Tool {
  name = "fill";
  help = "Fill: click an area to give all of it the selected label.";

  down(point) {
    this.editor.painting.floodFill(point.x, point.y, this.editor.label);
  }
}

/** Fills what is connected and of like colour in the picture. */
export class SmartFill extends Tool {
  name = "smart-fill";
  options = ["tolerance"];
  help = "Smart fill: click a colour in the picture; all that is connected and like it gets the selected label.";

  down(point) {
    const { painting, pixels, tolerance } = this.editor;
    if (!painting.contains(point.x, point.y)) return;
    const accepts = isLike(pixels.at(Math.floor(point.x), Math.floor(point.y)), tolerance);
    painting.fillWhere(
      point.x,
      point.y,
      (row) => {
        const colors = pixels.row(row);
        return (column) => accepts(colors[column]);
      },
      this.editor.label,
    );
    pixels.release();
  }
}
