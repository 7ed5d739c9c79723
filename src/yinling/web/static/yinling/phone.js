// The soft-phone: one registration and one call at most, in a window of its own. Console pages hear and press over the channel.
"use strict";
(() => {
  const box = document.getElementById("phone"), now = document.getElementById("now"), byId = (id) => document.getElementById(id);
  const words = JSON.parse(box.dataset.words), channel = new BroadcastChannel("yinling-phone");
  const QUIET_MS = 4000, LOSS = 0.05, AGAIN_S = 120, STEP_MS = 1000;
  const token = JSON.parse(document.body.getAttribute("hx-headers"))["X-CSRFToken"];
  let ua, session, mic, ears, sound, ringing, ice = [], ends = 0, known = 0, problem = "", faults = {}, rtt = null, heard = {}, dialled = 0, isTwice = false, starting = false;
  const last = {}, due = (what, seconds) => Date.now() - (last[what] || 0) >= seconds * 1000 - 50 && (last[what] = Date.now());
  const phase = () => (!session ? "" : !session.isEstablished() ? (session.direction === "incoming" ? "ringing" : "dialling") : session.isOnHold().local ? "held" : "talking");
  const domain = () => ua.configuration.uri.host;
  const isOn = () => !!ua && ua.isRegistered();
  const call = () => { const row = byId("call"); return row ? row.dataset : {}; };
  const isSignedIn = () => !!byId("seat") && byId("seat").dataset.state !== "off";

  // What the window shows, and what it tells the pages
  function paint() {
    const at = phase(), wrong = problem || (isSignedIn() && ua && !isOn() && words.lost) || Object.values(faults).find(Boolean) || "";
    byId("light").className = `dot ${isOn() ? "on" : ua ? "off" : ""}`;
    byId("light").textContent = isOn() ? words.on : ua ? words.off : words.none;
    byId("rtt").textContent = rtt === null || !isOn() ? "—" : `${rtt} ms`;
    byId("bar").textContent = wrong;
    byId("bar").hidden = !wrong;
    byId("phase").textContent = session && session.began ? `${words[at]} ${time(Date.now() - session.began)}` : at ? words[at] : "";
    box.dataset.phase = at;
    byId("answer").disabled = at !== "ringing";
    byId("hang").disabled = !at;
    byId("hold").disabled = byId("mute").disabled = at !== "talking" && at !== "held";
    byId("hold").setAttribute("aria-pressed", at === "held");
    byId("mute").setAttribute("aria-pressed", isMute());
    byId("unlock").hidden = !sound || sound.state === "running";
    document.title = at === "ringing" ? words.ringing : words.title;
  }
  const time = (ms) => new Date(ms).toISOString().slice(ms < 36e5 ? 14 : 11, 19);
  const isMute = () => !!mic && !mic.getAudioTracks()[0].enabled;
  function tell() {
    paint();
    if (isTwice) return;
    const { id, who, number } = call();
    channel.postMessage({ state: { on: isOn(), phase: phase(), id: id || (session && session.row), known, who, number, began: session && session.began, mute: isMute(), wrong: byId("bar").textContent, signed: isSignedIn() } });
  }
  const ask = () => htmx.trigger(now, "ask");

  // Microphone, sound and ring
  async function listen() {
    if (!navigator.mediaDevices) return words.insecure;
    try { mic = await navigator.mediaDevices.getUserMedia({ audio: { echoCancellation: true, noiseSuppression: true, autoGainControl: true } }); }
    catch (error) { return { NotAllowedError: words.refused, NotFoundError: words.absent }[error.name] || words.busy; }
    mic.getAudioTracks()[0].onended = () => { problem = words.absent; stop(); };
    sound = sound || new AudioContext();
    ears = sound.createAnalyser();
    sound.createMediaStreamSource(mic).connect(ears);
    sound.onstatechange = paint;
    return "";
  }
  function meter() {
    if (!ears) return;
    const wave = new Float32Array(ears.fftSize);
    ears.getFloatTimeDomainData(wave);
    const loud = 20 * Math.log10(Math.hypot(...wave) / Math.sqrt(wave.length) + 1e-6);
    byId("level").value = Math.max(0, Math.min(100, (loud + 60) * 2));
  }
  function tone() {
    if (!sound) return;
    const one = sound.createOscillator(), loudness = sound.createGain();
    one.frequency.value = 450;
    loudness.gain.value = 0.15;
    one.connect(loudness).connect(sound.destination);
    one.start();
    one.stop(sound.currentTime + 1);
  }
  function ring(isRinging) {
    clearInterval(ringing);
    if (isRinging) { tone(); ringing = setInterval(tone, 3000); }
  }

  // The line
  async function credentials() {
    const answer = await fetch("/phone/credentials/", { headers: { Accept: "application/json" } });
    if (answer.redirected) throw new Error(words.login);
    const told = await answer.json();
    if (!answer.ok) throw new Error(told.detail);
    ends = Date.now() + Date.parse(told.expires) - Date.parse(told.now);
    ice = told.ice || [];
    return told;
  }
  async function start() {
    if (ua || starting || isTwice || !isSignedIn() || typeof JsSIP === "undefined") return;
    starting = true;
    problem = mic ? "" : await listen();
    byId("retry").hidden = !problem;
    try {
      if (!problem) {
        const own = await credentials();
        ua = new JsSIP.UA({
          sockets: [new JsSIP.WebSocketInterface(own.ws_url)], uri: own.uri, authorization_user: own.username, password: own.password,
          register_expires: 300, session_timers: false, connection_recovery_min_interval: 1, connection_recovery_max_interval: 8,
        });
        for (const name of ["registered", "unregistered", "registrationFailed", "disconnected"]) ua.on(name, tell);
        ua.on("registrationFailed", ({ response }) => { if (response) { ends = 0; setTimeout(renew, 5 * STEP_MS); } });
        ua.on("newRTCSession", ({ session: one, request }) => take(one, request));
        ua.start();
      }
    } catch (error) { problem = error.message; byId("retry").hidden = false; }
    starting = false;
    tell();
  }
  function stop() {
    if (session) return;
    if (ua) ua.stop();
    ua = null;
    rtt = null;
    tell();
  }
  async function renew() {
    if (!ua) return;
    try {
      if (Date.now() > ends - 3e5) {
        const own = await credentials();
        ua.set("authorization_user", own.username);
        ua.set("password", own.password);
      }
      if (ua.isConnected()) ua.register();
    } catch (error) { if (!isOn()) { problem = error.message; tell(); } }
  }
  function probe() {
    const sent = performance.now(), done = () => { rtt = Math.round(performance.now() - sent); };
    ua.sendOptions(`sip:${domain()}`, "", { eventHandlers: { succeeded: done, failed: ({ response }) => { if (response) done(); } } });
  }

  // One call
  function take(one, request) {
    if (session || !mic) { one.terminate({ status_code: 486 }); return; }
    session = one;
    heard = {};
    known = 0;
    const far = byId("far");
    const wire = (link) => link.addEventListener("track", ({ streams }) => { far.srcObject = streams[0]; });
    if (one.connection) wire(one.connection); else one.on("peerconnection", ({ peerconnection }) => wire(peerconnection));
    if (ice.length) one.on("icecandidate", ({ ready }) => setTimeout(ready, 100));
    one.on("accepted", () => { one.began = Date.now(); ring(false); tell(); ask(); setTimeout(ask, STEP_MS); });
    one.on("hold", tell);
    one.on("unhold", tell);
    for (const name of ["ended", "failed"]) {
      one.on(name, () => {
        session = null;
        faults = {};
        ring(false);
        far.srcObject = null;
        if (isMute()) press.mute();
        tell();
        ask();
        if (!isSignedIn()) stop();
      });
    }
    one.row = +request.getHeader("X-Call-Id") || 0;
    ring(one.direction === "incoming");
    tell();
    ask();
  }
  async function watch() {
    if (phase() !== "talking" || !session.connection) { faults = {}; return; }
    const stats = [...(await session.connection.getStats()).values()];
    const flow = stats.find((one) => one.type === "inbound-rtp"), pair = stats.find((one) => one.type === "candidate-pair" && one.nominated);
    if (pair && pair.currentRoundTripTime !== undefined) rtt = Math.round(1000 * pair.currentRoundTripTime);
    if (!flow) return;
    const came = flow.packetsReceived - (heard.came || 0), lost = flow.packetsLost - (heard.lost || 0);
    const quiet = came > 0 || !heard.quiet ? Date.now() : heard.quiet, share = lost / (came + lost || 1);
    faults = { quiet: Date.now() - quiet >= QUIET_MS && words.silent, loss: heard.came && share >= LOSS && words.loss.replace("{n}", Math.round(100 * share)) };
    heard = { came: flow.packetsReceived, lost: flow.packetsLost, quiet };
    byId("loss").textContent = `${Math.round(1000 * share) / 10} %`;
    paint();
  }
  async function write(verb, body) {
    const { id } = call();
    if (!id) return;
    const headers = { "Content-Type": "application/json", "X-CSRFToken": token, "Idempotency-Key": `phone-${id}-${Date.now()}` };
    const answer = await fetch(`/api/v1/calls/${id}/${verb}`, { method: "POST", headers, body: body && JSON.stringify(body) }).catch(() => null);
    const told = answer && !answer.ok ? (await answer.json()).detail : answer ? "" : words.unsaved;
    if (told) document.body.dispatchEvent(new CustomEvent("toast", { detail: { value: told } }));
    ask();
  }
  const press = {
    answer() { if (phase() === "ringing") session.answer({ mediaStream: mic, pcConfig: { iceServers: ice } }); },
    hang() { if (session) session.terminate(phase() === "ringing" ? { status_code: 480 } : {}); },
    hold() {
      if (phase() === "talking") session.hold({}, () => write("hold"));
      else if (phase() === "held") session.unhold({}, () => write("resume"));
    },
    mute() { if (mic) { mic.getAudioTracks()[0].enabled = isMute(); tell(); } },
    retry() { problem = ""; start(); },
    unlock() { sound.resume(); },
  };
  // The platform says which call is ours: one that it has ended or passed on ends here too.
  function settle() {
    const { id, phase: at } = call();
    if (session && known && session.isEstablished() && id !== known) session.terminate();
    known = at === "talking" ? id : 0;
    if (at === "dialling" && isOn() && !session && id !== dialled) { dialled = id; ua.call(`sip:${id}@${domain()}`, { mediaStream: mic, pcConfig: { iceServers: ice } }); }
    if (!isSignedIn()) stop(); else if (!ua && !problem) start();
    tell();
  }

  document.addEventListener("click", ({ target }) => {
    const button = target.closest("[data-press]"), to = target.closest("[data-to]");
    if (sound && sound.state !== "running") sound.resume();
    if (button) press[button.dataset.press]();
    if (to) write("transfer", { to_seat_id: +to.dataset.to });
  });
  document.addEventListener("keydown", (event) => {
    const button = document.querySelector(`[data-key="${event.key}"]`);
    if (!button || event.ctrlKey || event.altKey || event.metaKey) return;
    event.preventDefault();
    if (!button.disabled) button.click();
  });
  document.body.addEventListener("htmx:afterSettle", settle);
  channel.onmessage = ({ data }) => {
    if (data.press in press) press[data.press]();
    if (data.ask) tell();
    if (data.state && !ua && !mic) { isTwice = true; problem = words.twice; paint(); }
  };
  addEventListener("beforeunload", (event) => { if (session) event.preventDefault(); });
  addEventListener("pagehide", () => { isTwice = true; channel.postMessage({ gone: true }); if (ua && !session) ua.stop(); });
  addEventListener("online", () => renew());
  setInterval(meter, 100);
  setInterval(() => {
    if (due("watch", 2)) watch();
    if (isOn() && !session && due("probe", 15)) probe();
    if (due("renew", AGAIN_S)) renew();
    paint();
  }, STEP_MS);
  // What somebody has unfolded stays open when its part is drawn anew.
  if (typeof Idiomorph !== "undefined") Idiomorph.defaults.callbacks.beforeAttributeUpdated = (name, node) => !(name === "open" && node.localName === "details");
  // A form that is sent before htmx is there would lead this window to another page.
  document.addEventListener("DOMContentLoaded", () => { now.hidden = false; });
  // Another window with the phone answers at once: then this one stays silent.
  channel.postMessage({ ask: true });
  setTimeout(start, 300);
  paint();
})();
