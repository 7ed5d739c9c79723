// A signature drawn with the finger becomes the picture of the signature form. Without scripts the form takes a photo of it.
"use strict";
(() => {
  const pad = document.getElementById("pad");
  const place = document.querySelector("[data-signature]");
  if (!pad || !place) return;
  const pen = pad.getContext("2d");
  let isEmpty = true;
  function wipe() {
    pen.fillStyle = "#fff";
    pen.fillRect(0, 0, pad.width, pad.height);
    pen.strokeStyle = "#1f2328";
    pen.lineWidth = 5;
    pen.lineCap = pen.lineJoin = "round";
    isEmpty = true;
  }
  const at = (event) => {
    const box = pad.getBoundingClientRect();
    return [(event.clientX - box.left) * pad.width / box.width, (event.clientY - box.top) * pad.height / box.height];
  };
  pad.addEventListener("pointerdown", (event) => { pad.setPointerCapture(event.pointerId); pen.beginPath(); pen.moveTo(...at(event)); event.preventDefault(); });
  pad.addEventListener("pointermove", (event) => { if (!pad.hasPointerCapture(event.pointerId)) return; pen.lineTo(...at(event)); pen.stroke(); isEmpty = false; });
  document.getElementById("wipe").addEventListener("click", wipe);
  document.getElementById("sign").hidden = false;
  function hideFile() { const field = place.querySelector("input[type=file]"); if (field) field.closest(".field").hidden = true; }
  hideFile();
  document.body.addEventListener("htmx:afterSettle", hideFile);
  wipe();
  function picture() {
    const raw = atob(pad.toDataURL("image/png").split(",")[1]);
    return new File([Uint8Array.from(raw, (sign) => sign.charCodeAt(0))], "signature.png", { type: "image/png" });
  }
  place.addEventListener("htmx:configRequest", (event) => {
    if (isEmpty) { event.preventDefault(); document.body.dispatchEvent(new CustomEvent("toast", { detail: { value: place.dataset.empty } })); return; }
    event.detail.formData ? event.detail.formData.set("content", picture()) : event.detail.parameters.set("content", picture());
  });
})();
