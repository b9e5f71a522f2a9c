// @ts-check
/**
 * <gif-player>: an animation that stands still until the reader presses play, and can be stopped.
 *
 * Inside stand two links, class "only-light" and "only-dark": each leads to a GIF and holds its poster, so the
 * element says everything without a script. The scheme that the reader chooses decides which of the two is seen;
 * the GIF of the other is never fetched. What it says comes from interface.toml, which the page carries; without that
 * the links stay.
 */
(() => {
  "use strict";

  const ICONS = {
    play: '<svg viewBox="0 0 24 24" aria-hidden="true"><path d="M7 4.5v15l13-7.5z"/></svg>',
    stop: '<svg viewBox="0 0 24 24" aria-hidden="true"><path d="M6 6h12v12H6z"/></svg>',
  };
  const texts = JSON.parse(document.getElementById("words")?.textContent ?? "{}").film;
  if (!texts) return;
  let plays = 0;
  const calm = window.matchMedia("(prefers-reduced-motion: reduce)");

  /** One scheme's picture: its poster and its GIF, with the fragment by which the theme hides one of the two. */
  class Picture {
    /** @param {HTMLAnchorElement} link the link to a GIF around its poster */
    constructor(link) {
      this.image = /** @type {HTMLImageElement} */ (link.querySelector("img"));
      this.fragment = new URL(this.image.src).hash;
      this.poster = this.image.src;
      this.gif = link.href;
      this.link = link;
    }

    /** @returns {boolean} whether this scheme is the one that is shown */
    get seen() {
      return getComputedStyle(this.image).display !== "none";
    }

    /**
     * Fetch the GIF and give it an address of its own: under one that it had before, Firefox goes on in the middle.
     * @returns {Promise<string>}
     */
    async fetch() {
      this.drop();
      if (location.protocol === "file:") return `${this.gif}?${plays++}`; // where nothing is fetched, nor a query read
      const response = await fetch(this.gif);
      if (!response.ok) throw new Error(response.statusText);
      this.blob = URL.createObjectURL(await response.blob());
      return this.blob;
    }

    /** Show the poster, and keep no copy of the GIF. */
    drop() {
      this.image.src = this.poster;
      if (this.blob) URL.revokeObjectURL(this.blob);
      this.blob = undefined;
    }
  }

  class GifPlayer extends HTMLElement {
    connectedCallback() {
      if (this.button) return;
      this.pictures = [...this.querySelectorAll("a")].filter((link) => link.querySelector("img")).map((link) => new Picture(link));
      if (!this.pictures.length) return;
      for (const picture of this.pictures) picture.link.replaceWith(picture.image);
      this.playing = false;
      this.button = document.createElement("button");
      this.button.type = "button";
      this.button.className = "gif-player__button";
      this.button.addEventListener("click", () => (this.playing ? this.stop() : this.play()));
      this.status = document.createElement("span");
      this.status.className = "unseen";
      this.status.setAttribute("role", "status");
      this.append(this.button, this.status);
      this.offer();
      // A click anywhere on the picture does what the button does; the button is there for everyone else.
      for (const picture of this.pictures) picture.image.addEventListener("click", () => this.button?.click());
      this.observer = new MutationObserver(() => this.playing && this.show());
      this.observer.observe(document.body, { attributes: true, attributeFilter: ["data-md-color-scheme"] });
    }

    disconnectedCallback() {
      this.observer?.disconnect();
      clearTimeout(this.timer);
    }

    play() {
      this.playing = true;
      this.show();
    }

    stop() {
      this.playing = false;
      this.shown = undefined;
      clearTimeout(this.timer);
      for (const picture of this.pictures ?? []) picture.drop();
      this.removeAttribute("data-playing");
      this.offer();
      this.say(texts.stopped);
    }

    /** Fetch the GIF of the scheme that is seen, then show it in the place of its poster. */
    async show() {
      const picture = this.pictures?.find((candidate) => candidate.seen);
      if (!picture || this.shown?.picture === picture) return;
      const shown = (this.shown = { picture });
      this.label("stop", texts.loading);
      this.say(texts.loading);
      const loader = new Image();
      try {
        loader.src = await picture.fetch();
        await loader.decode();
      } catch {
        if (this.shown !== shown) return;
        this.stop();
        this.label("play", texts.again);
        this.say(texts.failed);
        return;
      }
      if (this.shown !== shown) return;
      for (const other of this.pictures ?? []) if (other !== picture) other.drop();
      picture.image.src = loader.src + picture.fragment;
      this.setAttribute("data-playing", "");
      this.label("stop", texts.stop);
      this.say(texts.playing);
      clearTimeout(this.timer);
      // Who has asked the system for less motion sees it once.
      if (calm.matches) this.timer = setTimeout(() => this.stop(), 1000 * Number(this.dataset.seconds));
    }

    /** Say that a press plays, and how much it fetches. */
    offer() {
      const { size } = this.dataset;
      this.label("play", size ? texts.play_size.replace("{size}", size) : texts.play);
    }

    /**
     * @param {"play" | "stop"} icon
     * @param {string} action what a press does
     */
    label(icon, action) {
      if (!this.button) return;
      this.button.innerHTML = `${ICONS[icon]}<span></span>`;
      /** @type {HTMLElement} */ (this.button.lastElementChild).textContent = action;
      const title = this.closest("figure")?.querySelector("figcaption strong")?.textContent ?? texts.unnamed;
      this.button.setAttribute("aria-label", texts.action.replace("{action}", action).replace("{title}", title));
    }

    /** @param {string} text for those who do not see the picture */
    say(text) {
      if (this.status) this.status.textContent = text;
    }
  }

  customElements.define("gif-player", GifPlayer);
})();
