// What a page gains when scripts run. Everything here only helps: each page works without it, and the server decides.
(() => {
  "use strict";

  const $ = (selector, root = document) => root.querySelector(selector);
  const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];

  // Storage may be full or disabled; nothing depends on what it would hold.
  function stored(area, key, value) {
    try {
      if (value === undefined) return area.getItem(key);
      if (value === null) area.removeItem(key);
      else area.setItem(key, value);
    } catch { /* see above */ }
    return null;
  }

  function announce(text) {
    const live = $("#live");
    if (!live || !text) return;
    live.textContent = "";
    setTimeout(() => { live.textContent = text; }, 50);
  }

  // ---- theme: data-theme-set="system|light|dark"
  function showTheme() {
    const theme = document.documentElement.dataset.theme || "system";
    $$("[data-theme-set]").forEach((button) => button.setAttribute("aria-pressed", String(button.dataset.themeSet === theme)));
  }

  function setTheme(theme) {
    if (theme === "system") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = theme;
    stored(localStorage, "lotus.theme", theme === "system" ? null : theme);
    showTheme();
  }

  // ---- ids: data-copy="text"
  // Without TLS the clipboard is closed to scripts; the old command still works there.
  function copyBySelection(text) {
    const field = document.createElement("textarea");
    field.value = text;
    document.body.append(field);
    field.select();
    const done = document.execCommand("copy");
    field.remove();
    return done;
  }

  async function copy(button) {
    const text = button.dataset.copy;
    const done = navigator.clipboard
      ? await navigator.clipboard.writeText(text).then(() => true, () => false) : copyBySelection(text);
    button.focus();
    announce(done ? "Copied" : "This browser did not allow copying");
    if (!done) return;
    button.dataset.copied = "";
    setTimeout(() => delete button.dataset.copied, 1500);
  }

  // ---- times: <time datetime data-relative="ago|due">; the same sum as when() in filters.py
  function span(seconds) {
    if (seconds < 120 * 60) return `${Math.floor(seconds / 60)}\u00a0min`;
    if (seconds < 48 * 3600) return `${Math.floor(seconds / 3600)}\u00a0h`;
    return `${Math.floor(seconds / 86400).toLocaleString("en-US")}\u00a0d`;
  }

  function relative(seconds, due) {
    if (Math.abs(seconds) < 60) return due ? "due now" : "just now";
    const words = span(Math.abs(seconds));
    if (due) return seconds > 0 ? `due in ${words}` : `${words} late`;
    return seconds > 0 ? `in ${words}` : `${words} ago`;
  }

  function refreshTimes() {
    $$("time[data-relative]").forEach((time) => {
      const seconds = Math.trunc((Date.parse(time.dateTime) - Date.now()) / 1000);
      if (Number.isNaN(seconds)) return;
      const text = relative(seconds, time.dataset.relative === "due");
      if (time.textContent !== text) time.textContent = text;
      const clock = time.closest("[data-due]");
      if (!clock) return;
      const tone = seconds < 0 ? "late" : seconds <= Number(clock.dataset.soonMinutes) * 60 ? "soon" : "calm";
      ["late", "soon", "calm"].forEach((name) => clock.classList.toggle(`due--${name}`, name === tone));
    });
  }

  // ---- drafts: data-draft="key" keeps half-typed text in this tab until a page says data-draft-clear="key"
  const draftKey = (name) => `lotus.draft.${name}`;

  // Where it is seen, and with the caret behind it.
  function bringBack(field, text) {
    field.value = text;
    field.setSelectionRange(text.length, text.length);
    const fold = field.closest("details");
    if (fold && !$(`details[name="${CSS.escape(fold.getAttribute("name") || "")}"][open]`)) fold.open = true;
  }

  function restoreDrafts(root) {
    $$("[data-draft-clear]", root).forEach((mark) => stored(sessionStorage, draftKey(mark.dataset.draftClear), null));
    $$("[data-draft]", root).forEach((field) => {
      const text = stored(sessionStorage, draftKey(field.dataset.draft));
      if (text && !field.value) bringBack(field, text);
    });
  }

  function dropAllDrafts() {
    try {
      Object.keys(sessionStorage).filter((key) => key.startsWith(draftKey(""))).forEach((key) => sessionStorage.removeItem(key));
    } catch { /* nothing stored, nothing to remove */ }
  }

  // ---- bulk selection: [data-bulk="name of the boxes"] shows itself and [data-bulk-count] while any box is checked
  function showSelection() {
    $$("[data-bulk]").forEach((bar) => {
      const boxes = $$(`input[type=checkbox][name="${CSS.escape(bar.dataset.bulk)}"]`);
      const chosen = boxes.filter((box) => box.checked).length;
      bar.classList.toggle("bulk--on", chosen > 0);
      $$("[data-bulk-count]", bar).forEach((count) => { count.textContent = String(chosen); });
      $$(`[data-select-all="${CSS.escape(bar.dataset.bulk)}"]`).forEach((all) => {
        all.checked = chosen > 0 && chosen === boxes.length;
        all.indeterminate = chosen > 0 && chosen < boxes.length;
      });
    });
  }

  // ---- refusals by the network or the server
  let troubleTimer = 0;
  function trouble(text) {
    const box = $("#trouble");
    box.textContent = text;
    box.hidden = false;
    clearTimeout(troubleTimer);
    troubleTimer = setTimeout(() => { box.hidden = true; }, 8000);
  }

  // ---- one press, one request
  function release(form) {
    form.removeAttribute("aria-busy");
  }

  function onSubmit(event) {
    const form = event.target;
    if (form.method !== "post" || event.defaultPrevented) return;
    if (form.getAttribute("aria-busy") === "true") {
      event.preventDefault();
      event.stopImmediatePropagation();
      return;
    }
    if (form.matches("[data-sign-out]")) dropAllDrafts();
    form.setAttribute("aria-busy", "true");
    setTimeout(() => release(form), 10000);
  }

  function onClick(event) {
    const button = event.target.closest(
      "[data-copy], [data-theme-set], [data-show-keyboard], [aria-disabled=true]");
    if (!button) return;
    if (button.getAttribute("aria-disabled") === "true") event.preventDefault();
    else if (button.dataset.copy !== undefined) copy(button);
    else if (button.dataset.themeSet) setTheme(button.dataset.themeSet);
    else $("#keyboard")?.showModal();
  }

  function onChange(event) {
    const all = event.target.dataset.selectAll;
    if (all) $$(`input[type=checkbox][name="${CSS.escape(all)}"]`).forEach((box) => { box.checked = event.target.checked; });
    if (event.target.type === "checkbox") showSelection();
  }

  function onInput(event) {
    const key = event.target.dataset.draft;
    if (key) stored(sessionStorage, draftKey(key), event.target.value || null);
  }

  // ---- wide drawings start with what they are about in view: [data-centred] inside a box that scrolls sideways
  function centre(root) {
    $$("[data-centred]", root).forEach((mark) => {
      const box = mark.closest(".graph");
      const [outer, inner] = [box.getBoundingClientRect(), mark.getBoundingClientRect()];
      box.scrollLeft += inner.left + inner.width / 2 - (outer.left + outer.width / 2);
    });
  }

  function arrive(root) {
    centre(root);
    restoreDrafts(root);
    refreshTimes();
    showSelection();
  }

  document.addEventListener("submit", onSubmit, true);
  document.addEventListener("click", onClick);
  document.addEventListener("change", onChange);
  document.addEventListener("input", onInput);
  window.addEventListener("pageshow", () => $$("form[aria-busy]").forEach(release));

  document.addEventListener("htmx:afterSettle", (event) => {
    arrive(event.target);
    const marks = event.target.matches("[data-announce]") ? [event.target] : $$("[data-announce]", event.target);
    announce(marks.map((mark) => mark.dataset.announce || mark.textContent.trim()).join(" "));
  });
  document.addEventListener("htmx:afterRequest", (event) => {
    const form = event.detail.elt.closest("form");
    if (!form) return;
    release(form);
    if (event.detail.successful) $$("[data-draft]", form).forEach((field) => stored(sessionStorage, draftKey(field.dataset.draft), null));
  });
  ["htmx:sendError", "htmx:timeout"].forEach((name) => document.addEventListener(name, (event) => {
    const area = event.detail.requestConfig?.elt;
    if (!area?.matches("[data-live]")) trouble("The server cannot be reached. Nothing was sent; what you wrote is still here.");
  }));

  function start() {
    showTheme();
    arrive(document);
    const first = $("[data-focus]");
    if (first) first.focus();
    const said = $$("[data-announce]").map((mark) => mark.dataset.announce || mark.textContent.trim()).join(" ");
    announce(said);
    setInterval(refreshTimes, 20000);
  }

  window.lotus = { announce, trouble };
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
  else start();
})();
