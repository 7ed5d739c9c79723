// One stream per browser for all its pages (HTTP/1.1 allows six connections). Polls when the stream is down.
"use strict";
const ports = new Set();
let source = null;
let address = "";
let user = "";
let count = 0;
let isOn = false;
let since = Date.now();
const tell = (message) => ports.forEach((port) => port.postMessage(message));
const state = () => ({ kind: "state", isOn, since });
function turn(on) {
  if (isOn !== on) { isOn = on; since = Date.now(); }
  tell(state());
}
async function unread() {
  try {
    const answer = await fetch("/notices/count/", { credentials: "same-origin", headers: { Accept: "application/json" }, redirect: "error" });
    if (answer.ok) { count = (await answer.json()).unread; tell({ kind: "unread", count }); }
  } catch { /* the next round asks again */ }
}
function connect() {
  if (source) source.close();
  source = new EventSource(address, { withCredentials: true });
  source.onopen = () => { const again = !isOn; turn(true); if (again) tell({ kind: "all" }); };
  source.onmessage = (event) => {
    const notice = JSON.parse(event.data);
    if (notice.topic === "all") { tell({ kind: "all" }); return; }
    tell({ kind: "topic", topic: notice.topic, id: notice.id });
    if (notice.topic === "notices") unread();
  };
  source.onerror = () => { turn(false); if (source.readyState === 2) setTimeout(connect, 10000); };
}
setInterval(() => { if (!isOn && ports.size) { tell({ kind: "all" }); unread(); } }, 30000);
onconnect = (event) => {
  const port = event.ports[0];
  port.onmessage = (message) => {
    if (message.data.leave) { ports.delete(port); return; }
    ports.add(port);
    port.postMessage(state());
    if (message.data.address !== address || message.data.user !== user) { address = message.data.address; user = message.data.user; count = 0; if (address) connect(); unread(); }
    else port.postMessage({ kind: "unread", count });
  };
};
