// An assessment on a tablet: one question a screen, every tap kept on the device, the result only at the end.
"use strict";
(async () => {
  const sheet = document.getElementById("sheet");
  if (!sheet) return;
  const byId = (id) => document.getElementById(id), every = (what) => [...sheet.querySelectorAll(what)];
  const words = JSON.parse(sheet.dataset.words), stored = JSON.parse(sheet.dataset.stored), ends = JSON.parse(sheet.dataset.ends);
  const screens = every(".screen"), asked = every("[data-code]"), form = byId("sheet-form"), end = byId("end");
  const chosen = (box) => box.querySelector("input:checked");
  const say = (text) => { byId("sync").textContent = text; };
  let draft = await drafts.get(stored.id), byHand = false;
  if (!draft || (!draft.dirty && !draft.queued && stored.version > draft.version)) {
    draft = { rev: 0, key: drafts.newKey(), signatures: {}, ...stored };
  }
  Object.assign(draft, { save: sheet.dataset.save, submit: sheet.dataset.submit });

  // What is on the screen, and what is kept
  function answers() {
    const found = {};
    for (const box of asked) {
      const input = chosen(box), values = (found[box.dataset.place] ||= []);
      values[box.dataset.index] = input ? JSON.parse(input.dataset.value) : null;
      if (input?.dataset.key) (found.keys ||= {})[box.dataset.code] = input.dataset.key;
    }
    return found;
  }
  const picked = () => Object.fromEntries(asked.filter(chosen).map((box) => [box.dataset.code, +chosen(box).value]));
  function read() {
    const facts = { events: draft.facts.events || [], notes: byId("note").value };
    every("[data-fact]").forEach((box) => { facts[box.dataset.fact] = box.checked; });
    Object.assign(draft, { answers: answers(), picked: picked(), facts, informant: byId("informant").value, assessed_on: byId("assessed-on").value });
    draft.declared = Object.fromEntries(every("[data-declared]").map((box) => [box.dataset.declared, box.checked]));
  }
  function write() {
    for (const box of asked) box.querySelectorAll("input").forEach((input) => { input.checked = +input.value === draft.picked[box.dataset.code]; });
    every("[data-fact]").forEach((box) => { box.checked = draft.facts[box.dataset.fact] === true; });
    every("[data-declared]").forEach((box) => { box.checked = draft.declared?.[box.dataset.declared] === true; });
    byId("note").value = draft.facts.notes || "";
    byId("informant").value = draft.informant || "";
    byId("assessed-on").value = draft.assessed_on || byId("assessed-on").value;
    listEvents();
    count();
  }
  let later;
  async function keep() {
    read();
    Object.assign(draft, { rev: draft.rev + 1, dirty: true, stuck: "", queued: null, at: new Date().toISOString() });
    count();
    await drafts.put(draft);
    say(navigator.onLine ? words.kept : words.offline);
    clearTimeout(later);
    later = setTimeout(drafts.flush, 1500);
  }

  // What is open
  function open() {
    const done = ends && chosen(asked.find((box) => box.dataset.code === ends.code))?.dataset.value === `${ends.value}`;
    return done ? [] : asked.filter((box) => !chosen(box));
  }
  function count() {
    const left = new Set(open());
    byId("bar").max = asked.length;
    byId("bar").value = asked.length - left.size;
    byId("left").textContent = left.size ? words.left.replace("{n}", left.size) : words.complete;
    every("[data-jump]").forEach((link) => { link.classList.toggle("open", [...left].some((box) => box.dataset.code === link.dataset.jump)); });
    every("[data-part]").forEach((line) => {
      const own = asked.filter((box) => box.dataset.section === line.dataset.part);
      line.textContent = `${own.filter(chosen).length}/${own.length}`;
    });
    byId("open-list").innerHTML = "";
    for (const box of left) {
      const link = document.createElement("a");
      link.href = `#${box.closest(".screen").id}`;
      link.textContent = box.dataset.label;
      byId("open-list").appendChild(document.createElement("li")).append(link);
    }
    byId("open").hidden = !left.size;
    byId("send").disabled = left.size > 0;
  }

  // Moving
  let here = 0;
  const place = () => Math.max(0, screens.findIndex((one) => one.id === decodeURIComponent(location.hash.slice(1))));
  function show() {
    here = place();
    screens.forEach((one, number) => { one.hidden = number !== here; });
    byId("where").textContent = screens[here].dataset.where;
    byId("back").disabled = here === 0;
    byId("next").disabled = here === screens.length - 1;
    byId("index").open && byId("index").close();
    scrollTo(0, 0);
    screens[here].focus({ preventScroll: true });
    if (screens[here] === end) result();
  }
  const go = (step) => { const to = screens[Math.min(screens.length - 1, Math.max(0, here + step))]; location.hash = to.id; show(); };
  async function result() {
    read();
    const box = byId("result");
    if (open().length) { box.textContent = ""; return; }
    box.textContent = words.computing;
    try {
      const answer = await drafts.post(sheet.dataset.result, { answers: draft.answers, facts: draft.facts, assessed_on: draft.assessed_on }, "-");
      box.innerHTML = await answer.text();
    } catch { box.textContent = words.later; }
  }

  // Events with their days
  const kindOf = (one) => byId("event-kind").querySelector(`[value="${one.kind}"]`).textContent;
  function listEvents() {
    const list = byId("event-list");
    if (!list) return;
    list.innerHTML = "";
    (draft.facts.events || []).forEach((one, number) => {
      const line = list.appendChild(document.createElement("li")), button = document.createElement("button");
      const old = one.on < daysBefore(byId("assessed-on").value, 30);
      line.textContent = `${one.on} ${kindOf(one)}${old ? words.old : ""}`;
      Object.assign(button, { type: "button", className: "button small", textContent: words.remove });
      button.onclick = () => { draft.facts.events.splice(number, 1); listEvents(); keep(); };
      line.append(button);
    });
  }
  function daysBefore(day, days) { const at = new Date(`${day}T00:00Z`); at.setUTCDate(at.getUTCDate() - days); return at.toISOString().slice(0, 10); }
  byId("event-add")?.addEventListener("click", () => {
    const on = byId("event-on");
    if (!on.value || on.value > on.max) { on.reportValidity(); on.focus(); return; }
    draft.facts.events = [...(draft.facts.events || []), { kind: byId("event-kind").value, on: on.value }];
    on.value = "";
    listEvents();
    keep();
  });

  // Signatures
  const pads = every("[data-signer]").map((box) => {
    const who = box.dataset.signer, pad = signaturePad(box.querySelector("canvas"), draft.signatures[who]);
    pad.canvas.addEventListener("pointerup", () => { draft.signatures[who] = pad.canvas.toDataURL("image/png"); keep(); });
    box.querySelector("button").addEventListener("click", () => { pad.wipe(); delete draft.signatures[who]; keep(); });
    return who;
  });

  // Sending, and what comes back
  byId("send").addEventListener("click", async () => {
    read();
    const unsigned = pads.find((who) => !draft.signatures[who]);
    const wrong = unsigned ? words.unsigned : draft.informant.trim() ? "" : words.informant;
    byId("problem").textContent = wrong;
    byId("problem").hidden = !wrong;
    if (wrong) { byId("problem").focus(); return; }
    const { answers, facts, informant, declared, assessed_on, signatures, version } = draft;
    const signed = pads.map(Number).filter(Boolean);
    draft.queued = { answers, facts: { ...facts, signatures }, informant, signed, declared, assessed_on, seen: version };
    Object.assign(draft, { key: drafts.newKey(), stuck: "" });
    await drafts.put(draft);
    if (!navigator.onLine) say(words.queued);
    drafts.flush();
  });
  document.addEventListener("draft", ({ detail: { what, draft: told, problem } }) => {
    if (told.id !== draft.id) return;
    if (what === "submitted") { location.href = sheet.dataset.done; return; }
    if (what === "offline") { say(draft.queued ? words.queued : words.offline); return; }
    Object.assign(draft, { version: told.version, dirty: told.dirty || draft.rev !== told.rev, stuck: told.stuck, queued: told.queued, key: told.key });
    if (what === "saved") { say(words.saved.replace("{time}", new Date().toTimeString().slice(0, 5))); return; }
    if (problem.status === 409 && problem.title === "stale") { conflict(); return; }
    say(problem.status === 401 || problem.status === 403 ? words.login : problem.detail || words.trouble);
    if (problem.detail) { byId("problem").textContent = problem.detail; byId("problem").hidden = false; }
  });
  async function conflict() {
    const theirs = await (await fetch(sheet.dataset.latest)).json();
    const body = byId("conflict-rows");
    body.innerHTML = "";
    const beside = (facts) => [
      ...every("[data-fact]").filter((box) => facts[box.dataset.fact]).map((box) => box.parentNode.querySelector("span").firstChild.textContent),
      ...(facts.events || []).map((one) => `${one.on} ${kindOf(one)}`), facts.notes || "",
    ].filter(Boolean).join("；");
    const rows = [[words.beside, beside(draft.facts), beside(theirs.facts)]];
    const text = (box, number) => (number === undefined ? "—" : box.querySelectorAll("label span")[number].textContent);
    for (const box of asked) {
      const code = box.dataset.code, pair = [draft.picked[code], theirs.picked[code]];
      rows.push([box.dataset.label, text(box, pair[0]), text(box, pair[1])]);
    }
    for (const row of rows.filter(([, mine, other]) => mine !== other)) {
      const line = body.insertRow();
      row.forEach((one) => { line.insertCell().textContent = one; });
    }
    byId("conflict-who").textContent = theirs.by;
    const box = byId("conflict");
    box.returnValue = "";
    box.showModal();
    box.onclose = () => {
      if (!box.returnValue) return;
      draft.version = theirs.version;
      if (box.returnValue === "theirs") { Object.assign(draft, { picked: theirs.picked, facts: theirs.facts, answers: theirs.answers }); write(); }
      keep();
    };
  }

  // Hands: taps move on by themselves; digits and arrows on a keyboard
  form.addEventListener("pointerdown", () => { byHand = true; });
  form.addEventListener("input", () => keep());
  form.addEventListener("change", ({ target }) => { if (byHand && target.type === "radio") setTimeout(go, 180, 1); });
  form.addEventListener("submit", (event) => event.preventDefault());
  document.addEventListener("keydown", (event) => {
    byHand = false;
    if (event.ctrlKey || event.altKey || event.metaKey || event.isComposing || event.target.closest("dialog, textarea, select, input:not([type=radio])")) return;
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key], option = screens[here].querySelectorAll("[data-code] input")[event.key - 1];
    if (step) { event.preventDefault(); go(step); }
    if (option && /^[1-9]$/.test(event.key)) { option.checked = true; keep(); go(1); }
  });
  byId("back").addEventListener("click", () => go(-1));
  byId("next").addEventListener("click", () => go(1));
  byId("contents").addEventListener("click", () => byId("index").showModal());
  byId("assessed-on").addEventListener("change", () => { listEvents(); result(); });
  addEventListener("hashchange", () => { if (place() !== here) show(); });
  sheet.classList.add("ready");
  write();
  show();
  if (draft.stuck) await drafts.put({ ...draft, stuck: "" });
  say(draft.queued ? words.queued : draft.dirty ? words.kept : navigator.onLine ? words.ready : words.offline);
})();
