// Keys: one registry. Elements register themselves by data-key; "?" lists what is registered.
"use strict";
(() => {
  const list = document.getElementById("keys-list");
  if (!list) return;
  const words = list.dataset.words.split("|");
  const off = document.getElementById("keys-off");
  off.checked = localStorage.getItem("keys-off") === "1";
  off.addEventListener("change", () => localStorage.setItem("keys-off", off.checked ? "1" : ""));
  const registry = new Map();
  let prefix = "";
  let row = -1;
  const add = (key, label, act) => registry.set(key, { label, act });
  const rows = () => Array.from(document.querySelectorAll("[data-row]"));
  function move(step) {
    const all = rows();
    if (!all.length) return;
    const here = all.findIndex((line) => line.getAttribute("aria-selected") === "true");
    row = Math.min(Math.max((here < 0 ? (step > 0 ? -1 : 0) : here) + step, 0), all.length - 1);
    all.forEach((line, place) => { if (place === row) line.setAttribute("aria-selected", "true"); else line.removeAttribute("aria-selected"); });
    all[row].scrollIntoView({ block: "nearest" });
    chosen = all[row].id;
  }
  let chosen = "";
  // A morph wipes what the client set: set the chosen row again.
  document.body.addEventListener("htmx:afterSettle", () => { const line = chosen && document.getElementById(chosen); if (line && line.hasAttribute("data-row")) line.setAttribute("aria-selected", "true"); });
  function open() {
    const line = document.querySelector("[data-row][aria-selected=true]");
    const link = line && line.querySelector("a[href]");
    if (link) link.click();
  }
  // X ticks the chosen row, Shift+X and Shift+click all rows from the last one ticked.
  const boxOf = (line) => line.querySelector("input[type=checkbox]:not(:disabled)");
  let last = null;
  function tick(line, range) {
    const [all, box] = [rows(), boxOf(line)];
    const on = range || !box || !box.checked;
    const [one, other] = [all.indexOf(range && last && last.isConnected ? last : line), all.indexOf(line)].sort((a, b) => a - b);
    all.slice(one, other + 1).map(boxOf).forEach((each) => { if (each && each.checked !== on) each.click(); });
    last = line;
  }
  document.addEventListener("click", (event) => {
    const line = event.isTrusted && event.target.matches("input[type=checkbox]") && event.target.closest("[data-row]");
    if (line && event.shiftKey && event.target.checked) tick(line, true); else if (line) last = line;
  });
  function show() {
    collect();
    list.replaceChildren();
    for (const [key, entry] of registry) {
      const term = document.createElement("dt");
      const sign = document.createElement("kbd");
      sign.textContent = key.toUpperCase();
      term.append(sign);
      const text = document.createElement("dd");
      text.textContent = entry.label;
      list.append(term, text);
    }
    document.getElementById("keys").showModal();
  }
  function collect() {
    registry.clear();
    add("?", words[0], show);
    if (rows().length) { add("j", words[2], () => move(1)); add("k", words[3], () => move(-1)); add("Enter", words[4], open); }
    if (rows().some(boxOf)) add("x", words[9], (event) => { const line = document.querySelector("[data-row][aria-selected=true]"); if (line) tick(line, event.shiftKey); });
    if (document.querySelector(".new-rows")) add("r", words[5], () => document.querySelector(".new-rows").click());
    for (const one of document.querySelectorAll("[data-key]")) {
      const key = one.dataset.key;
      const label = (key[0] === "g" && key[1] === " " ? words[8] + " " : "") + (one.dataset.keyLabel || one.getAttribute("aria-label") || one.placeholder || one.textContent).trim().replace(/\s+/g, " ");
      add(key, label, () => { if (one.matches("input, select, textarea")) one.focus(); else if (one.matches("details")) { one.open = true; const field = one.querySelector("input:not([type=hidden]), select, textarea"); if (field) field.focus(); } else one.click(); });
    }
  }
  const typing = (target) => target.matches && target.matches("input:not([type=checkbox]):not([type=radio]), textarea, select, [contenteditable]");
  document.addEventListener("keydown", (event) => {
    if (event.isComposing || event.keyCode === 229) return;
    if (event.key === "Escape" && typing(event.target)) { event.target.blur(); return; }
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const isFunction = /^F\d+$/.test(event.key);
    if (!isFunction && (off.checked || typing(event.target))) return;
    if (document.querySelector("dialog[open]")) return;
    if (event.key === "Enter" && event.target.matches("a, button, summary, input")) return;
    collect();
    const key = prefix + (event.key.length === 1 ? event.key.toLowerCase() : event.key);
    prefix = "";
    const entry = registry.get(key);
    if (entry) { event.preventDefault(); entry.act(event); return; }
    if (key === "g") { prefix = "g "; setTimeout(() => { prefix = ""; }, 1500); }
  });
  document.addEventListener("click", (event) => { if (event.target.closest("[data-keys-help]")) show(); });
})();
