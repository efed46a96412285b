// Within the frame: takes questions from the site's page and tells it when Escape is pressed.
// Messages count only from the one origin that this session belongs to, and from the parent.
"use strict";

(() => {
  const ORIGIN = "__ORIGIN__";
  if (window.parent === window) return;
  const tell = (type) => window.parent.postMessage({ rawi: type }, ORIGIN);
  const box = () => document.querySelector("#rawi-question textarea");

  // Questions of the site's page, one at a time: never in the midst of an answer.
  const asked = [];
  let next = 0;
  const askNext = () => {
    const field = box();
    const send = document.querySelector("#rawi-send");
    if (!field || !send || document.querySelector(".rw-busy") || Date.now() < next) return;
    if (!asked.length) return;
    next = Date.now() + 2_000; // by then the page shows that it is busy
    // The setter of the prototype: frameworks put their own onto the element.
    const { set } = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(field), "value");
    set.call(field, asked.shift());
    field.dispatchEvent(new Event("input", { bubbles: true }));
    setTimeout(() => send.click(), 100); // after the page has read the field
  };
  setInterval(askNext, 100);

  addEventListener("message", (event) => {
    if (event.source !== window.parent || event.origin !== ORIGIN) return;
    const data = event.data;
    if (typeof data !== "object" || data === null) return;
    if (data.rawi === "focus") box()?.focus();
    if (data.rawi === "escape" && !window.rawi.dismiss()) tell("escape");
    if (data.rawi === "ask" && typeof data.text === "string" && asked.length < 10) {
      asked.push(data.text.slice(0, 20_000)); // too long a question is refused as any other
    }
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
