// Making elements. Texts of the input become text nodes, never markup.

/** @typedef {Node | string | null | undefined | false} Child */

/**
 * An element with attributes and children.
 * @param {string} tag
 * @param {Record<string, string>} attributes
 * @param {...(Child | Child[])} children
 * @returns {HTMLElement}
 */
const h = (tag, attributes, ...children) => {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  for (const child of children.flat()) {
    if (child) element.append(child);
  }
  return element;
};

/**
 * Finished HTML: texts of the catalogue and descriptions, in which the maker of the page has escaped every name.
 * @param {string} html
 * @returns {DocumentFragment}
 */
const markup = (html) => {
  const template = document.createElement("template");
  template.innerHTML = html;
  return template.content;
};

/** @template {HTMLElement} T @param {string} id @param {new () => T} kind @returns {T} */
const byId = (id, kind) => {
  const found = document.getElementById(id);
  if (!(found instanceof kind)) throw new Error(`no ${kind.name} #${id}`);
  return found;
};

/** @param {number} severity */
const badge = (severity) => {
  const word = data.severities[severity] ?? "";
  return h("span", { class: `severity ${word}` }, word);
};

/** @param {number} count @param {string} one @param {string} many */
const counted = (count, one, many) => `${count} ${count === 1 ? one : many}`;

/** A link within the page. @param {string} id @param {...Child} children */
const linkTo = (id, ...children) => h("a", { href: `#${encodeURIComponent(id)}` }, ...children);

/**
 * A button that copies a text.
 * @param {() => string} text
 * @param {string} label
 */
const copyButton = (text, label) => {
  const button = h("button", { type: "button", class: "copy" }, label);
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(text());
      button.textContent = "Copied";
    } catch {
      button.textContent = "Not allowed here";
    }
    setTimeout(() => (button.textContent = label), 1500);
  });
  return button;
};

/**
 * A `details` that makes its content when it is opened first.
 * @param {Record<string, string>} attributes
 * @param {Child[]} summary
 * @param {() => Child[]} content
 */
const lazyDetails = (attributes, summary, content) => {
  const details = /** @type {HTMLDetailsElement} */ (h("details", attributes, h("summary", {}, summary)));
  const fill = () => {
    if (details.open && details.childElementCount === 1) details.append(h("div", { class: "body" }, content()));
  };
  details.addEventListener("toggle", fill);
  // Who opens it by hand and needs the content at once asks for it.
  details.addEventListener("fill", fill);
  return details;
};

/** Opens a `details` now. @param {HTMLDetailsElement} details */
const openNow = (details) => {
  details.open = true;
  details.dispatchEvent(new Event("fill"));
};
