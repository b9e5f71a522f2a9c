/**
 * <weight-player src="player/index.json">: every batch of the recording, around an ordinary link to its film, which
 * stays what the reader gets without script, or when the recording cannot be had. With data-mode="hero" it is the
 * film's poster with a button, and loads nothing before that is pressed.
 */

const STYLE = "weight-player.css";
const HERE = import.meta.url;
const PLAY = '<svg viewBox="0 0 24 24" aria-hidden="true"><path d="M8 5v14l11-7z"/></svg>';
/** @type {Record<string, string>} what is said before anything else is loaded; see text.js */
const TEXTS = JSON.parse(document.getElementById("words")?.textContent ?? "{}").player;

class WeightPlayer extends HTMLElement {
  connectedCallback() {
    ensureStyle();
    if (this.dataset.mode !== "hero") this.whenNear(() => this.open());
    else if (!this.button) this.offer();
  }

  disconnectedCallback() {
    // A page that moves the element connects it again at once; only one that removes it ends here.
    queueMicrotask(() => {
      if (this.isConnected) return;
      this.observer?.disconnect();
      this.content?.close();
      this.content = undefined;
      this.button?.remove();
      this.button = undefined;
    });
  }

  get address() {
    return this.getAttribute("src") ?? "player/index.json";
  }

  /** @param {() => void} act */
  whenNear(act) {
    this.observer = new IntersectionObserver(
      (entries) => {
        if (!entries.some(({ isIntersecting }) => isIntersecting)) return;
        this.observer?.disconnect();
        act();
      },
      { rootMargin: "400px" },
    );
    this.observer.observe(this);
  }

  /** Put a button on the poster; nothing else is loaded before it is pressed. */
  offer() {
    this.button = document.createElement("button");
    this.button.type = "button";
    this.button.className = "wp-button wp-hero-button";
    this.button.innerHTML = PLAY;
    this.button.append(TEXTS.play);
    this.button.addEventListener("click", () => this.press());
    this.append(this.button);
  }

  async press() {
    if (this.content) return this.content.press();
    if (this.hasAttribute("aria-busy")) return undefined;
    this.querySelector(":scope > .wp-message")?.remove();
    this.setAttribute("aria-busy", "true");
    this.button?.lastChild?.replaceWith(TEXTS.loading);
    try {
      const { openHero } = await import("./hero.js");
      this.content = await openHero(this, /** @type {HTMLButtonElement} */ (this.button));
      this.dataset.state = "open";
      this.content.press();
    } catch (error) {
      this.button?.lastChild?.replaceWith(TEXTS.play);
      this.complain(error, () => this.press());
    } finally {
      this.removeAttribute("aria-busy");
    }
    return undefined;
  }

  async open() {
    // What has the focus goes away; it stays in here, for a reader who presses Tab meanwhile or next.
    if (this.querySelector(":scope > .wp-message")?.contains(document.activeElement)) {
      this.tabIndex = -1;
      this.focus();
    }
    this.querySelector(":scope > .wp-message")?.remove();
    this.setAttribute("aria-busy", "true");
    const opening = saying(this, TEXTS.loading, "wp-opening");
    try {
      const { openPlayer } = await import("./open.js");
      this.content = await openPlayer(this, this.address);
      if (document.activeElement !== document.body && this.contains(document.activeElement)) this.content.focus();
      this.removeAttribute("tabindex");
      this.dataset.state = "open";
    } catch (error) {
      this.complain(error, () => this.open());
    } finally {
      opening.remove();
      this.removeAttribute("aria-busy");
    }
  }

  /**
   * Say what is wrong above the film, which is still there.
   * @param {unknown} error
   * @param {() => void} retry
   */
  complain(error, retry) {
    if (this.dataset.mode !== "hero") {
      this.dataset.state = "failed";
      showPoster(this);
    }
    const reason = error instanceof Error ? error.message : String(error);
    const message = saying(this, TEXTS.failed.replace("{reason}", reason));
    message.setAttribute("role", "alert");
    const again = document.createElement("button");
    again.type = "button";
    again.className = "wp-button wp-small";
    again.textContent = TEXTS.again;
    again.addEventListener("click", retry);
    message.append(" ", again);
  }
}

/**
 * Put words above the film.
 * @param {HTMLElement} host
 * @param {string} words
 * @param {string} [name]
 */
function saying(host, words, name = "wp-message") {
  const message = document.createElement("p");
  message.className = name;
  message.append(words);
  host.prepend(message);
  return message;
}

/**
 * Show the film's poster, which only a reader without scripts loads otherwise.
 * @param {HTMLElement} host
 */
function showPoster(host) {
  for (const each of host.querySelectorAll("noscript")) {
    each.replaceWith(document.createRange().createContextualFragment(each.textContent ?? ""));
  }
}

/** In a browser that cannot unpack, the film is all there is. */
class OldPlayer extends HTMLElement {
  connectedCallback() {
    ensureStyle();
    this.dataset.state = "failed";
    showPoster(this);
    if (!this.querySelector(":scope > .wp-message")) saying(this, TEXTS.old_browser);
  }
}

/** Bring the style sheet that lies beside this file, if the page does not. */
function ensureStyle() {
  // In an offline copy a module has no place that another file could lie beside; the page brings the style there.
  if (HERE.startsWith("data:") || document.querySelector(`link[href*="${STYLE}"]`)) return;
  const link = document.createElement("link");
  link.rel = "stylesheet";
  link.href = new URL(STYLE, HERE).href;
  document.head.append(link);
}

// Within another page, all that is seen of this one is the player. (embed.js has the same condition, and is not here yet.)
document.documentElement.classList.toggle("wp-embedded", new URLSearchParams(location.search).has("embed"));

// A page without words keeps the film.
if (TEXTS && !customElements.get("weight-player")) {
  customElements.define("weight-player", "DecompressionStream" in globalThis ? WeightPlayer : OldPlayer);
}
