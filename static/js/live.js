// What a swap must not lose, and areas that refresh themselves: [data-live], with [data-row] rows, [data-changed] and
// [data-stale] marks. Loaded before app.js, so that what was chosen is back when that looks at it.
(() => {
  "use strict";

  const $ = (selector, root = document) => root.querySelector(selector);
  const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];

  // ---- what a swap must not lose: the focus, the selected rows, the opened folds
  const FIELD = "input:not([type=checkbox]):not([type=radio]), textarea, select";
  const before = new Map();

  function path(element) {
    if (!element || element === document.body) return null;
    if (element.id) return `#${CSS.escape(element.id)}`;
    for (const [attribute, value] of [["data-key", element.dataset.key], ["data-copy", element.dataset.copy],
      ["href", element.getAttribute("href")]]) {
      if (value) return `${element.localName}[${attribute}="${CSS.escape(value)}"]`;
    }
    if (!element.name) return null;
    const value = /checkbox|radio|submit/.test(element.type) && element.hasAttribute("value") ? `[value="${CSS.escape(element.value)}"]` : "";
    return `${element.localName}[name="${CSS.escape(element.name)}"]${value}`;
  }

  // Where the focus was in a list before the button that shows its changes was pressed.
  const focused = new Map();

  function place(target, active) {
    return active.matches("[data-show-changes]") ? focused.get(target.id) || { row: 0 } : focusIn(target, active);
  }

  function focusIn(target, active) {
    const row = active.closest("[data-row]");
    return { focus: path(active), row: row ? $$("[data-row]", target).indexOf(row) : -1, link: row && path($("[data-open]", row)) };
  }

  function remember(target) {
    const active = document.activeElement;
    before.set(target.id, {
      ...(target.contains(active) ? place(target, active) : {}),
      hadFocus: target.contains(active),
      checked: target.closest("[data-live]") ? $$("input[type=checkbox]:checked", target).map(path).filter(Boolean) : [],
      of: target.dataset.of,
      open: $$("details[open][id]", target).map(path),
      scrolled: $$(".table-box", target).map((box) => box.scrollLeft),
    });
  }

  // The same thing, else what is left of its row, else the row that came into its place.
  function landing(was, root) {
    const rows = $$("[data-row]", root);
    const row = rows[Math.min(Math.max(was.row, 0), rows.length - 1)];
    return (was.focus && $(was.focus, root)) || (was.link && $(was.link, root)) || (was.row >= 0 && row && $("[data-open]", row))
      || $("a[href], button, input:not([type=hidden]), [tabindex]", root) || $("#main");
  }

  function recover(fresh) {
    // A refusal may have come in place of what was asked for, under another id.
    const id = before.has(fresh.id) ? fresh.id : [...before.keys()][0];
    const was = before.get(id) || { checked: [], open: [], scrolled: [] };
    before.delete(id);
    const root = (id && document.getElementById(id)) || fresh;
    was.checked.forEach((box) => { const found = $(box, root); if (found) found.checked = true; });
    // What was opened on one record says nothing about the next.
    if (was.of === root.dataset.of) was.open.forEach((fold) => { const found = $(fold, root); if (found) found.open = true; });
    $$(".table-box", root).forEach((box, place) => { box.scrollLeft = was.scrolled[place] || 0; });
    const focus = root.matches("[data-focus]") ? root : $("[data-focus], [autofocus]", root);
    if (focus) focus.focus();
    else if (was.hadFocus && !root.contains(document.activeElement)) landing(was, root).focus();
    if (was.hadFocus && document.activeElement === document.body) $("#main").focus();
  }

  function busyWriting(area) {
    const active = document.activeElement;
    return document.hidden || (area.contains(active) && active.matches(FIELD)) || $("dialog[open]", area) !== null;
  }

  // ---- a list under the pointer or with the focus does not move: it announces that it changed and offers a button
  const rowKeys = (root) => $$("[data-row]", root)
    .map((row) => row.dataset.key || ($("[data-open]", row) || row).getAttribute("href")).join("\n");

  function wouldMove(area, text) {
    if (area.dataset.asked || !(area.matches(":hover") || area.contains(document.activeElement))) return false;
    const fresh = new DOMParser().parseFromString(text, "text/html").getElementById(area.id);
    return fresh !== null && rowKeys(fresh) !== rowKeys(area);
  }

  function tellChanged(area) {
    const mark = $("[data-changed]", area);
    if (!mark?.hidden) return;
    mark.hidden = false;
    window.lotus.announce(mark.textContent.trim());
  }

  function showChanges(area) {
    area.dataset.asked = "now";
    htmx.trigger(area, "lotus:refresh");
  }

  // ---- when the server cannot be reached
  function stale(area, is) {
    $$(`[data-stale]`, area.parentElement || document).forEach((mark) => { mark.hidden = !is; });
  }

  document.addEventListener("htmx:beforeRequest", (event) => {
    const area = event.target.closest("[data-live]");
    if (area && area === event.detail.elt && busyWriting(area)) event.preventDefault();
  });
  document.addEventListener("htmx:beforeSwap", (event) => {
    const area = event.detail.requestConfig?.elt;
    const failed = event.detail.xhr.status >= 400;
    if (area?.matches("[data-live]")) {
      stale(area, failed);
      if (failed) event.detail.shouldSwap = false;
      else if (wouldMove(area, event.detail.serverResponse)) {
        event.detail.shouldSwap = false;
        tellChanged(area);
      }
    }
    if (event.detail.shouldSwap) remember(event.detail.target);
  });
  document.addEventListener("htmx:afterSettle", (event) => recover(event.target));
  ["htmx:sendError", "htmx:timeout"].forEach((name) => document.addEventListener(name, (event) => {
    const area = event.detail.requestConfig?.elt;
    if (area?.matches("[data-live]")) stale(area, true);
  }));
  document.addEventListener("focusin", (event) => {
    const area = event.target.closest("[data-row]") && event.target.closest("[data-live]");
    if (area) focused.set(area.id, focusIn(area, event.target));
  });
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-show-changes]");
    if (button) showChanges(button.closest("[data-live]"));
  });
})();
