// @ts-check
/**
 * Search in a copy that is opened from the file system: browsers refuse workers there, so the worker's script runs in
 * a hidden frame. Material's search asks for no more than this; loaded by the offline copy alone.
 */
(() => {
  "use strict";

  if (window.location.protocol !== "file:") return;

  class FrameWorker extends EventTarget {
    /** @param {string | URL} address of the worker's script */
    constructor(address) {
      super();
      /** @type {unknown[] | null} messages from before the script was there */
      this.waiting = [];
      this.frame = document.createElement("iframe");
      this.frame.hidden = true;
      // Before it is loaded, it holds a page that Firefox then throws away.
      this.frame.addEventListener("load", () => this.begin(address), { once: true });
      this.frame.srcdoc = "<!doctype html>";
      document.body.append(this.frame);
    }

    /** @param {string | URL} address of the worker's script */
    async begin(address) {
      const inside = /** @type {Window} */ (this.frame.contentWindow);
      // What the script posts, it posts to us.
      inside.postMessage = (/** @type {unknown} */ data) => {
        queueMicrotask(() => this.dispatchEvent(new MessageEvent("message", { data })));
      };
      const load = (/** @type {string | URL} */ from) =>
        new Promise((resolve, reject) => {
          const script = inside.document.createElement("script");
          script.src = String(from);
          script.onload = resolve;
          script.onerror = reject;
          inside.document.body.append(script);
        });
      // What takes a language's words apart; the script waits for it.
      Object.assign(inside, {
        importScripts: async (/** @type {string[]} */ ...addresses) => {
          for (const each of addresses) await load(each);
        },
      });
      try {
        await load(address);
      } catch {
        this.dispatchEvent(new Event("error"));
        return;
      }
      const waiting = this.waiting ?? [];
      this.waiting = null;
      for (const data of waiting) this.postMessage(data);
    }

    /** @param {unknown} data */
    postMessage(data) {
      if (this.waiting) this.waiting.push(data);
      else this.frame.contentWindow?.dispatchEvent(new MessageEvent("message", { data }));
    }

    terminate() {
      this.frame.remove();
    }
  }

  // It has the part of Worker that is used; by the other name the script knows that its addresses are the page's.
  Object.assign(window, { Worker: FrameWorker, IFrameWorker: FrameWorker });
})();
