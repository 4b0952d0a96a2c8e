import { CrowdImageClassifier } from "./classifier.js";
import {
  CrowdButton,
  CrowdCheckbox,
  CrowdContainer,
  CrowdInput,
  CrowdInstructions,
  CrowdRadioButton,
  CrowdTextArea,
} from "./fields.js";
import { CrowdForm } from "./form.js";
import { CrowdSemanticSegmentation } from "./segmentation.js";
import { embedded, listen } from "./host.js";

/** Every element that a template may use here; a template with another is refused by name before it is shown. */
const ELEMENTS = {
  "crowd-button": CrowdButton,
  "crowd-checkbox": CrowdCheckbox,
  "crowd-image-classifier": CrowdImageClassifier,
  "crowd-input": CrowdInput,
  "crowd-instructions": CrowdInstructions,
  "crowd-radio-button": CrowdRadioButton,
  "crowd-text-area": CrowdTextArea,
  "crowd-semantic-segmentation": CrowdSemanticSegmentation,
  "crowd-form": CrowdForm,
};
const CONTAINERS = ["crowd-alert", "crowd-card", "crowd-radio-group"];

document.documentElement.style.margin = "0";
document.body.style.margin = "0";
document.body.style.fontFamily = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', 'Liberation Sans', sans-serif";
for (const [name, element] of Object.entries(ELEMENTS)) customElements.define(name, element);
for (const name of CONTAINERS) customElements.define(name, class extends CrowdContainer {});

if (embedded) {
  listen("refused", ({ text }) => /** @type {CrowdForm | null} */ (document.querySelector("crowd-form"))?.refuse(text));
}
