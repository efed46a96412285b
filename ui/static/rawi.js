// What only the browser can do: language, theme and section of the page, hearing and focus,
// saving files. Everything else is the server's. No text is ever made into HTML here.
"use strict";

window.rawi = (() => {
  const root = document.documentElement;
  const remembered = (name) => {
    try {
      return localStorage.getItem(`rawi-${name}`);
    } catch {
      return null; // storage is closed to us: nothing is remembered, all else works
    }
  };
  const remember = (name, value) => {
    try {
      localStorage.setItem(`rawi-${name}`, value);
    } catch {
      /* as above */
    }
  };
  const phrase = (name, language = root.lang) => {
    const meta = document.querySelector(`meta[name="rawi-${name}"]`);
    return meta ? meta.dataset[language] : "";
  };

  // ------------------------------------------------------------ language, theme, section

  let spoken = "en";
  const setLanguage = (language) => {
    spoken = language;
    root.lang = language;
    root.dir = language === "ar" ? "rtl" : "ltr";
    label();
  };
  const setTheme = (theme) => {
    root.dataset.theme = theme;
  };
  const setView = (view) => {
    root.dataset.view = view;
    label();
  };
  const preferred = () =>
    (navigator.languages || [navigator.language]).find((l) => /^(ar|en)\b/i.test(l)) || "en";

  const given = new URLSearchParams(location.search);
  const wanted = given.get("lang");
  setLanguage(
    (/^(ar|en)$/.test(wanted) && wanted) ||
      remembered("language") ||
      preferred().slice(0, 2).toLowerCase(),
  );
  setTheme(
    (/^(light|dark)$/.exec(given.get("theme")) || [remembered("theme")])[0] || (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light"),
  );
  const named = () => (/^#(documents|quality)$/.exec(location.hash) || ["", "ask"])[1];
  const followAddress = () => {
    const tab = document.querySelector(`.rw-tab[data-view="${named()}"]`);
    setView(tab ? named() : "ask");
  };
  setView(named());
  // Gradio says the browser's language there, in its own time; it may be neither of ours.
  new MutationObserver(() => {
    if (root.lang !== spoken) setLanguage(spoken);
  }).observe(root, { attributeFilter: ["lang"] });

  // What Gradio renders has attributes that must be in one language.
  function label() {
    document.title = phrase("title") || document.title;
    const box = document.querySelector("#rawi-question textarea");
    if (box) {
      box.placeholder = phrase("placeholder");
      box.setAttribute("aria-label", phrase("question"));
      box.dir = box.value ? "auto" : root.dir;
    }
    const list = document.querySelector("#rawi-messages");
    if (list) list.setAttribute("aria-label", phrase("messages"));
    for (const tab of document.querySelectorAll(".rw-tab")) {
      tab.setAttribute("aria-current", tab.dataset.view === root.dataset.view ? "page" : "false");
    }
    for (const tip of document.querySelectorAll("[data-tip-ar]")) {
      tip.title = root.lang === "ar" ? tip.dataset.tipAr : tip.dataset.tipEn;
    }
    const dates = new Intl.DateTimeFormat(root.lang === "ar" ? "ar-u-nu-latn" : "en-GB", {
      day: "numeric",
      month: "short",
      year: "numeric",
      hour: "2-digit",
      minute: "2-digit",
    });
    for (const time of document.querySelectorAll("time[datetime]")) {
      time.textContent = dates.format(new Date(time.dateTime)); // where the reader is
      time.dir = root.dir;
      time.lang = root.lang;
    }
  }

  // ------------------------------------------------------------ hearing

  let region = null;
  const announce = (said, language = root.lang) => {
    if (!region) return;
    region.lang = language;
    region.replaceChildren(...[said].flat());
  };
  // What a message says, our own words in the page's language alone, and spoken in that.
  const said = (element) => {
    const copy = element.cloneNode(true);
    const unsaid = `.rw-${root.lang === "ar" ? "en" : "ar"}, [aria-hidden="true"]`;
    for (const part of copy.querySelectorAll(unsaid)) part.remove();
    for (const cite of copy.querySelectorAll(".rw-citation")) {
      const source = document.createElement("span");
      source.lang = root.lang;
      source.textContent = ` (${cite.textContent.trim().replace(/\s+/g, " ")}) `;
      cite.replaceWith(source);
    }
    return [...copy.childNodes];
  };
  let expected = false; // an answer is on its way, to be read out once it is whole

  const hear = () => {
    const sentences = document.querySelectorAll("#rawi-evidence .rw-evidence > li").length;
    if (document.querySelector(".rw-busy")) {
      if (!expected) announce("");
      expected = true;
      if (sentences && region && region.textContent === "") {
        announce(phrase("found").replace("{count}", sentences));
      }
    } else if (expected) {
      const answer = [...document.querySelectorAll("#rawi-messages .rw-assistant")].at(-1);
      if (answer) announce(said(answer.querySelector(".rw-text")), answer.lang);
      expected = false;
    }
  };

  // ------------------------------------------------------------ a citation's card

  const card = document.createElement("div");
  card.id = "rawi-card";
  card.popover = "manual";
  card.setAttribute("role", "tooltip");
  let cited = null; // the mark whose card is shown
  let leaving = 0;
  const placeCard = () => {
    const at = cited.getBoundingClientRect();
    const { width, height } = card.getBoundingClientRect();
    const begins = root.dir === "rtl" ? at.right - width : at.left;
    const below = at.bottom + 6;
    const fits = below + height <= innerHeight;
    card.style.left = `${Math.max(8, Math.min(begins, innerWidth - width - 8))}px`;
    card.style.top = `${fits ? below : Math.max(8, at.top - height - 6)}px`;
  };
  const stay = () => {
    clearTimeout(leaving);
    leaving = 0;
  };
  const hideCard = () => {
    stay();
    if (!cited) return;
    cited.removeAttribute("aria-describedby");
    cited = null;
    if (card.isConnected) card.hidePopover();
  };
  const showCard = (mark) => {
    stay();
    if (mark === cited) return;
    hideCard();
    const turn = mark.closest(".rw-turn");
    const made = turn && turn.querySelector(`template[data-card="${mark.dataset.citation}"]`);
    if (!made || !card.showPopover) return;
    cited = mark;
    card.replaceChildren(made.content.cloneNode(true));
    document.querySelector(".gradio-container").append(card);
    card.showPopover();
    placeCard();
    mark.setAttribute("aria-describedby", card.id);
  };
  // A finger opens the article at once. A pointer that rests, and over which the page moves, asks
  // for nothing; it may go over to the card, to read it or copy.
  document.addEventListener("pointermove", ({ pointerType, target }) => {
    if (pointerType === "touch") return;
    const mark = target.closest(".rw-citation");
    if (mark) showCard(mark);
    else if (cited && card.contains(target)) stay();
    else if (cited && document.activeElement !== cited) leaving ||= setTimeout(hideCard, 200);
  });
  document.addEventListener("focusin", ({ target }) => {
    if (target.matches(".rw-citation:focus-visible")) showCard(target);
    else hideCard();
  });
  document.addEventListener("focusout", hideCard);
  document.addEventListener("click", (event) => card.contains(event.target) || hideCard());
  const keepCard = () => cited && (cited.isConnected ? placeCard() : hideCard());
  addEventListener("scroll", keepCard, { capture: true, passive: true });
  addEventListener("resize", keepCard);

  // ------------------------------------------------------------ translations

  const translated = new Map(); // as long as the page is open
  const putTranslations = () => {
    for (const slot of document.querySelectorAll("[data-slot]")) {
      const found = translated.get(slot.dataset.slot);
      if (found && !slot.contains(found)) putInto(slot, found);
    }
  };
  const putInto = (slot, found) => {
    const within = slot.contains(document.activeElement);
    slot.replaceChildren(found);
    if (within) slot.focus({ preventScroll: true });
  };
  const translation = (element) => {
    const sent = element.querySelector("[data-for]");
    if (!sent) return;
    const found = sent.cloneNode(true);
    const is = ({ dataset }) => dataset.slot === found.dataset.for;
    const slot = [...document.querySelectorAll("[data-slot]")].find(is);
    if (!found.querySelector("button, .rw-pulse")) translated.set(found.dataset.for, found);
    if (!slot) return;
    putInto(slot, found);
    label();
    announce(said(found));
  };

  // ------------------------------------------------------------ changes and clicks

  let opener = null; // what had opened the article, to go back to
  const backToOpener = () => {
    if (!opener || !opener.isConnected) return;
    opener.focus();
    hideCard(); // nobody asked for it
  };
  let held = false; // whether an entry of the browser's history stands for the open article

  const opened = (mark, element) => {
    root.classList.add("rw-reading");
    // A frame's history is also its site's, which is not ours to move in.
    if (!held && window.top === window) {
      const address = root.dataset.view === "ask" ? "" : "#ask";
      history.pushState({ rawi: "source" }, "", address || location.href);
      held = true;
    }
    if (root.dataset.view !== "ask") setView("ask"); // it is there that articles are read
    (mark || element.querySelector("button")).focus({ preventScroll: true });
    if (mark) mark.scrollIntoView({ block: "center" });
  };
  const closed = () => {
    root.classList.remove("rw-reading");
    const busy = document.querySelector(".rw-busy") !== null;
    const here = held && history.state && history.state.rawi; // and no tab since
    if (here && busy) history.replaceState(null, "");
    else if (here) history.back();
    held = false;
    backToOpener();
  };
  addEventListener("popstate", (event) => {
    const back = held && !(event.state && event.state.rawi);
    followAddress();
    const close = document.querySelector('#rawi-source [data-act="close"]');
    if (back) {
      held = false;
      if (close) close.click();
    }
    if (!close) backToOpener();
  });

  // ------------------------------------------------------------ what others have changed

  const refreshers = [];
  let refreshed = 0;
  const refresh = () => {
    if (Date.now() - refreshed < 1_000) return;
    refreshed = Date.now();
    for (const again of refreshers) again();
  };
  const pages = new BroadcastChannel("rawi-documents"); // of this browser
  pages.addEventListener("message", refresh);
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "visible") refresh();
  });

  const changed = (element) => {
    label();
    const file = element.querySelector("[data-file]");
    if (file) save(file.dataset);
    const mark = element.querySelector("mark, .rw-here");
    if (element.querySelector(".rw-source")) opened(mark, element);
    else if (element.closest("#rawi-source")) closed();
    if (element.closest("#rawi-translation")) translation(element);
    if (element.closest("#rawi-messages")) putTranslations();
    if (element.closest("#rawi-messages")) follow();
    if (element.closest("#rawi-scope, #rawi-picker")) choosing(element);
    const forget = element.querySelector('[data-act="forget"]');
    if (forget) setTimeout(() => forget.isConnected && forget.click(), 20_000);
    if (element.closest("#rawi-job-state") && element.querySelector(".rw-good")) {
      refresh();
      pages.postMessage("indexed");
    }
  };

  // Where the last question stands at the top, unless all that follows it fits.
  const resting = (list) => {
    const most = list.scrollHeight - list.clientHeight;
    const asked = [...list.querySelectorAll(".rw-turn-user")].at(-1);
    // Before anything is asked: at the top, unless what was typed can't be.
    if (!asked) return list.querySelector("#rawi-live .rw-problem") ? most : 0;
    const { top, height } = asked.getBoundingClientRect();
    const begins = top - list.getBoundingClientRect().top + list.scrollTop;
    const long = Math.max(0, height - list.clientHeight / 3);
    return Math.max(0, Math.min(most, begins + long - 12));
  };

  const follow = () => {
    const list = document.querySelector("#rawi-messages");
    const asked = [...list.querySelectorAll(".rw-user")].at(-1);
    if (asked && asked.dataset.id !== list.dataset.asked) {
      list.dataset.asked = asked.dataset.id;
      list.dataset.away = "no";
    }
    const busy = document.querySelector(".rw-busy") !== null;
    for (const id of ["rawi-conversations", "rawi-scope", "rawi-picker"]) {
      const part = document.getElementById(id);
      if (part) part.inert = busy; // an answer on its way belongs to the open conversation
    }
    hear();
    if (list.dataset.away !== "yes") list.scrollTop = resting(list);
  };

  // Which documents are asked: a button, and below it, while it is expanded, the list.
  let returns = false; // whether what had the focus there is gone by a click
  const choosing = (element) => {
    const list = document.querySelector("#rawi-picker fieldset");
    const chip = document.querySelector("#rawi-scope .rw-chip");
    if (chip) {
      chip.setAttribute("aria-expanded", list !== null);
      chip.dataset.act = list ? "unchoose" : "choose";
    }
    if (list && element.contains(list)) list.querySelector("input").focus();
    if (list) limit(list);
    if (!list && chip && returns) chip.focus();
    if (!list) returns = false;
  };
  const limit = (list) => {
    const full = list.querySelectorAll(":checked").length >= Number(list.dataset.most);
    for (const box of list.querySelectorAll("[type=checkbox]")) box.disabled = full && !box.checked;
  };
  const folded = (text) =>
    text.normalize("NFKD").replace(/[\p{M}ـ]/gu, "").replace(/ى/g, "ي").replace(/ة/g, "ه").toLowerCase();
  document.addEventListener("input", ({ target }) => {
    if (!target.matches("#rawi-picker [type=search]")) return;
    const list = target.closest("fieldset");
    const wanted = folded(target.value).trim().split(/\s+/);
    let found = 0;
    for (const row of list.querySelectorAll("li")) {
      const text = folded(row.textContent);
      row.hidden = !wanted.every((word) => text.includes(word));
      found += !row.hidden;
    }
    list.querySelector("[role=status] > span").hidden = found > 0;
  });

  const acts = (element, trigger, names) => {
    const known = new Set(names);
    if (known.has("refresh")) refreshers.push(() => trigger("refresh", {}));
    element.addEventListener("click", (event) => {
      const found = event.target.closest("[data-act]");
      if (!found || !known.has(found.dataset.act)) return;
      if (/^(cite|open)$/.test(found.dataset.act)) opener = found;
      if (found.dataset.act === "edit") document.querySelector("#rawi-question textarea").focus();
      const turn = found.closest(".rw-turn");
      const message = turn ? turn.querySelector(".rw-message").dataset.id : "";
      returns = /^(all|close)$/.test(found.dataset.act) && !element.closest("#rawi-source");
      const carried = { ...found.dataset, message };
      if (found.type === "checkbox") {
        const ticked = [...element.querySelectorAll("input:checked")];
        carried.docs = ticked.map(({ dataset }) => ({ doc: dataset.doc }));
        limit(found.closest("fieldset"));
      }
      trigger(found.dataset.act, carried);
    });
  };

  const MOST_FILES = 500; // that are sent at once
  const uploads = (element, trigger, [sendFiles, reindex, again]) => {
    refreshers.push(() => trigger(again, {}));
    const refused = { ar: phrase("not-taken", "ar"), en: phrase("not-taken", "en") };
    const sendOne = async ({ path, file }) => {
      const url = `documents/upload?name=${encodeURIComponent(path)}`;
      try {
        let reply = await fetch(url, { method: "POST", body: file });
        for (let tries = 0; reply.status === 429 && tries < 3; tries += 1) {
          const seconds = Math.min(60, Number(reply.headers.get("Retry-After")) || 1);
          await new Promise((done) => setTimeout(done, seconds * 1_000));
          reply = await fetch(url, { method: "POST", body: file });
        }
        const { ar = "", en = "" } = await reply.json();
        return reply.ok || en ? { ar, en } : refused;
      } catch {
        return refused;
      }
    };
    // All files below what was dropped, each with its path; hidden ones are no documents.
    const within = async (entry, found) => {
      if (entry.name.startsWith(".") || found.length > MOST_FILES) return;
      if (entry.isFile) {
        const file = await new Promise((done) => entry.file(done, () => done(null)));
        if (file) found.push({ path: entry.fullPath.slice(1), file });
        return;
      }
      const reader = entry.createReader();
      const more = () => new Promise((done) => reader.readEntries(done, () => done([])));
      for (let some = await more(); some.length; some = await more()) {
        for (const each of some) await within(each, found);
      }
    };
    const dropped = async (items) => {
      const found = [];
      // They are gone once the event is over, so all are taken before the first is waited for.
      const given = [...items].map((item) => item.webkitGetAsEntry() || item.getAsFile());
      for (const entry of given) {
        if (entry instanceof File) found.push({ path: entry.name, file: entry });
        else if (entry) await within(entry, found);
      }
      return found;
    };
    const send = async (files) => {
      const sent = [];
      const line = document.createElement("p");
      line.className = "rw-quiet";
      line.setAttribute("role", "status");
      element.querySelector(".rw-drop").append(line);
      for (const file of files.slice(0, MOST_FILES)) {
        line.textContent = phrase("sending")
          .replace("{done}", sent.length).replace("{total}", files.length);
        sent.push({ name: file.path, ...(await sendOne(file)) });
      }
      line.remove();
      if (files.length > MOST_FILES) {
        sent.push({ name: "", ar: phrase("many-files", "ar"), en: phrase("many-files", "en") });
      }
      if (sent.length) trigger(sendFiles, { files: sent });
    };
    element.addEventListener("change", async (event) => {
      if (event.target.type !== "file") return;
      await send([...event.target.files].map((file) => ({ path: file.name, file })));
      event.target.value = "";
    });
    const over = (on) => (event) => {
      event.preventDefault();
      element.classList.toggle("rw-over", on);
      if (event.type === "drop") dropped(event.dataTransfer.items).then(send);
    };
    element.addEventListener("dragover", over(true));
    element.addEventListener("dragleave", over(false));
    element.addEventListener("drop", over(false));
    element.addEventListener("click", (event) => {
      if (event.target.closest('[data-act="reindex"]')) trigger(reindex, {});
    });
  };

  const save = ({ file, kind, content }) => {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([content], { type: kind }));
    link.download = file;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
  };

  const copy = async (text) => {
    if (navigator.clipboard) return navigator.clipboard.writeText(text);
    // Over plain http from another machine there is no clipboard but by the old way.
    const box = document.createElement("textarea");
    box.value = text;
    document.body.append(box);
    box.select();
    document.execCommand("copy");
    box.remove();
  };

  const local = {
    language: () => {
      setLanguage(root.lang === "ar" ? "en" : "ar");
      remember("language", root.lang);
    },
    theme: () => {
      setTheme(root.dataset.theme === "dark" ? "light" : "dark");
      remember("theme", root.dataset.theme);
    },
    fold: () => root.classList.toggle("rw-evidence-open"),
    side: () => root.classList.toggle("rw-side-open"),
    unchoose: () => document.querySelector('#rawi-picker [data-act="close"]')?.click(),
    clear: () => document.querySelector('#rawi-conversations [data-act="delete"]')?.click(),
    keep: (button) => {
      const details = button.closest("details");
      details.open = false;
      details.querySelector("summary").focus();
    },
    copy: async (button) => {
      await copy(button.dataset.text);
      announce(phrase("copied"));
      button.classList.add("rw-copied");
      setTimeout(() => button.classList.remove("rw-copied"), 2_000);
    },
  };

  document.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    const side = root.classList.contains("rw-side-open");
    if (side && !event.target.closest("#rawi-side, [data-act=side]")) {
      root.classList.remove("rw-side-open");
    }
    if (!button) return;
    if (button.matches(".rw-tab, .rw-goto")) {
      const view = button.dataset.view || button.dataset.goto;
      if (view !== root.dataset.view) history.pushState(null, "", `#${view}`);
      setView(view);
      refresh();
    }
    if (button.matches(".rw-conversation")) root.classList.remove("rw-side-open");
    const act = local[button.dataset.local || button.dataset.act];
    if (act) act(button);
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    if (cited) {
      event.preventDefault();
      hideCard();
      return;
    }
    const close =
      document.querySelector('#rawi-picker [data-act="close"]') ||
      document.querySelector('#rawi-source [data-act="close"]');
    // One thing at a time; a frame around us asks whether there was any.
    if (close || root.classList.contains("rw-side-open")) event.preventDefault();
    root.classList.remove("rw-side-open");
    if (close) close.click();
  });
  document.addEventListener("input", (event) => {
    if (event.target.matches("#rawi-question textarea")) label();
  });

  // ------------------------------------------------------------ connection

  const banner = document.createElement("div");
  banner.className = "rw-banner rw-connection";
  banner.setAttribute("role", "status");
  let answers;
  const watchConnection = async () => {
    let up = true;
    try {
      const reply = await fetch("healthz", { cache: "no-store" });
      up = reply.status < 500;
      // Somebody, or another process, emptied the folder or indexed it again.
      const { ready } = await reply.json().catch(() => ({}));
      if (answers !== undefined && ready !== answers) refresh();
      answers = ready;
    } catch {
      up = false;
    }
    const was = root.classList.contains("rw-offline");
    root.classList.toggle("rw-offline", !up);
    banner.textContent = up ? (was ? phrase("online") : "") : phrase("offline");
    // The stream of an answer doesn't outlive its connection; its question does, to be asked again.
    const waits = document.querySelector(".rw-busy, .rw-translate .rw-pulse");
    if (up && was && waits) location.reload();
    setTimeout(watchConnection, up ? 5_000 : 2_000);
  };

  // Gradio tells nobody that a call was refused, as when too many came from here.
  const notice = document.createElement("div");
  notice.className = "rw-banner rw-notice";
  notice.setAttribute("role", "alert");
  const fetched = window.fetch.bind(window);
  window.fetch = async (...given) => {
    const reply = await fetched(...given);
    if (!reply.ok && /\/gradio_api\/(queue\/join|run\/)/.test(reply.url)) {
      notice.textContent = phrase(reply.status === 429 ? "many" : "not-taken");
    }
    return reply;
  };
  for (const done of ["click", "input"]) {
    document.addEventListener(done, () => (notice.textContent = ""), { capture: true });
  }

  const begin = () => {
    region = document.createElement("div");
    region.className = "rw-hidden";
    region.setAttribute("role", "status");
    document.body.append(region, banner, notice);
    // Gradio renders later than this, and again at will.
    const ready = setInterval(() => {
      const list = document.querySelector("#rawi-messages");
      if (!list || !document.querySelector("#rawi-question textarea")) return;
      clearInterval(ready);
      followAddress();
      const box = document.querySelector("#rawi-question textarea");
      // A phone would open its keyboard over the page, and a frame is another page's.
      const typing = matchMedia("(hover: hover) and (pointer: fine)").matches;
      const free = document.activeElement === document.body && window.top === window;
      if (typing && free && root.dataset.view === "ask") box.focus({ preventScroll: true });
      list.tabIndex = 0;
      list.setAttribute("role", "log");
      list.setAttribute("aria-live", "off"); // what is news is announced once it is whole
      list.addEventListener("scroll", () => {
        list.dataset.away = Math.abs(list.scrollTop - resting(list)) > 120 ? "yes" : "no";
      });
      setTimeout(watchConnection, 5_000);
    }, 50);
  };
  // Gradio puts the page's head in place when its own script runs, which may be after that event.
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", begin);
  else begin();

  return { acts, changed, uploads };
})();
