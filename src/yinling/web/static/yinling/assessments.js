// The list of arranged assessments: forms of today and tomorrow are fetched for the way, drafts on this device are marked.
"use strict";
(async () => {
  const tasks = [...document.querySelectorAll("[data-request]")], words = JSON.parse(document.getElementById("tasks").dataset.words);
  async function mark() {
    for (const task of tasks) {
      const draft = await drafts.get(+task.dataset.request), sign = task.querySelector("[data-draft]");
      sign.hidden = !draft || !(draft.dirty || draft.queued);
      if (draft) sign.textContent = draft.queued ? words.queued : words.draft;
    }
  }
  document.addEventListener("draft", ({ detail }) => { if (detail.what === "submitted") location.reload(); else mark(); });
  mark();
  await navigator.serviceWorker?.ready;
  if (navigator.onLine) for (const task of tasks) fetch(task.href).catch(() => 0);
})();
