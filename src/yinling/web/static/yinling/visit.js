// At the door: the phone's own clock travels along, the state of the position is said, and what was typed is kept on the phone.
"use strict";
(() => {
  const says = document.getElementById("position");
  const form = () => document.querySelector("[data-visit] form");
  const tell = (text) => { if (says) says.textContent = text; };
  document.addEventListener("located", () => tell(says.dataset.found.replace("{n}", form().elements.accuracy_m.value)), true);
  document.addEventListener("unlocated", () => tell(says.dataset.lost), true);
  if (says && !("geolocation" in navigator)) tell(says.dataset.lost);
  document.body.addEventListener("htmx:configRequest", (event) => {
    if (event.target.closest("[data-visit]")) event.detail.parameters.set("device_at", new Date().toISOString());
  });
  const box = document.querySelector("[data-draft]");
  if (!box) return;
  const name = box.dataset.draft;
  const typed = () => Array.from(form().elements).filter((field) => field.name && field.type !== "hidden" && field.type !== "submit");
  function keep() {
    localStorage.setItem(name, JSON.stringify(typed().map((field) => [field.name, field.value, field.checked])));
  }
  function restore() {
    const kept = JSON.parse(localStorage.getItem(name) || "[]");
    for (const [key, value, checked] of kept) {
      const field = typed().find((one) => one.name === key && (!/radio|checkbox/.test(one.type) || one.value === value));
      if (!field) continue;
      if (/radio|checkbox/.test(field.type)) field.checked = checked; else field.value = value;
    }
  }
  restore();
  box.addEventListener("input", keep);
  document.body.addEventListener("htmx:afterRequest", (event) => { if (event.target.closest("[data-draft]") && event.detail.xhr.status === 204) localStorage.removeItem(name); });
})();
