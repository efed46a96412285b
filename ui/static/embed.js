// Within the frame: takes questions from the site's page and tells it when Escape is pressed.
// Messages count only from the one origin that this session belongs to, and from the parent.
"use strict";

(() => {
  const ORIGIN = "__ORIGIN__";
  if (window.parent === window) return;
  const tell = (type) => window.parent.postMessage({ rawi: type }, ORIGIN);
  const box = () => document.querySelector("#rawi-question textarea:enabled");

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

  // What the site says before anything is asked: its text, never its HTML.
  const greet = (greeting, questions) => {
    const list = document.querySelector("#rawi-messages");
    const ours = [greeting, ...questions.slice(0, 4)].map((said) =>
      typeof said === "string" ? said.trim().slice(0, 300) : "");
    if (!list || document.querySelector("#rawi-greeting") || !ours.some(Boolean)) return;
    const put = (tag, name, said) => {
      const element = document.createElement(tag);
      const { lang, dir } = document.documentElement;
      element.className = name;
      element.textContent = said;
      // A foreign name at its beginning turns no sentence round.
      element.dir = (lang === "ar" ? /[\u0620-\u064a]/ : /[a-z]/i).test(said) ? dir : "auto";
      return element;
    };
    const section = document.createElement("div");
    section.id = "rawi-greeting";
    const [text, ...offered] = ours;
    if (text) section.append(put("p", "rw-tagline", text));
    for (const question of offered.filter(Boolean)) {
      const button = put("button", "rw-example", question);
      button.type = "button";
      button.addEventListener("click", () => asked.length || asked.push(question));
      section.append(button);
    }
    list.prepend(section);
  };

  addEventListener("message", (event) => {
    if (event.source !== window.parent || event.origin !== ORIGIN) return;
    const data = event.data;
    if (typeof data !== "object" || data === null) return;
    if (data.rawi === "focus") box()?.focus();
    if (data.rawi === "theme" && /^(light|dark)$/.test(data.theme)) {
      document.documentElement.dataset.theme = data.theme;
    }
    if (data.rawi === "greet" && Array.isArray(data.questions)) greet(data.greeting, data.questions);
    if (data.rawi === "escape" && !window.rawi.dismiss()) tell("escape");
    if (data.rawi === "ask" && typeof data.text === "string" && asked.length < 10) {
      asked.push(data.text.slice(0, 20_000)); // too long a question is refused as any other
    }
  });
  addEventListener("keydown", (event) => {
    if (event.key === "Escape" && !event.defaultPrevented) tell("escape");
  });

  // The page is drawn by script; it is ready when something can be typed.
  const waiting = setInterval(() => {
    if (!box()) return;
    clearInterval(waiting);
    tell("ready");
  }, 100);
})();
