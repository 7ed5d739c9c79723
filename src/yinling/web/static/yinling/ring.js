// A call rings at one's seat: the caller's page opens by itself, unless something typed would be lost; then a bar leads there.
"use strict";
(() => {
  const script = document.currentScript || document.querySelector("script[data-ring]");
  const words = script.dataset.ring, RINGS_MS = 20000;
  const isTyped = () => Array.from(document.querySelectorAll("main form[method=post] :is(textarea, input:not([type=hidden], [type=checkbox], [type=radio]))")).some((one) => one.value.trim() && one.value !== one.defaultValue);
  let waiting = 0, since = 0;
  function open() {
    const address = `/calls/${waiting}/`;
    if (!waiting || location.pathname === address || Date.now() - since > RINGS_MS || document.visibilityState !== "visible") return;
    if (!isTyped()) { location.assign(address); return; }
    document.getElementById("ring")?.remove();
    const bar = document.createElement("p"), link = document.createElement("a");
    bar.id = "ring"; bar.className = "problem"; bar.setAttribute("role", "alert");
    link.href = address; link.className = "button primary"; link.textContent = words;
    if (!document.getElementById("phone-bar")) link.dataset.key = "F2";
    bar.append(link);
    document.getElementById("main").prepend(bar);
    setTimeout(() => bar.remove(), since + RINGS_MS - Date.now()); // it rings no more: the phone's bar leads to a call that goes on
  }
  document.body.addEventListener("live:ring", ({ detail }) => { if (detail.id && !(detail.id === waiting && Date.now() - since < 3000)) { waiting = detail.id; since = Date.now(); open(); } });
  document.addEventListener("visibilitychange", open);
})();
