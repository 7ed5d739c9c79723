// The desk: how long each call has been ringing, red after ten seconds.
"use strict";
(() => {
  const RED_S = 10;
  const began = new WeakMap();
  setInterval(() => {
    for (const line of document.querySelectorAll("[data-waited]")) {
      if (!began.has(line)) began.set(line, Date.now() - 1000 * Number(line.dataset.waited));
      const waited = Math.max(0, Math.floor((Date.now() - began.get(line)) / 1000));
      line.textContent = line.dataset.words.replace("{n}", waited);
      line.classList.toggle("over", waited >= RED_S);
    }
  }, 1000);
})();
