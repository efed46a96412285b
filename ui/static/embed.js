// Within the frame: takes questions from the site's page and tells it when Escape is pressed.
// Messages count only from the one origin that this session belongs to, and from the parent.
"use strict";

(() => {
  const ORIGIN = "__ORIGIN__";
  if (window.parent === window) return;
  const tell = (type) => window.parent.postMessage({ rawi: type }, ORIGIN);
  const box = () => document.querySelector("#rawi-question textarea, #rawi-question input");
  const language = new URLSearchParams(location.search).get("lang");
  if (language === "ar" || language === "en") {
    document.documentElement.lang = language;
    document.documentElement.dir = language === "ar" ? "rtl" : "ltr";
  }

  const press = (field) => {
    const send = document.querySelector("#rawi-send, #rawi-question .submit-button");
    if (send) return send.click();
    field.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", code: "Enter", bubbles: true }));
  };
  const ask = (text) => {
    const field = box();
    // The setter of the prototype: frameworks put their own onto the element.
    Object.getOwnPropertyDescriptor(Object.getPrototypeOf(field), "value").set.call(field, text);
    field.dispatchEvent(new Event("input", { bubbles: true }));
    setTimeout(() => press(field), 100); // after the page has read the field
  };

  addEventListener("message", (event) => {
    if (event.source !== window.parent || event.origin !== ORIGIN) return;
    const data = event.data;
    if (typeof data !== "object" || data === null) return;
    if (data.rawi === "focus") box()?.focus();
    if (data.rawi === "ask" && typeof data.text === "string") ask(data.text.slice(0, 2000));
  });
  addEventListener("keydown", (event) => {
    if (event.key === "Escape" && !event.defaultPrevented) tell("escape");
  });

  // The page is drawn by script; it is ready when there is somewhere to type.
  const waiting = setInterval(() => {
    if (!box()) return;
    clearInterval(waiting);
    tell("ready");
  }, 100);
})();
