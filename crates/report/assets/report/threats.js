// The list of threats: filters, order, and what is said about one.

/** @param {Piece} piece */
const evidenceItem = ([origin, note, place]) => {
  const item = h("li", {}, note || origin, note && origin !== "stated" ? h("small", {}, ` (${origin})`) : null);
  const snippet = place === null ? undefined : data.snippets[place];
  if (!snippet) return item;
  const [file, line, column, template, lines] = snippet;
  const where = `${data.files[file]}:${line}:${column}`;
  item.append(" ", h("span", { class: "place" }, where, template && ` (from ${template})`));
  if (lines.length > 0) {
    const numbered = lines.map((text, i) => [h("span", { class: "number" }, String(line + i)), `${text}\n`]);
    item.append(h("pre", { class: "snippet", tabindex: "0", "aria-label": `Lines of ${where}` }, numbered.flat()));
  }
  return item;
};

/** @param {Piece[]} pieces */
const evidenceList = (pieces) => h("ul", { class: "evidence" }, pieces.map(evidenceItem));

/** Code in the texts of the catalogue can be copied. @param {DocumentFragment} fragment */
const withCopyButtons = (fragment) => {
  for (const pre of fragment.querySelectorAll("pre")) {
    pre.tabIndex = 0;
    const box = h("div", { class: "code" });
    pre.replaceWith(box);
    box.append(pre, copyButton(() => pre.textContent ?? "", "Copy"));
  }
  return fragment;
};

/** Everything about a threat. @param {Threat} threat @returns {Child[]} */
const threatBody = (threat) => {
  const type = typeOf(threat);
  const flow = threat.flow === undefined ? undefined : data.flows[flowAt.get(threat.flow) ?? -1];
  const crosses = flow?.crosses.map((b) => data.boundaries[b]?.name ?? "") ?? [];
  /** @type {Child[]} */
  const body = [
    markup(threat.text),
    h("p", { class: "why" }, threat.why),
    crosses.length > 0 && h("p", { class: "why" }, `Crosses: ${crosses.join(", ")}.`),
  ];
  if (threat.decision) {
    const [why, by, at, stale] = threat.decision;
    const who = [data.states[threat.state], by && `by ${by}`, at].filter((t) => t).join(", ");
    body.push(h("h4", {}, "Decision"), h("p", {}, `${who}.`, stale ? " The threat does not fire any more." : null));
    if (why) body.push(h("p", {}, why));
  }
  if (threat.controls) {
    const controls = threat.controls.map((c) =>
      h("li", {}, h("strong", {}, c.name), c.effect === "mitigates" ? " answers the threat" : " makes it less likely", evidenceList(c.evidence)),
    );
    body.push(h("h4", {}, "Controls in place"), h("ul", { class: "evidence" }, controls));
  }
  if (threat.evidence.length > 0) body.push(h("h4", {}, "Evidence"), evidenceList(threat.evidence));
  body.push(h("h4", {}, "Why it matters"), markup(type.why));
  body.push(h("h4", {}, "What to do"), withCopyButtons(markup(type.fix)));
  body.push(h("h4", {}, "How to verify"), withCopyButtons(markup(type.verify)));
  if (type.listed) body.push(h("h4", {}, "Listed in"), markup(type.listed));
  const about = threat.about.filter((e) => data.elements[e]?.service);
  const places = about.map((e) => linkTo(`service-${data.elements[e]?.id}`, data.elements[e]?.name));
  const id = threatId(threat);
  body.push(
    h(
      "p",
      { class: "ids" },
      linkTo(id, id),
      " ",
      copyButton(() => location.href.split("#")[0] + `#${encodeURIComponent(id)}`, "Copy link"),
      places.length > 0 && " Services: ",
      places.flatMap((link, i) => (i > 0 ? [", ", link] : [link])),
    ),
  );
  return body;
};

/** One line about a threat, to be opened. @param {Threat} threat */
const threatRow = (threat) => {
  const flow = threat.flow === undefined ? undefined : data.flows[flowAt.get(threat.flow) ?? -1];
  const place = threat.place === undefined ? undefined : data.boundaries[threat.place];
  const tags = [flow?.wire, place?.name, data.categories[typeOf(threat).category], data.states[threat.state]];
  return lazyDetails(
    { class: "threat", id: threatId(threat) },
    [
      badge(threat.severity),
      " ",
      h("span", { class: "title" }, threat.title),
      " ",
      ...tags.filter((t) => t).map((t) => h("span", { class: "tag" }, t)),
    ],
    () => threatBody(threat),
  );
};

