// Drafts of assessment forms on the device: kept at every tap, sent when there is a network, wiped at log-out by the server's answer.
"use strict";
window.drafts = (() => {
  const USER = document.body.dataset.user.split("-")[0], EVERY_MS = 30000, WRONG = [400, 404, 409, 422];
  const opened = new Promise((done, fail) => {
    const asked = indexedDB.open("yinling", 1);
    asked.onupgradeneeded = () => asked.result.createObjectStore("drafts", { keyPath: "name" });
    asked.onsuccess = () => done(asked.result);
    asked.onerror = () => fail(asked.error);
  });
  const name = (id) => `${USER}/${id}`;
  const token = () => (/csrftoken=([^;]+)/.exec(document.cookie) || [])[1] || JSON.parse(document.body.getAttribute("hx-headers"))["X-CSRFToken"];
  const newKey = () => Array.from(crypto.getRandomValues(new Uint8Array(16)), (one) => one.toString(16).padStart(2, "0")).join("");
  async function work(mode, act) {
    const db = await opened;
    return new Promise((done, fail) => {
      const step = db.transaction("drafts", mode, { durability: "strict" }), asked = act(step.objectStore("drafts"));
      step.oncomplete = () => done(asked.result);
      step.onabort = step.onerror = () => fail(step.error);
    });
  }
  const get = (id) => work("readonly", (store) => store.get(name(id)));
  const all = async () => (await work("readonly", (store) => store.getAll())).filter((one) => one.user === USER);
  async function count() { localStorage.setItem("unsent", (await all()).filter((one) => one.dirty || one.queued).length); }
  // One step of the store, so that a tap and an answer that arrive together both stay.
  async function change(id, how) {
    await work("readwrite", (store) => {
      const asked = store.get(name(id));
      asked.onsuccess = () => { const next = how(asked.result); if (next) store.put({ ...next, user: USER, name: name(id) }); };
      return asked;
    });
    await count();
  }
  const put = (draft) => change(draft.id, (now) => ({ ...draft, version: Math.max(draft.version, now?.version || 0) }));
  async function drop(id) { await work("readwrite", (store) => store.delete(name(id))); await count(); }
  function post(path, body, key) {
    const headers = { "Content-Type": "application/json", "X-CSRFToken": token(), "Idempotency-Key": key };
    return fetch(path, { method: "POST", headers, body: JSON.stringify(body) });
  }
  const tell = (what, draft, problem) => document.dispatchEvent(new CustomEvent("draft", { detail: { what, draft, problem } }));
  async function send(draft) {
    const { queued, rev } = draft, body = { request_id: draft.id, ...(queued || { answers: draft.answers, facts: draft.facts, seen: draft.version }) };
    let answer;
    try { answer = await post(queued ? draft.submit : draft.save, body, queued ? draft.key : `${draft.key}-${rev}`); } catch { return tell("offline", draft); }
    const told = await answer.json().catch(() => ({})), isWrong = WRONG.includes(answer.status);
    if (answer.ok && queued) { await drop(draft.id); return tell("submitted", draft); }
    let after = draft;
    if (answer.ok || isWrong) {
      await change(draft.id, (now) => {
        const news = answer.ok ? { version: told.version, dirty: now?.rev !== rev } : { queued: null, key: newKey(), stuck: told.code };
        return now && (after = { ...now, ...news });
      });
    }
    tell(answer.ok ? "saved" : "refused", after, { status: answer.status, ...told });
  }
  let busy = false;
  async function flush() {
    if (busy || !navigator.onLine) return;
    busy = true;
    try { for (const draft of await all()) if (draft.queued || (draft.dirty && !draft.stuck)) await send(draft); } finally { busy = false; }
  }
  if (localStorage.getItem("owner") !== USER) { window.caches?.delete("yinling"); localStorage.setItem("owner", USER); }
  navigator.serviceWorker?.register("/sw.js", { scope: "/m/" });
  addEventListener("online", flush);
  setInterval(flush, EVERY_MS);
  addEventListener("load", flush);
  return { get, all, put, drop, post, flush, newKey };
})();
