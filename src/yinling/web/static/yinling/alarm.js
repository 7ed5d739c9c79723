// Warnings: a short tone at once when one more waits, and every ten seconds while one does, once the person has touched the page (browsers allow no sound before).
"use strict";
(() => {
  const AGAIN_MS = 10000;
  let sound = null, known = 0, last = 0;
  for (const touch of ["pointerdown", "keydown"]) addEventListener(touch, () => { sound ??= new AudioContext(); }, { once: true });
  setInterval(() => {
    const waiting = Number(document.querySelector("[data-alarm]")?.dataset.alarm || 0);
    const isDue = waiting > known || (waiting && Date.now() - last >= AGAIN_MS);
    if (sound || !waiting) known = waiting;
    if (!sound || !isDue) return;
    last = Date.now();
    const tone = sound.createOscillator();
    const loudness = sound.createGain();
    loudness.gain.value = 0.08;
    tone.frequency.value = 880;
    tone.connect(loudness).connect(sound.destination);
    tone.start();
    tone.stop(sound.currentTime + 0.25);
  }, 500);
})();
