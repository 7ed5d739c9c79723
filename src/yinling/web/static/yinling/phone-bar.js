// The slim bar of the soft-phone on console pages: what its window tells, its keys, and the ring for a page without a stream.
"use strict";
(() => {
  const body = document.body, bar = document.getElementById("phone-bar"), channel = new BroadcastChannel("yinling-phone");
  const words = JSON.parse(bar.dataset.words), part = (name) => bar.querySelector(`[data-part=${name}]`);
  const KEYS = { answer: "F2", hang: "F4", hold: "F9" }, SILENT_MS = 12000;
  let state = null, heard = 0, popped = 0;
  function paint() {
    const at = state ? state.phase : "";
    const seconds = state && state.began ? Math.floor((Date.now() - state.began) / 1000) : 0;
    bar.className = `phone-bar ${at}`;
    part("light").className = `dot ${state && state.on ? "on" : state && state.signed ? "off" : ""}`;
    part("light").textContent = !state ? words.closed : state.on ? words.on : state.signed ? words.off : words.out;
    part("phase").textContent = at ? `${words[at]}${seconds ? ` ${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}` : ""}` : "";
    part("wrong").textContent = state ? state.wrong : localStorage.getItem("phone") ? words.lost : "";
    part("open").hidden = !!state;
    const who = part("who");
    who.hidden = !at || !state.id;
    if (!who.hidden) { who.textContent = state.who ? `${state.who} ${state.number}` : words.unknown; who.href = `/calls/${state.id}/`; }
    for (const [name, isShown] of [["answer", at === "ringing"], ["hang", !!at], ["hold", at === "talking" || at === "held"]]) {
      const button = part(name);
      button.hidden = !isShown;
      if (isShown) button.dataset.key = KEYS[name]; else delete button.dataset.key;
    }
    part("hold").setAttribute("aria-pressed", at === "held");
  }
  channel.onmessage = ({ data }) => {
    if (data.gone) state = null;
    if (data.state) {
      // Parts of this page that show calls ask again, also where there is no stream.
      if (state && ["phase", "known", "signed"].some((name) => state[name] !== data.state[name])) for (const topic of ["calls", "seats"]) body.dispatchEvent(new CustomEvent(`live:${topic}`));
      state = data.state;
      heard = Date.now();
    }
    paint();
    // The caller's page opens as it does when the stream tells of a ring (ring.js).
    if (state && state.phase === "ringing" && +state.id && +state.id !== popped) { popped = +state.id; body.dispatchEvent(new CustomEvent("live:ring", { detail: { id: popped } })); }
  };
  bar.addEventListener("click", ({ target }) => {
    const button = target.closest("[data-part]");
    if (!button) return;
    if (button.dataset.part in KEYS) channel.postMessage({ press: button.dataset.part });
    if (button.dataset.part === "open") { localStorage.setItem("phone", "1"); name = "yinling-console"; open("/phone/", "yinling-phone", "popup,width=420,height=720"); }
  });
  setInterval(() => {
    channel.postMessage({ ask: true });
    if (Date.now() - heard > SILENT_MS) state = null;
    paint();
  }, 1000);
  channel.postMessage({ ask: true });
  paint();
})();
