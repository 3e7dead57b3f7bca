// Single-key shortcuts. They move and open; sending stays with the person and the form.
//   data-shortcut="g i" on a link (follows it), on a field, fold, form or button of the same page (opens and focuses it)
//   data-form-key and data-form in the list of keys: the form that a key opens on the page of a row
//   data-rows on the list, data-row on a row, data-open on the row's link
(() => {
  "use strict";

  const $ = (selector, root = document) => root.querySelector(selector);
  const SEQUENCE_MS = 1200;
  let begun = "";
  let begunAt = 0;

  function on() {
    try {
      return localStorage.getItem("lotus.shortcuts") !== "off";
    } catch {
      return true;
    }
  }

  function inField(target) {
    return target.isContentEditable || target.matches("input:not([type=checkbox]):not([type=radio]), textarea, select");
  }

  // ---- rows
  const rows = () => [...document.querySelectorAll("[data-rows] [data-row]")];
  const currentRow = () => document.activeElement.closest("[data-row]") || $("[data-row][data-current]");

  function move(step) {
    const all = rows();
    if (!all.length) return;
    const place = all.indexOf(currentRow());
    const next = all[place < 0 ? 0 : Math.min(Math.max(place + step, 0), all.length - 1)];
    all.forEach((row) => row.removeAttribute("data-current"));
    next.setAttribute("data-current", "");
    const link = $("[data-open]", next) || next;
    link.focus({ preventScroll: true });
    next.scrollIntoView({ block: "nearest" });
  }

  function openRow() {
    const row = currentRow();
    const link = row && $("[data-open]", row);
    if (link) link.click();
    return Boolean(link);
  }

  function selectRow() {
    const box = currentRow() && $("input[type=checkbox]", currentRow());
    if (!box) return;
    box.checked = !box.checked;
    box.dispatchEvent(new Event("change", { bubbles: true }));
  }

  // ---- targets
  function find(keys) {
    const selector = `[data-shortcut="${CSS.escape(keys)}"]`;
    const row = currentRow();
    return (row && $(selector, row)) || $(selector);
  }

  function unfold(element) {
    for (let fold = element.closest("details"); fold; fold = fold.parentElement.closest("details")) fold.open = true;
  }

  function reach(target) {
    unfold(target);
    if (target.matches("a[href]")) {
      target.click();
      return;
    }
    if (target.matches("input[type=radio]")) {
      target.checked = true;
      target.dispatchEvent(new Event("change", { bubbles: true }));
    }
    const field = target.matches("details, form, fieldset, div, section")
      ? $("input:not([type=hidden]), textarea, select", target) || $("button, summary", target) : target;
    (field || target).focus();
    target.scrollIntoView({ block: "nearest" });
  }

  // On a row without a form, the key opens the row's page with that form expanded: the list of keys says which.
  function openForm(keys) {
    const form = $(`[data-form-key="${CSS.escape(keys)}"]`)?.dataset.form;
    const link = form && currentRow() && $("[data-open]", currentRow());
    if (!link) return false;
    const address = new URL(link.href);
    address.searchParams.set("do", form);
    location.assign(address);
    return true;
  }

  function act(keys) {
    // A page without navigation has neither the list of keys nor the search.
    if (keys === "?") $("#keyboard")?.showModal();
    else if (keys === "/") $("#search")?.focus();
    else if (keys === "j") move(1);
    else if (keys === "k") move(-1);
    else if (keys === "x") selectRow();
    else {
      const target = find(keys);
      if (!target) return openForm(keys);
      reach(target);
    }
    return true;
  }

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || event.defaultPrevented) return;
    if (!on() || inField(event.target) || $("dialog[open]")) return;
    if (event.key === "Enter") {
      if (document.activeElement === document.body && openRow()) event.preventDefault();
      return;
    }
    if (event.key.length !== 1) return;
    const fresh = begun && Date.now() - begunAt < SEQUENCE_MS;
    const keys = fresh ? `${begun} ${event.key}` : event.key;
    begun = "";
    if (!fresh && event.key === "g") {
      begun = "g";
      begunAt = Date.now();
      return;
    }
    if (act(keys)) event.preventDefault();
  });

  document.addEventListener("change", (event) => {
    if (!event.target.matches("[data-shortcuts-on]")) return;
    try {
      localStorage.setItem("lotus.shortcuts", event.target.checked ? "on" : "off");
    } catch { /* it then holds for this page only */ }
  });

  const box = $("[data-shortcuts-on]");
  if (box) box.checked = on();
})();
