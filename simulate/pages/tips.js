// Says the values of what is pointed at, reached by keyboard or touched: whatever has the class "tip" and a name.
// Without this script a browser shows the same text, the title of each, after a moment.
(() => {
  "use strict";
  const box = document.createElement("div");
  box.className = "tip-box";
  box.hidden = true;
  box.setAttribute("aria-hidden", "true");
  document.body.append(box);
  let shown = null;

  const found = (node) => (node instanceof Element ? node.closest(".tip") : null);

  const place = (mark) => {
    const around = mark.getBoundingClientRect();
    const middle = around.left + around.width / 2;
    const most = document.documentElement.clientWidth - box.offsetWidth - 8;
    const above = around.top - box.offsetHeight - 6;
    box.style.left = `${Math.max(8, Math.min(middle - box.offsetWidth / 2, most))}px`;
    box.style.top = `${above > 4 ? above : around.bottom + 6}px`;
  };

  const show = (mark) => {
    mark.querySelector(":scope > title")?.remove(); // else the browser would say it again
    const said = mark.getAttribute("aria-label") || mark.dataset.tip || "";
    box.textContent = said.replaceAll(" %", "\u00a0%");
    box.hidden = !box.textContent;
    shown = mark;
    if (!box.hidden) place(mark);
  };

  const hide = () => {
    box.hidden = true;
    shown = null;
  };

  document.addEventListener("pointerover", (event) => {
    const mark = found(event.target);
    if (mark) show(mark);
    else if (event.target !== box) hide();
  });
  document.addEventListener("focusin", (event) => {
    const mark = found(event.target);
    if (mark && event.target.matches(":focus-visible")) show(mark);
    else hide();
  });
  document.addEventListener("focusout", hide);
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") hide();
  });
  addEventListener("scroll", () => shown && place(shown), { passive: true, capture: true });
  addEventListener("beforeprint", () => {
    hide();
    for (const part of document.querySelectorAll("details:not(.equivalent)")) part.open = true;
  });
})();
