// A long list of which one page is in the document.

/** Most rows in the document. */
const PAGE = 100;

/**
 * @template T
 * @typedef {{ show: (items: T[]) => void, reveal: (item: T) => boolean, all: () => void, some: () => void }} Paged
 */

/**
 * @template T
 * @param {HTMLElement} container
 * @param {(item: T) => HTMLElement} row
 * @param {string} noun
 * @returns {Paged<T>}
 */
const paged = (container, row, noun) => {
  /** @type {T[]} */
  let items = [];
  let start = 0;
  const rows = h("div", { class: "rows" });
  const said = h("span", { "aria-live": "polite" });
  const back = h("button", { type: "button" }, "Previous");
  const on = h("button", { type: "button" }, "Next");
  const pager = h("p", { class: "pager" }, back, on, said);
  container.replaceChildren(rows, pager);

  /** @param {number} count */
  const draw = (count = PAGE) => {
    rows.replaceChildren(...items.slice(start, start + count).map(row));
    const end = Math.min(start + count, items.length);
    pager.hidden = items.length <= count;
    said.textContent = `${start + 1} to ${end} of ${items.length} ${noun}`;
    back.toggleAttribute("disabled", start === 0);
    on.toggleAttribute("disabled", end >= items.length);
  };
  /** @param {number} by */
  const turn = (by) => {
    start = Math.max(0, start + by);
    draw();
    rows.scrollIntoView();
  };
  back.addEventListener("click", () => turn(-PAGE));
  on.addEventListener("click", () => turn(PAGE));
  return {
    show: (found) => {
      items = found;
      start = 0;
      draw();
    },
    reveal: (item) => {
      const at = items.indexOf(item);
      if (at < 0) return false;
      if (at < start || at >= start + PAGE) {
        start = at - (at % PAGE);
        draw();
      }
      return true;
    },
    all: () => {
      if (items.length <= 5 * PAGE) {
        start = 0;
        draw(5 * PAGE);
      }
    },
    some: () => draw(),
  };
};
