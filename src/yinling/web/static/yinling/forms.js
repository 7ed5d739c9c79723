// Forms and messages: toasts, failures that keep what was typed, Ctrl+Enter, position of the device.
"use strict";
(() => {
  const SHOWN_MS = 3000;
  function toast(text, place) {
    const area = document.getElementById(place || "toasts");
    const line = document.createElement("p");
    line.className = "toast";
    line.textContent = text;
    area.hidden = false;
    area.append(line);
    setTimeout(() => line.remove(), place ? 3 * SHOWN_MS : SHOWN_MS);
  }
  document.querySelectorAll("#toasts .toast").forEach((line) => setTimeout(() => line.remove(), SHOWN_MS));
  document.body.addEventListener("toast", (event) => toast(event.detail.value));
  for (const name of ["htmx:sendError", "htmx:responseError", "htmx:timeout"]) {
    document.body.addEventListener(name, () => toast(document.getElementById("trouble").dataset.text, "trouble"));
  }
  // After a refusal the first wrong field, else the sentence, gets the focus.
  document.body.addEventListener("htmx:afterSettle", (event) => {
    const form = event.detail.elt.closest ? event.detail.elt : null;
    if (!form || !form.matches("form.action")) return;
    const wrong = form.querySelector("[aria-invalid=true]:not([type=hidden])") || form.querySelector(".problem");
    if (wrong) { if (wrong.matches(".problem")) wrong.tabIndex = -1; wrong.focus(); }
  });
  // Drafts kept on a tablet are wiped at log-out: not before the person knows.
  document.addEventListener("submit", (event) => {
    if (event.target.getAttribute("action") !== "/logout/" || !+localStorage.getItem("unsent")) return;
    if (!confirm(document.getElementById("unsent").dataset.text)) event.preventDefault();
  });
  // Without htmx (plain post) a double click still sends once.
  document.addEventListener("submit", (event) => {
    const button = event.target.querySelector("button[type=submit]");
    if (event.target.hasAttribute("hx-post") || event.target.method !== "post" || !button || button.name) return;
    setTimeout(() => { button.disabled = true; }, 0);
  });
  window.addEventListener("pageshow", () => document.querySelectorAll("form button:disabled").forEach((button) => { button.disabled = false; }));
  document.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && event.target.form) event.target.form.requestSubmit();
  });
  document.addEventListener("click", (event) => {
    document.querySelectorAll("details.menu[open]").forEach((menu) => { if (!menu.contains(event.target)) menu.open = false; });
  });
  // Demo log-ins: a button fills the form.
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-fill]");
    if (!button) return;
    const form = document.querySelector("form[action='/login/']");
    form.elements.username.value = button.dataset.fill;
    form.elements.password.value = button.dataset.fillPassword;
    form.requestSubmit();
  });
  // Fields named lon, lat, accuracy_m that wait for a position are filled when the form is used.
  function locate(form) {
    const set = (name, value) => { const field = form.elements[name]; if (field) field.value = value; };
    navigator.geolocation.getCurrentPosition(
      (found) => { set("lon", found.coords.longitude); set("lat", found.coords.latitude); set("accuracy_m", Math.round(found.coords.accuracy)); form.dispatchEvent(new Event("located")); },
      () => form.dispatchEvent(new Event("unlocated")), { enableHighAccuracy: true, timeout: 10000, maximumAge: 30000 });
  }
  if ("geolocation" in navigator) {
    const waiting = new Set(Array.from(document.querySelectorAll("[data-position]"), (field) => field.form));
    waiting.forEach(locate);
  }
})();
