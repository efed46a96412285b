// The launcher that other sites embed:
//   <script src="https://HOST/widget.js" data-lang="auto" data-position="bottom-end"
//           data-title="…" data-greeting="…" data-questions="…|…" data-accent="#0b6e4f"
//           data-theme="auto" async></script>
// It adds one <rawi-widget> with a shadow root. Until it is opened nothing else is loaded; no cookie
// is set, and nothing of the page is read but its language, direction and theme and these attributes.
"use strict";

(() => {
  const NAME = "rawi-widget";
  const STRINGS = "__STRINGS__";
  const script = document.currentScript || document.querySelector('script[src*="/widget.js"]');
  if (!script || !window.customElements) return;
  const base = new URL(".", script.src);
  const options = { ...script.dataset };

  // Embedded twice, or run again by a single-page app: the first one stays the only one.
  if (customElements.get(NAME)) {
    window.rawi?.attach?.();
    return;
  }

  const STYLE = `
    :host { all: initial !important; position: fixed !important; inset: auto !important;
      inset-block-end: 0 !important; inset-inline-start: 0 !important; width: 0 !important;
      height: 0 !important; z-index: 2147483000 !important; display: block !important;
      visibility: visible !important; opacity: 1 !important; }
    * { box-sizing: border-box; }
    .root { font: 16px/1.5 system-ui, "Segoe UI", Tahoma, "Noto Naskh Arabic", sans-serif;
      --accent: #0b5c47; --on: #fff; color: #1b1b1b; }
    button { font: inherit; cursor: pointer; border: 0; color: inherit; background: none; }
    button:focus-visible { outline: 3px solid var(--accent); outline-offset: 3px; }
    .launcher { position: fixed; inset-block-end: 20px; inset-inline-end: 20px; width: 56px;
      height: 56px; border-radius: 50%; background: var(--accent); color: var(--on);
      box-shadow: 0 4px 16px #0005; display: grid; place-items: center; padding: 0; }
    .start .launcher, .start .panel { inset-inline: 20px auto; }
    .panel { position: fixed; inset-block-end: 88px; inset-inline-end: 20px; width: 400px;
      height: min(640px, calc(100vh - 108px)); background: #fff; border-radius: 14px;
      overflow: hidden; box-shadow: 0 8px 40px #0006; display: flex; flex-direction: column; }
    header { display: flex; align-items: center; gap: 8px; padding: 8px 16px;
      background: var(--accent); color: var(--on); }
    h2 { font: inherit; font-weight: 600; margin: 0; flex: 1; overflow: hidden;
      text-overflow: ellipsis; white-space: nowrap; }
    header button { width: 40px; height: 40px; border-radius: 8px; font-size: 20px; }
    header button:focus-visible { outline-color: var(--on); outline-offset: -3px; }
    .status { padding: 16px; margin: 0; }
    .retry { margin: 0 16px; padding: 8px 16px; border-radius: 8px; background: var(--accent);
      color: var(--on); align-self: flex-start; }
    [hidden] { display: none !important; }
    iframe { border: 0; flex: 1; width: 100%; min-height: 0; background: #fff; }
    @media (max-width: 480px), (max-height: 480px) {
      .panel, .start .panel { inset: 0; width: auto; height: auto; border-radius: 0; }
      .open .launcher { display: none; }
    }
    .dark .panel, .dark iframe { background: #1b1b1b; color: #eee; }
  `;
  const ICON = "M4 4h16a2 2 0 0 1 2 2v9a2 2 0 0 1-2 2h-7l-5 4v-4H4a2 2 0 0 1-2-2V6a2 2 0 0 1 2-2z";

  const make = (tag, properties = {}, ...children) => {
    const element = Object.assign(document.createElement(tag), properties);
    element.append(...children);
    return element;
  };
  const icon = () => {
    const ns = "http://www.w3.org/2000/svg";
    const svg = document.createElementNS(ns, "svg");
    const path = document.createElementNS(ns, "path");
    for (const [k, v] of [["viewBox", "0 0 24 24"], ["width", "28"], ["height", "28"]])
      svg.setAttribute(k, v);
    svg.setAttribute("aria-hidden", "true");
    path.setAttribute("d", ICON);
    path.setAttribute("fill", "currentColor");
    svg.append(path);
    return svg;
  };

  const hostDirection = () => getComputedStyle(document.documentElement).direction;
  const languageOf = (wanted) => {
    if (wanted === "ar" || wanted === "en") return wanted;
    const said = (document.documentElement.lang || "").slice(0, 2).toLowerCase();
    if (said === "ar" || said === "en") return said;
    if (hostDirection() === "rtl") return "ar";
    return (navigator.language || "").toLowerCase().startsWith("ar") ? "ar" : "en";
  };

  // The page's own theme: what it is told, what it says, what it is drawn in, what the system is.
  const system = matchMedia("(prefers-color-scheme: dark)");
  const theme = () => {
    const { dataset } = document.documentElement;
    const scheme = getComputedStyle(document.documentElement).colorScheme.replace("only ", "");
    return [options.theme, dataset.theme, dataset.bsTheme, scheme]
      .find((said) => said === "light" || said === "dark") || (system.matches ? "dark" : "light");
  };

  class RawiWidget extends HTMLElement {
    #root; #frame = null; #parts = {}; #ready = false; #asks = []; #expires = 0; #opening = 0;
    #isOpen = false;

    constructor() {
      super();
      const shadow = this.attachShadow({ mode: "open" });
      // A constructed sheet is no inline style: a strict policy of the page lets it be.
      const sheet = new CSSStyleSheet();
      sheet.replaceSync(STYLE);
      shadow.adoptedStyleSheets = [sheet];
      this.#root = make("div", { className: "root" });
      shadow.append(this.#root);
      this.#build();
      addEventListener("message", (event) => this.#heard(event));
    }

    connectedCallback() {
      this.#label();
      this.paint();
    }

    disconnectedCallback() {
      // A frame that leaves the page loses its document; the next opening loads it anew.
      this.#unload();
      this.#show(false);
    }

    #build() {
      const launcher = make("button", { type: "button", className: "launcher" }, icon());
      const heading = make("h2", { id: "title" });
      const close = make("button", { type: "button", textContent: "✕" });
      const status = make("p", { className: "status", role: "status" });
      const retry = make("button", { type: "button", className: "retry", hidden: true });
      const [before, after] = [0, 0].map(() => make("div", { tabIndex: 0 }));
      const panel = make("section", { className: "panel", hidden: true }, before,
        make("header", {}, heading, close), status, retry, after);
      panel.setAttribute("role", "dialog");
      panel.setAttribute("aria-modal", "true");
      panel.setAttribute("aria-labelledby", "title");
      launcher.setAttribute("aria-haspopup", "dialog");
      launcher.addEventListener("click", () => (this.#isOpen ? this.close() : this.open()));
      close.addEventListener("click", () => this.close());
      retry.addEventListener("click", () => this.#load());
      // Tab stays within: past either end it goes on at the other.
      before.addEventListener("focus", () => (this.#frame || close).focus());
      after.addEventListener("focus", () => close.focus());
      panel.addEventListener("keydown", (event) => {
        if (event.key !== "Escape") return;
        event.stopPropagation();
        // An open article within is closed first; the frame says when there is none.
        if (this.#ready) this.#tell({ rawi: "escape" });
        else this.close();
      });
      this.#parts = { launcher, heading, close, status, retry, panel, after };
      this.#root.append(panel, launcher);
      if (options.position === "bottom-start") this.#root.classList.add("start");
      this.#colour(options.accent || "");
    }

    // Six digits alone: no other value can reach the style, and black or white text is chosen by it.
    #colour(accent) {
      if (!/^#[0-9a-f]{6}$/i.test(accent)) return;
      const [r, g, b] = [1, 3, 5].map((at) => {
        const c = parseInt(accent.slice(at, at + 2), 16) / 255;
        return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
      });
      this.#root.style.setProperty("--accent", accent);
      const light = 0.2126 * r + 0.7152 * g + 0.0722 * b > 0.179;
      this.#root.style.setProperty("--on", light ? "#000" : "#fff");
    }

    #label() {
      const language = languageOf(options.lang);
      const says = STRINGS[language];
      const { launcher, heading, close, retry } = this.#parts;
      this.#root.lang = language;
      const automatic = options.lang !== "ar" && options.lang !== "en";
      this.#root.dir = automatic ? hostDirection() : language === "ar" ? "rtl" : "ltr";
      heading.textContent = options.title || says.title;
      heading.dir = "auto";
      close.setAttribute("aria-label", says.close);
      retry.textContent = says.retry;
      launcher.setAttribute("aria-label", this.#isOpen ? says.close : says.open);
      launcher.setAttribute("aria-expanded", String(this.#isOpen));
    }

    paint() {
      this.#root.classList.toggle("dark", theme() === "dark");
      if (this.#ready) this.#tell({ rawi: "theme", theme: theme() });
    }

    open() {
      if (this.#isOpen || !this.isConnected) return;
      this.#show(true);
      this.#emit("open");
      if (!this.#frame || Date.now() > this.#expires) this.#load();
      this.#focus();
    }

    close() {
      if (!this.#isOpen) return;
      this.#show(false);
      this.#parts.launcher.focus();
      this.#emit("close");
    }

    ask(text) {
      if (typeof text !== "string" || !text.trim()) throw new TypeError("rawi.ask needs a text");
      this.#asks.push(text);
      this.open();
      this.#flush();
    }

    #show(open) {
      this.#isOpen = open;
      this.#parts.panel.hidden = !open;
      this.#root.classList.toggle("open", open);
      this.#label();
    }

    #unload() {
      this.#opening += 1; // whatever is on its way comes too late
      this.#frame?.remove();
      this.#frame = null;
      this.#ready = false;
    }

    async #load() {
      this.#unload();
      const mine = this.#opening;
      this.#say("loading");
      let reply = null;
      try {
        reply = await fetch(new URL("widget/ticket", base), {
          method: "POST", mode: "cors", credentials: "omit", referrerPolicy: "no-referrer",
        });
        if (mine !== this.#opening) return;
        if (!reply.ok) return this.#say(reply.status === 429 ? "busy" : "failed", true);
        const { ticket, session_s } = await reply.json();
        if (mine !== this.#opening) return;
        this.#expires = Date.now() + session_s * 1000;
        this.#embed(ticket);
      } catch {
        if (mine !== this.#opening) return;
        // Where the origin is not allowed, the browser keeps the answer to itself.
        console.warn(`rawi: no ticket from ${base.href}; is it up, does this page's ` +
          `Content-Security-Policy let it connect, is ${location.origin} in widget.allowed_origins?`);
        this.#say("failed", true);
      }
    }

    #embed(ticket) {
      const url = new URL("embed", base);
      url.searchParams.set("ticket", ticket);
      url.searchParams.set("lang", this.#root.lang);
      url.searchParams.set("theme", theme());
      const frame = make("iframe", { src: url.href, title: this.#parts.heading.textContent });
      frame.setAttribute("sandbox",
        "allow-scripts allow-same-origin allow-forms allow-popups allow-downloads");
      frame.setAttribute("allow", "clipboard-write");
      this.#frame = frame;
      this.#parts.after.before(frame);
    }

    #say(what, again = false) {
      const { status, retry } = this.#parts;
      status.textContent = what ? STRINGS[this.#root.lang][what] : "";
      status.hidden = !what;
      retry.hidden = !again;
      if (again) this.#emit("error");
    }

    #heard(event) {
      const frame = this.#frame;
      if (!frame || event.source !== frame.contentWindow || event.origin !== base.origin) return;
      const what = event.data?.rawi;
      if (what === "escape") this.close();
      if (what === "ready") {
        this.#ready = true;
        this.#say("");
        this.paint();
        const { greeting = "", questions = "" } = options;
        this.#tell({ rawi: "greet", greeting, questions: questions.split("|") });
        this.#emit("ready");
        if (this.#isOpen) this.#focus();
        this.#flush();
      }
    }

    #tell(message) {
      this.#frame.contentWindow.postMessage(message, base.origin);
    }

    #focus() {
      if (!this.#ready) return this.#parts.close.focus();
      this.#frame.focus();
      this.#tell({ rawi: "focus" });
    }

    #flush() {
      if (!this.#ready) return;
      for (const text of this.#asks.splice(0)) {
        this.#tell({ rawi: "ask", text });
        this.#emit("ask", { text });
      }
    }

    #emit(type, detail = {}) {
      this.dispatchEvent(new CustomEvent(`rawi:${type}`, { detail }));
    }
  }

  customElements.define(NAME, RawiWidget);
  const widget = document.querySelector(NAME) || document.createElement(NAME);
  let wanted = true;
  const attach = () => {
    wanted = true;
    if (document.body && !widget.isConnected) document.body.append(widget);
  };

  // A single-page app may replace the body, or all that is in it.
  const watcher = new MutationObserver(() => {
    if (!wanted || !document.body) return;
    watcher.observe(document.body, { childList: true });
    if (!widget.isConnected) attach();
  });
  watcher.observe(document.documentElement, { childList: true });
  if (document.body) watcher.observe(document.body, { childList: true });
  const painter = new MutationObserver(() => widget.paint());
  painter.observe(document.documentElement, {
    attributeFilter: ["class", "style", "data-theme", "data-bs-theme"],
  });
  system.addEventListener("change", () => widget.paint());

  window.rawi = Object.freeze({
    open: () => widget.open(),
    close: () => widget.close(),
    ask: (text) => widget.ask(text),
    on: (type, listener) => widget.addEventListener(`rawi:${type}`, listener),
    off: (type, listener) => widget.removeEventListener(`rawi:${type}`, listener),
    attach,
    remove: () => {
      wanted = false;
      widget.remove();
    },
  });
  if (document.body) attach();
  else addEventListener("DOMContentLoaded", attach, { once: true });
  document.dispatchEvent(new CustomEvent("rawi:loaded"));
})();
