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
      if (tip.type === "search") tip.placeholder = tip.title;
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
      if (!expected && isAlone && addressed("a")) history.replaceState(history.state, "", where());
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
    if (!held && isAlone) {
      history.pushState({ rawi: "source" }, "", root.dataset.view === "ask" ? location.href : where());
      held = true;
    }
    if (root.dataset.view !== "ask") setView("ask"); // it is there that articles are read
    (mark || element.querySelector("button")).focus({ preventScroll: true });
    if (mark) mark.scrollIntoView({ block: "center" });
  };
  const closed = () => {
    root.classList.remove("rw-reading");
    setTimeout(settle, 0);
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
    visit();
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

  // ------------------------------------------------------------ the list of conversations

  // As fold() of the server does for what people type: without marks, the shapes of a letter one.
  const folded = (text) =>
    text
      .normalize("NFKD")
      .replace(/[\p{M}\u0640]/gu, "")
      .toLowerCase()
      .replace(/[ٱىیةہەک]/g, (letter) => "اييهههك"["ٱىیةہەک".indexOf(letter)])
      .replace(/[٠-٩۰-۹]/g, (digit) => digit.codePointAt(0) & 15)
      .replace(/\s+/g, " ")
      .trim();
  let sought = "";
  const find = (text) => {
    sought = text;
    const words = folded(text);
    const box = document.querySelector(".rw-find input");
    if (!box) return;
    if (box.value !== text) box.value = text;
    let count = 0;
    for (const row of document.querySelectorAll(".rw-conversations li")) {
      row.hidden = !folded(row.dataset.searched).includes(words);
      if (!row.hidden) count += 1;
    }
    const told = document.querySelector(".rw-find + p");
    told.hidden = !words;
    told.querySelector("bdi").textContent = count;
  };

  // The list is drawn anew with every change; whoever was at one of its buttons still is, and not
  // at the one that has taken its place.
  let focused = null;
  document.addEventListener("focusin", ({ target }) => {
    const row = target.closest("#rawi-conversations li");
    focused = row && {
      id: row.querySelector(".rw-conversation").dataset.id,
      act: target.dataset.act || "name",
    };
  });
  const listed = () => {
    find(sought);
    setTimeout(settle, 0); // once all that came with the list is there too
    if (!focused) return;
    const { id, act } = focused;
    setTimeout(() => {
      const now = document.activeElement;
      if (now !== document.body && !now.closest("#rawi-conversations")) return;
      const row = rowOf(id)?.closest("li");
      (row || document).querySelector(`[data-act="${row ? act : "restore"}"]`)?.focus();
    }, 0);
  };

  // ------------------------------------------------------------ the address

  // "#c=" is followed by the open conversation, "&a=" by which of its answers is meant; a frame's
  // history is also its site's, which is not ours to move in.
  const isAlone = window.top === window;
  let going = null; // the conversation that Back, Forward or a link leads to
  let arrived = false;
  let met = ""; // the address whose answer was shown
  const addressed = (name) => new URLSearchParams(location.hash.slice(1)).get(name) || "";
  const rowOf = (id) =>
    [...document.querySelectorAll(".rw-conversation")].find((row) => row.dataset.id === id);
  const shownId = () => document.querySelector(".rw-conversation[aria-current]")?.dataset.id || "";
  const where = (id = shownId()) => (id ? `#c=${encodeURIComponent(id)}` : "#ask");
  const isBusy = () => document.querySelector(".rw-busy") !== null;

  const meet = () => {
    const number = addressed("a");
    const known = met === location.hash;
    met = number && location.hash;
    if (!number || known) return;
    const list = document.querySelector("#rawi-messages");
    const answer = list.querySelectorAll(".rw-assistant")[number - 1];
    if (!answer) return tell("no-answer");
    list.dataset.away = "yes";
    answer.tabIndex = -1;
    answer.focus({ preventScroll: true });
    answer.scrollIntoView();
  };

  // The address becomes that of what is shown.
  const settle = () => {
    if (!isAlone) return;
    if (!arrived) {
      arrived = true;
      if (addressed("c")) return visit();
    }
    if (going !== null && going !== shownId()) return;
    going = null;
    const read = held && !document.querySelector(".rw-source"); // its article is closed
    const here = read && history.state && history.state.rawi; // and no tab since
    if (read) held = false;
    const from = addressed("c");
    if (root.dataset.view === "ask" && from !== shownId()) {
      // Back leads to no article that is closed, and to no conversation that isn't there.
      history[rowOf(from) && !here ? "pushState" : "replaceState"](null, "", where());
    } else if (here && isBusy()) history.replaceState(null, "");
    else if (here) history.back();
    else meet();
  };

  // What is shown becomes that of the address.
  const visit = () => {
    const wanted = addressed("c");
    if (!isAlone || named() !== "ask" || !(wanted || /^(#ask)?$/.test(location.hash))) return;
    const row = rowOf(wanted);
    if (wanted === shownId()) meet();
    else if (isBusy()) history.pushState(null, "", where()); // an answer is not left
    else if (row) {
      going = wanted;
      row.click();
    } else if (wanted) {
      history.replaceState(null, "", where());
      tell("no-conversation");
    } else document.querySelector('#rawi-conversations [data-act="new"]').click();
  };

  const changed = (element) => {
    label();
    if (element.querySelector(".rw-conversations")) listed();
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
    if (document.querySelector(`#rawi-scope [data-nth="${ticks}"]`)) kept();
  };
  // One change at a time is on its way to be kept: of two, the later might arrive first.
  let ticks = 0;
  let keeping = 0; // the timer after which the next one is sent in any case
  let later = null;
  const kept = () => {
    clearTimeout(keeping);
    keeping = 0;
    const next = later;
    later = null;
    if (next) keep(next);
  };
  const keep = ({ docs, trigger }) => {
    keeping = setTimeout(kept, 5_000);
    ticks += 1;
    trigger("chosen", { docs, nth: String(ticks) });
  };
  const tick = (list, trigger) => {
    limit(list);
    const ticked = [...list.querySelectorAll("input:checked")];
    const docs = ticked.map(({ dataset }) => ({ doc: dataset.doc }));
    if (keeping) later = { docs, trigger };
    else keep({ docs, trigger });
  };
  const limit = (list) => {
    const full = list.querySelectorAll(":checked").length >= Number(list.dataset.most);
    for (const box of list.querySelectorAll("[type=checkbox]")) box.disabled = full && !box.checked;
  };
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
      if (/^(all|new|pick|delete)$/.test(found.dataset.act)) later = null; // of what was open
      if (found.type === "checkbox") tick(found.closest("fieldset"), trigger);
      else trigger(found.dataset.act, { ...found.dataset, message });
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

  const copied = async (text, told) => {
    await copy(text);
    tell(told);
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
    clear: () => {
      const open = document.querySelector("#rawi-conversations li:has([aria-current])");
      open?.querySelector('[data-act="delete"]').click();
    },
    name: (button) => {
      const field = button.closest("li").querySelector(".rw-rename");
      field.hidden = false;
      field.querySelector("input").focus();
      field.querySelector("input").select();
    },
    keep: (button) => {
      const details = button.closest("details");
      details.open = false;
      details.querySelector("summary").focus();
    },
    copy: (button) => copied(button.dataset.text, "copied"),
    link: (button) => {
      const turns = [...document.querySelectorAll("#rawi-messages .rw-turn-assistant")];
      const number = turns.indexOf(button.closest(".rw-turn")) + 1;
      const page = `${location.origin}${location.pathname}`;
      return copied(`${page}${where()}&a=${number}`, "link-copied");
    },
  };

  document.addEventListener("click", (event) => {
    if (event.isTrusted) going = null;
    const button = event.target.closest("button");
    const side = root.classList.contains("rw-side-open");
    if (side && event.isTrusted && !event.target.closest("#rawi-side, [data-act=side]")) {
      root.classList.remove("rw-side-open");
    }
    if (!button) return;
    if (button.matches(".rw-tab, .rw-goto")) {
      const view = button.dataset.view || button.dataset.goto;
      if (view !== root.dataset.view) {
        history.pushState(null, "", view === "ask" && isAlone ? where() : `#${view}`);
      }
      setView(view);
      refresh();
    }
    if (button.matches(".rw-conversation")) root.classList.remove("rw-side-open");
    const act = local[button.dataset.local || button.dataset.act];
    if (act) act(button);
  });
  // What Escape closes or stops, one thing at a time; a frame around us asks whether there was any.
  const dismiss = () => {
    const popover = [...document.querySelectorAll("[popover]")].find((p) => p.matches(":popover-open"));
    const close =
      document.querySelector('#rawi-picker [data-act="close"]') ||
      document.querySelector('#rawi-source [data-act="close"]');
    const field = document.querySelector(".rw-rename:not([hidden])");
    if (cited) hideCard();
    else if (popover) popover.hidePopover();
    else if (close) close.click();
    else if (field) {
      field.hidden = true;
      field.parentElement.querySelector('[data-act="name"]').focus();
    } else if (sought) find("");
    else if (root.classList.contains("rw-side-open")) {
      root.classList.remove("rw-side-open");
      document.querySelector('.rw-header [data-act="side"]').focus();
    } else if (isBusy()) document.querySelector("#rawi-stop").click();
    else return false;
    return true;
  };
  const pressed = {
    Escape: dismiss,
    Enter: ({ target }) => {
      const field = target.closest("input") && target.closest(".rw-rename");
      if (field) field.querySelector("button").click();
      return field;
    },
    "/": ({ target }) => {
      if (target.closest("input, textarea, select") || remembered("slash") === "off") return false;
      document.querySelector('.rw-tab[data-view="ask"]')?.click();
      document.querySelector("#rawi-question textarea").focus();
      return true;
    },
    ArrowUp: ({ target }) => {
      const edits = document.querySelectorAll('.rw-turn-user [data-act="edit"]:not([data-id=""])');
      if (!target.matches("#rawi-question textarea") || target.value || isBusy()) return false;
      [...edits].at(-1)?.click();
      return edits.length > 0;
    },
  };
  pressed["ظ"] = pressed["/"]; // the same key of an Arabic keyboard
  document.addEventListener("keydown", (event) => {
    if (event.isComposing || event.ctrlKey || event.altKey || event.metaKey) return;
    if (pressed[event.key]?.(event)) event.preventDefault();
  });
  document.addEventListener("change", ({ target }) => {
    if (target.matches(".rw-keys input")) remember("slash", target.checked ? "on" : "off");
  });
  document.addEventListener("input", (event) => {
    if (event.target.matches("#rawi-question textarea")) label();
    if (event.target.matches(".rw-find input")) find(event.target.value);
    const field = event.target.closest(".rw-rename");
    if (field) field.querySelector("button").dataset.name = event.target.value;
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
  const tell = (name) => (notice.textContent = phrase(name));
  const notice = document.createElement("div");
  notice.className = "rw-banner rw-notice";
  notice.setAttribute("role", "alert");
  const fetched = window.fetch.bind(window);
  window.fetch = async (...given) => {
    const reply = await fetched(...given);
    if (!reply.ok && /\/gradio_api\/(queue\/join|run\/)/.test(reply.url)) {
      tell(reply.status === 429 ? "many" : "not-taken");
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
      const box = document.querySelector("#rawi-question textarea:enabled");
      if (!list || !box) return;
      clearInterval(ready);
      followAddress();
      // A phone would open its keyboard over the page, and a frame is another page's.
      const typing = matchMedia("(hover: hover) and (pointer: fine)").matches;
      const free = document.activeElement === document.body && window.top === window;
      if (typing && free && root.dataset.view === "ask") box.focus({ preventScroll: true });
      const slash = document.querySelector(".rw-keys input");
      if (slash) slash.checked = remembered("slash") !== "off";
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

  return { acts, changed, dismiss, uploads };
})();
