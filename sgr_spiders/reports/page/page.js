"use strict";
// Theme, sortable tables and long tables. Without a script, everything but the graph is there.

(() => {
  const root = document.documentElement;
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const button = document.getElementById("theme");
  const isDark = () => (root.dataset.theme || (dark.matches ? "dark" : "light")) === "dark";
  const name = () => { button.textContent = isDark() ? "Light" : "Dark"; };
  button.hidden = false;
  button.addEventListener("click", () => {
    root.dataset.theme = isDark() ? "light" : "dark";
    name();
    dispatchEvent(new Event("themechange"));
  });
  dark.addEventListener("change", () => { name(); dispatchEvent(new Event("themechange")); });
  name();

  const collator = new Intl.Collator(undefined, { numeric: true, sensitivity: "base" });
  const valueOf = (row, column) => {
    const cell = row.cells[column];
    return cell.dataset.value === undefined ? cell.textContent : Number(cell.dataset.value);
  };
  const compare = (a, b) => (typeof a === "number" ? a - b : collator.compare(a, b));

  for (const table of document.querySelectorAll("table.sortable")) {
    const body = table.tBodies[0];
    const heads = [...table.tHead.rows[0].cells];
    const first = Number(table.dataset.first || 0);
    let isLong = first === 0;
    const cut = () => [...body.rows].forEach((row, place) => { row.hidden = !isLong && place >= first; });
    heads.forEach((head, column) => {
      const sorter = document.createElement("button");
      sorter.type = "button";
      sorter.append(...head.childNodes);
      head.append(sorter);
      sorter.addEventListener("click", () => {
        const known = head.getAttribute("aria-sort");
        const isNumber = head.classList.contains("number");
        const ascending = known ? known === "descending" : !isNumber;
        heads.forEach((other) => other.removeAttribute("aria-sort"));
        head.setAttribute("aria-sort", ascending ? "ascending" : "descending");
        const rows = [...body.rows].map((row) => [valueOf(row, column), row]);
        rows.sort((a, b) => (ascending ? compare(a[0], b[0]) : compare(b[0], a[0])));
        body.append(...rows.map(([, row]) => row));
        cut();
      });
    });
    if (first) {
      const more = document.createElement("button");
      more.type = "button";
      more.className = "more";
      const label = () => { more.textContent = isLong ? "Show fewer" : `Show all ${body.rows.length}`; };
      more.setAttribute("aria-expanded", "false");
      more.addEventListener("click", () => {
        isLong = !isLong;
        more.setAttribute("aria-expanded", String(isLong));
        label();
        cut();
      });
      label();
      table.parentNode.after(more);
      cut();
    }
  }
  addEventListener("beforeprint", () => document.querySelectorAll("details").forEach((one) => { one.open = true; }));
})();
