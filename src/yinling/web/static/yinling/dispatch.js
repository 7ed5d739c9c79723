// The board of a day: choose a visit by mouse or arrows, drag it or press M to move it. What a move would do is asked while moving
// and shown in the panel; only dropping (or Enter) sends the form that came with the answer.
"use strict";
(() => {
  const desk = document.querySelector(".desk");
  const panel = document.getElementById("plan-panel");
  if (!desk || !panel || !window.htmx) return;
  const DRAG_PX = 5;
  const STEP_MIN = 5;
  const LAST_MIN = 1435;
  const MINUTE_MS = 60000;
  let shown = "";      // the visit in the panel: its id
  let going = null;    // a move under way: { visit, lane, place, hold, chip, byKey }
  let wanted = null;
  let busy = null;
  const visit = () => shown && document.getElementById(shown);
  const visits = (within) => Array.from(within.querySelectorAll(".strip .v"));
  const lanes = () => Array.from(desk.querySelectorAll(".lane"));
  const mark = () => { desk.querySelectorAll(".v[aria-current]").forEach((one) => one.removeAttribute("aria-current")); if (visit()) visit().setAttribute("aria-current", "true"); };
  // One question at a time; of those asked meanwhile only the last.
  function ask(address) {
    wanted = address;
    busy ??= (async () => {
      while (wanted) { const next = wanted; wanted = null; await htmx.ajax("GET", next, { target: panel, swap: "innerHTML" }); }
      busy = null;
      ghost();
    })();
    return busy;
  }
  function show(one) { shown = one.id; mark(); return ask(one.getAttribute("href")); }
  // The place the answer gives, drawn in the lane it names.
  function ghost() {
    desk.querySelectorAll(".ghost").forEach((one) => one.remove());
    const told = panel.querySelector("[data-spot]");
    const lane = told && desk.querySelector(`.lane[data-staff="${told.dataset.staff}"]`);
    if (!lane) return;
    const mark = document.createElement("li");
    mark.className = "at ghost " + told.dataset.spot;
    lane.querySelector(".strip").append(mark);
  }
  function over(lane) {
    lanes().forEach((one) => one.classList.toggle("over", one === lane));
    going.lane = lane;
  }
  function stop(again) {
    if (!going) return;
    going.visit.classList.remove("going");
    if (going.chip) going.chip.remove();
    going = null;
    lanes().forEach((one) => one.classList.remove("over"));
    if (again && visit()) show(visit());
  }
  async function drop() {
    await busy;
    const form = panel.querySelector("form[data-action=move_visit]");
    stop(false);
    if (form) form.requestSubmit(); else { const why = panel.querySelector(".effect"); if (why) { why.tabIndex = -1; why.focus(); } }
  }
  // By mouse.
  desk.addEventListener("pointerdown", (event) => {
    const one = event.target.closest(".v");
    if (!one || event.button || event.pointerType === "touch" || !("editable" in desk.dataset) || one.classList.contains("is-locked")) return;
    going = { visit: one, x: event.clientX, y: event.clientY, hold: event.clientX - one.getBoundingClientRect().left, waits: true };
  });
  desk.addEventListener("dragstart", (event) => { if (event.target.closest(".v")) event.preventDefault(); });
  document.addEventListener("pointermove", (event) => {
    if (!going || going.byKey) return;
    if (going.waits) {
      if (Math.hypot(event.clientX - going.x, event.clientY - going.y) < DRAG_PX) return;
      going.waits = false;
      shown = going.visit.id;
      mark();
      going.visit.classList.add("going");
      if (!going.visit.closest(".strip")) going.hold = 0;
      going.chip = document.createElement("div");
      going.chip.className = "dragged";
      document.body.append(going.chip);
    }
    event.preventDefault();
    if (event.clientY < 90) scrollBy(0, -12); else if (event.clientY > innerHeight - 30) scrollBy(0, 12);
    const found = document.elementFromPoint(event.clientX, event.clientY);
    const lane = found && found.closest(".lane");
    over(lane);
    const strip = lane && lane.querySelector(".strip").getBoundingClientRect();
    const board = desk.querySelector("[data-from]").dataset;
    const at = strip && Math.min(LAST_MIN, Math.max(0, Math.round((+board.from + (event.clientX - going.hold - strip.left) / strip.width * (board.to - board.from)) * 60 / STEP_MIN) * STEP_MIN));
    const clock = lane ? new Date(at * MINUTE_MS).toISOString().slice(11, 16) : "";
    going.chip.textContent = going.visit.dataset.name + (lane ? " → " + lane.dataset.name + " " + clock : "");
    going.chip.style.left = event.clientX + 14 + "px";
    going.chip.style.top = event.clientY + 14 + "px";
    const place = lane ? `?staff=${lane.dataset.staff}&at=${clock}` : "";
    if (place && place !== going.place) ask(going.visit.getAttribute("href") + place);
    going.place = place;
  });
  document.addEventListener("pointerup", () => {
    if (!going || going.byKey) return;
    if (going.waits) { going = null; return; }
    const one = going.visit;
    one.addEventListener("click", (event) => { event.preventDefault(); event.stopImmediatePropagation(); }, { once: true, capture: true });
    if (going.place) drop(); else stop(true);
  });
  desk.addEventListener("click", (event) => {
    const one = event.target.closest(".v, .who a");
    if (!one || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    if (!going) show(one);
  });
  // By keyboard: arrows walk from visit to visit; after M they move the visit, Enter leaves it there, Escape puts it back.
  const left = (one) => one.getBoundingClientRect().left;
  function nearest(lane, x) {
    return visits(lane).sort((a, b) => Math.abs(left(a) - x) - Math.abs(left(b) - x))[0];
  }
  function begin() {
    const one = visit();
    if (!one || !one.matches(".v") || !("editable" in desk.dataset) || one.classList.contains("is-locked")) return;
    const lane = one.closest(".lane");
    going = { visit: one, byKey: true, position: lane ? visits(lane).indexOf(one) : 0 };
    one.classList.add("going");
    one.focus();
    over(lane);
  }
  function step(across, down) {
    const all = lanes();
    const next = all[Math.min(Math.max(all.indexOf(going.lane) + down, 0), all.length - 1)];
    const others = visits(next).filter((one) => one !== going.visit);
    if (down) going.position = others.filter((one) => left(one) < left(going.visit)).length;
    going.position = Math.min(Math.max(going.position + across, 0), others.length);
    over(next);
    next.scrollIntoView({ block: "nearest" });
    ask(`${going.visit.getAttribute("href")}?staff=${next.dataset.staff}&position=${going.position}`);
  }
  const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
  document.addEventListener("keydown", (event) => {
    if (event.isComposing || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Escape" && going) { event.preventDefault(); stop(true); return; }
    const one = event.target.closest && event.target.closest(".v");
    if (!one) return;
    const arrow = ARROWS[event.key];
    if (going && going.byKey) {
      if (arrow) { event.preventDefault(); step(...arrow); }
      if (event.key === "Enter") { event.preventDefault(); event.stopPropagation(); drop(); }
      return;
    }
    if (!arrow) return;
    event.preventDefault();
    const lane = one.closest(".lane");
    const all = Array.from(desk.querySelectorAll(".v"));
    const next = arrow[1] && lane ? lanes().slice(arrow[1] > 0 ? lanes().indexOf(lane) + 1 : 0, arrow[1] > 0 ? undefined : lanes().indexOf(lane)).filter((row) => visits(row).length).at(arrow[1] > 0 ? 0 : -1) : null;
    const goal = next ? nearest(next, left(one)) : arrow[1] && lane ? null : all[all.indexOf(one) + arrow[0] + arrow[1]];
    if (goal) { goal.focus(); show(goal); }
  });
  document.addEventListener("click", (event) => { if (event.target.closest("[data-move]")) begin(); });
  // The board drawn anew (moved here or elsewhere): choose the visit again and ask again what the panel shows.
  document.body.addEventListener("htmx:afterSettle", (event) => {
    if (event.detail.elt.id !== "plan-board" || going) return;
    mark();
    if (visit()) ask(visit().getAttribute("href")); else if (shown) panel.replaceChildren();
  });
})();
