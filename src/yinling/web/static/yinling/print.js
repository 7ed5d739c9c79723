// The print button of a voucher.
"use strict";
document.querySelector("[data-print]")?.addEventListener("click", () => window.print());
