// Warnings: a short tone every ten seconds while one waits, once the person has touched the page (browsers allow no sound before).
"use strict";
(() => {
  let sound = null;
  addEventListener("pointerdown", () => { sound ??= new AudioContext(); }, { once: true });
  setInterval(() => {
    if (!sound || !document.querySelector("[data-alarm]")) return;
    const tone = sound.createOscillator();
    const loudness = sound.createGain();
    loudness.gain.value = 0.08;
    tone.frequency.value = 880;
    tone.connect(loudness).connect(sound.destination);
    tone.start();
    tone.stop(sound.currentTime + 0.25);
  }, 10000);
})();
