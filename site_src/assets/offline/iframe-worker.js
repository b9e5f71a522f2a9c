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
      document.body.append(this.frame);
      const inside = /** @type {Window} */ (this.frame.contentWindow);
      // What the script posts, it posts to us.
      inside.postMessage = (/** @type {unknown} */ data) => {
        queueMicrotask(() => this.dispatchEvent(new MessageEvent("message", { data })));
      };
      const script = inside.document.createElement("script");
      script.src = String(address);
      script.onload = () => {
        const waiting = this.waiting ?? [];
        this.waiting = null;
        for (const data of waiting) this.postMessage(data);
      };
      script.onerror = () => this.dispatchEvent(new Event("error"));
      inside.document.body.append(script);
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

  // @ts-ignore: it has the part of Worker that is used
  window.Worker = FrameWorker;
})();
