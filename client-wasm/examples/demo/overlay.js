// The client's own statistics over the video, on a button.

export class Overlay {
  #button;
  #container;
  #engine;
  #panel;

  constructor(button, container) {
    this.#button = button;
    this.#container = container;
    button.addEventListener("click", () => this.#turn());
    container.addEventListener("click", () => this.#isShown || this.#hide());
  }

  /** The panel has a button of its own that takes it away. */
  get #isShown() {
    return this.#container.lastElementChild?.shadowRoot != null;
  }

  /** The engine that plays now; undefined where everything comes over HTTP. */
  of(engine) {
    const wasShown = this.#panel !== undefined;
    this.#hide();
    this.#engine = engine;
    this.#button.hidden = engine === undefined;
    if (wasShown) this.#turn();
  }

  async #turn() {
    const isShown = this.#isShown;
    this.#hide();
    if (isShown || !this.#engine) return;
    const { showStats } = await import("/client/beekeepr-overlay.js");
    this.#panel = showStats(this.#engine, { container: this.#container });
    this.#button.setAttribute("aria-pressed", "true");
  }

  #hide() {
    this.#panel?.remove();
    this.#panel = undefined;
    this.#button.setAttribute("aria-pressed", "false");
  }
}
