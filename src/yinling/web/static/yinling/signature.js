// A signature drawn with the finger becomes the picture of the signature form. Without scripts the form takes a photo of it.
"use strict";
window.signaturePad = (canvas, kept) => {
  const pen = canvas.getContext("2d");
  let isEmpty = true;
  function wipe() {
    pen.fillStyle = "#fff";
    pen.fillRect(0, 0, canvas.width, canvas.height);
    pen.strokeStyle = "#1f2328";
    pen.lineWidth = 5;
    pen.lineCap = pen.lineJoin = "round";
    isEmpty = true;
  }
  const at = (event) => {
    const box = canvas.getBoundingClientRect();
    return [(event.clientX - box.left) * canvas.width / box.width, (event.clientY - box.top) * canvas.height / box.height];
  };
  canvas.addEventListener("pointerdown", (event) => { canvas.setPointerCapture(event.pointerId); pen.beginPath(); pen.moveTo(...at(event)); event.preventDefault(); });
  canvas.addEventListener("pointermove", (event) => { if (!canvas.hasPointerCapture(event.pointerId)) return; pen.lineTo(...at(event)); pen.stroke(); isEmpty = false; });
  wipe();
  if (kept) Object.assign(new Image(), { src: kept, onload() { pen.drawImage(this, 0, 0); isEmpty = false; } });
  return { canvas, wipe, isEmpty: () => isEmpty };
};
(() => {
  const canvas = document.getElementById("pad");
  const place = document.querySelector("[data-signature]");
  if (!canvas || !place) return;
  const pad = signaturePad(canvas);
  document.getElementById("wipe").addEventListener("click", pad.wipe);
  document.getElementById("sign").hidden = false;
  function hideFile() { const field = place.querySelector("input[type=file]"); if (field) field.closest(".field").hidden = true; }
  hideFile();
  document.body.addEventListener("htmx:afterSettle", hideFile);
  function picture() {
    const raw = atob(canvas.toDataURL("image/png").split(",")[1]);
    return new File([Uint8Array.from(raw, (sign) => sign.charCodeAt(0))], "signature.png", { type: "image/png" });
  }
  place.addEventListener("htmx:configRequest", (event) => {
    if (pad.isEmpty()) { event.preventDefault(); document.body.dispatchEvent(new CustomEvent("toast", { detail: { value: place.dataset.empty } })); return; }
    event.detail.formData ? event.detail.formData.set("content", picture()) : event.detail.parameters.set("content", picture());
  });
})();
