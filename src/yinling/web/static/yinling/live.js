// Live parts: the worker's notices become events "live:<topic>" on body; the first at once, then one per 500 ms, the last never lost.
"use strict";
(() => {
  const QUIET_MS = 500;
  const LATE_MS = 5000;
  const OFF_MS = 30000;
  const timers = new Map();
  const ask = document.currentScript || document.querySelector("script[data-worker]");
  const dot = document.getElementById("dot");
  const bell = document.getElementById("bell");
  let isOn = false;
  let since = Date.now();
  function fire(topic, detail) {
    const entry = timers.get(topic);
    if (entry) { entry.again = detail; return; }
    document.body.dispatchEvent(new CustomEvent("live:" + topic, { detail }));
    timers.set(topic, { again: null });
    setTimeout(() => { const last = timers.get(topic).again; timers.delete(topic); if (last) fire(topic, last); }, QUIET_MS);
  }
  function fireAll() {
    const topics = new Set();
    document.querySelectorAll("[hx-trigger*='live:']").forEach((part) => part.getAttribute("hx-trigger").replace(/live:([a-z_]+)/g, (_, topic) => topics.add(topic)));
    topics.forEach((topic) => fire(topic, {}));
  }
  function paint() {
    if (!dot) return;
    const late = Date.now() - since;
    dot.className = "dot " + (isOn ? "on" : late > OFF_MS ? "off" : late > LATE_MS ? "late" : "");
    dot.title = isOn ? dot.dataset.on : "";
    dot.textContent = !isOn && late > LATE_MS ? dot.dataset.off + " " + new Date(since).toLocaleTimeString() : "";
  }
  function hear(message) {
    if (message.kind === "topic") fire(message.topic, { id: message.id });
    if (message.kind === "all") fireAll();
    if (message.kind === "state") { isOn = message.isOn; since = message.since; paint(); }
    if (message.kind === "unread" && bell) { bell.hidden = !message.count; bell.textContent = message.count > 99 ? "99+" : message.count; }
  }
  const user = document.body.dataset.user;
  if (!user) return;
  setInterval(paint, 5000);
  if (typeof SharedWorker === "undefined") { setInterval(fireAll, OFF_MS); return; }
  const worker = new SharedWorker(ask.dataset.worker);
  worker.port.onmessage = (event) => hear(event.data);
  const join = () => worker.port.postMessage({ address: document.body.dataset.stream, user });
  join();
  window.addEventListener("pagehide", () => worker.port.postMessage({ leave: true }));
  window.addEventListener("pageshow", (event) => { if (event.persisted) join(); });
})();