/** What a search looks at, made when it is needed first. @type {Map<Threat, string>} */
const searchTexts = new Map();

/** @param {Threat} threat */
const searchText = (threat) => {
  let text = searchTexts.get(threat);
  if (text === undefined) {
    const type = typeOf(threat);
    const files = threat.evidence.map(([, note, place]) => {
      const snippet = place === null ? undefined : data.snippets[place];
      return `${note} ${snippet ? `${data.files[snippet[0]]}:${snippet[1]} ${snippet[4].join(" ")}` : ""}`;
    });
    const controls = threat.controls?.map((c) => c.name) ?? [];
    const parts = [threat.title, threat.subject, threat.decision?.[0] ?? "", threatId(threat), type.name, threat.text, ...controls, ...files];
    text = parts.join("\n").toLowerCase();
    searchTexts.set(threat, text);
  }
  return text;
};

const threatList = (() => {
  const list = paged(byId("threat-list", HTMLElement), threatRow, "threats");
  const search = byId("threat-search", HTMLInputElement);
  const order = byId("threat-order", HTMLSelectElement);
  const count = byId("threat-count", HTMLElement);

  /** @param {string} id @param {[string, string][]} options */
  const choice = (id, options) => {
    const select = byId(id, HTMLSelectElement);
    for (const [value, text] of options) select.append(h("option", { value }, text));
    return select;
  };
  const severity = choice("threat-severity", data.severities.map((s, i) => [String(i), s]));
  const category = choice("threat-category", data.categories.map((c, i) => [String(i), c]));
  const state = choice("threat-state", data.states.map((s, i) => [String(i), s]));
  const used = new Set(data.threats.map((t) => t.place));
  const place = choice(
    "threat-place",
    data.boundaries.flatMap((b, i) => (used.has(i) ? [/** @type {[string, string]} */ ([String(i), b.name])] : [])),
  );
  const type = choice(
    "threat-type",
    data.types.flatMap((t, i) => (t ? [/** @type {[string, string]} */ ([String(i), t.name])] : [])).sort((a, b) => a[1].localeCompare(b[1])),
  );

  /** @type {Record<string, (a: Threat, b: Threat) => number>} */
  const orders = {
    severity: (a, b) => a.severity - b.severity || a.type - b.type || a.title.localeCompare(b.title),
    title: (a, b) => a.title.localeCompare(b.title),
    subject: (a, b) => a.subject.localeCompare(b.subject) || a.severity - b.severity,
    type: (a, b) => typeOf(a).name.localeCompare(typeOf(b).name) || a.severity - b.severity,
  };
  const update = () => {
    const words = search.value.toLowerCase().split(/\s+/).filter((w) => w);
    /** @param {HTMLSelectElement} select @param {number | undefined} value */
    const fits = (select, value) => select.value === "" || Number(select.value) === value;
    const found = data.threats.filter(
      (t) =>
        (state.value === "open" ? isOpen(t) : fits(state, t.state)) &&
        fits(severity, t.severity) &&
        fits(type, t.type) &&
        fits(category, typeOf(t).category) &&
        fits(place, t.place) &&
        words.every((w) => searchText(t).includes(w)),
    );
    found.sort(orders[order.value] ?? orders.severity);
    count.textContent = `${found.length} of ${counted(data.threats.length, "threat", "threats")}`;
    list.show(found);
  };
  const controls = [severity, category, state, place, type];
  for (const select of [...controls, order]) select.addEventListener("change", update);
  let waiting = 0;
  search.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(update, 120);
  });
  const clear = () => {
    search.value = "";
    for (const select of controls) select.value = "";
    state.value = "open";
    update();
  };
  byId("threat-clear", HTMLButtonElement).addEventListener("click", clear);
  update();
  return {
    ...list,
    /** Shows a threat whatever the filters are. @param {Threat} threat */
    reveal: (threat) => {
      if (!list.reveal(threat)) {
        clear();
        if (!isOpen(threat)) {
          state.value = "";
          update();
        }
        list.reveal(threat);
      }
    },
    /** Only threats of one type. @param {number} at */
    onlyType: (at) => {
      clear();
      type.value = String(at);
      update();
    },
  };
})();
