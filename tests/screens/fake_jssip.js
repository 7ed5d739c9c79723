// Stands in for JsSIP in tests: `line.ring(id)` lets a call come in, and nothing leaves the browser.
(() => {
  class Heard {
    constructor() { this.heard = {}; }
    on(name, act) { (this.heard[name] ||= []).push(act); }
    emit(name, event = {}) { (this.heard[name] || []).forEach((act) => act(event)); }
  }
  class Session extends Heard {
    constructor(direction) { super(); this.direction = direction; this.done = []; this.flow = { packetsReceived: 0, packetsLost: 0 }; }
    isEstablished() { return !!this.connection; }
    isOnHold() { return { local: !!this.isHeld }; }
    getStats() { return new Map([[1, { type: "inbound-rtp", ...this.flow }], [2, { type: "candidate-pair", nominated: true, currentRoundTripTime: 0.021 }]]); }
    answer(how) {
      this.done.push("answer");
      this.sound = how.mediaStream;
      this.connection = { getStats: async () => { this.flow.packetsReceived += this.step ?? 100; this.flow.packetsLost += this.loss || 0; return this.getStats(); }, addEventListener() {} };
      this.emit("accepted");
    }
    hold(_how, done) { this.isHeld = true; this.emit("hold"); done(); }
    unhold(_how, done) { this.isHeld = false; this.emit("unhold"); done(); }
    terminate(how) { this.done.push(`end ${(how && how.status_code) || ""}`.trim()); this.connection = null; this.emit("ended"); }
  }
  class UA extends Heard {
    constructor(configuration) { super(); this.given = configuration; this.configuration = { uri: { host: "line.test" } }; this.calls = []; window.line = this; }
    start() { setTimeout(() => { this.is = true; this.emit("registered"); }, 20); }
    stop() { this.is = false; this.emit("unregistered"); }
    isRegistered() { return !!this.is; }
    isConnected() { return true; }
    register() {}
    set() {}
    sendOptions(_to, _body, { eventHandlers }) { setTimeout(eventHandlers.succeeded, 20); }
    lose() { this.is = false; this.emit("disconnected"); }
    find() { this.is = true; this.emit("registered"); }
    ring(id) { this.session = new Session("incoming"); this.emit("newRTCSession", { session: this.session, request: { getHeader: () => `${id}` } }); }
    call(to) { this.calls.push(to); this.session = new Session("outgoing"); this.emit("newRTCSession", { session: this.session, request: { getHeader: () => undefined } }); }
  }
  window.JsSIP = { UA, WebSocketInterface: class { constructor(url) { this.url = url; } } };
})();
