/* Stands in for https://assets.crowd.aws/crowd-html-elements.js. Part of ground-truth-local, Apache-2.0.
 *
 * Templates load it as a classic script, so this only hides the elements until they are ready and imports the
 * modules beside it. */
(() => {
  const script = /** @type {HTMLScriptElement} */ (document.currentScript);
  const style = document.createElement("style");
  style.textContent = "crowd-form:not(:defined){visibility:hidden}";
  document.head.append(style);
  import(new URL("crowd/elements.js", script.src).href).catch((error) => {
    style.remove();
    document.body.prepend(`The worker page's elements could not be loaded: ${error.message}`);
  });
})();
