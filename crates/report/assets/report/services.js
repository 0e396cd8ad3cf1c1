// One section per service, and one row per interaction.

/** @param {number} element */
const elementName = (element) => {
  const e = data.elements[element];
  if (!e) return h("span", {});
  if (e.service) return linkTo(`service-${e.id}`, e.name);
  return h("span", {}, e.name, h("small", {}, ` ${e.stencil}`));
};

/** @param {Flow} flow */
const wireOf = (flow) =>
  [flow.access ?? flow.wire, flow.sure === "certain" ? "" : flow.sure].filter((t) => t).join(", ");

/** @param {Threat[]} threats */
const severityCounts = (threats) =>
  data.severities.flatMap((_, s) => {
    const count = threats.filter((t) => isOpen(t) && t.severity === s).length;
    return count > 0 ? [h("span", { class: "count" }, `${count} `, badge(s)), " "] : [];
  });

/** @param {Threat[]} threats */
const threatLinks = (threats) =>
  h(
    "ul",
    { class: "plain" },
    [...threats]
      .sort((a, b) => Number(isOpen(b)) - Number(isOpen(a)) || a.severity - b.severity)
      .map((t) => h("li", {}, badge(t.severity), " ", linkTo(threatId(t), t.title), isOpen(t) ? null : h("small", {}, ` ${data.states[t.state]}`))),
  );

/**
 * Flows as a table: the other end, how, and what is known of each.
 * @param {string} caption
 * @param {Flow[]} flows
 * @param {"from" | "to"} other
 */
const flowTable = (caption, flows, other) => {
  if (flows.length === 0) return null;
  const rows = flows.map((f) =>
    h(
      "tr",
      {},
      h("th", { scope: "row" }, elementName(f[other])),
      h("td", {}, linkTo(`flow-${f.id}`, wireOf(f) || f.kind)),
      h("td", {}, f.facts.map(([name, value]) => `${name}: ${value}`).join("; ")),
      h("td", {}, severityCounts(threatsOfFlow.get(flowAt.get(f.id) ?? -1) ?? [])),
    ),
  );
  return h("div", { class: "scroll" }, h("table", {}, h("caption", {}, caption), h("tbody", {}, rows)));
};

/** @param {number} at @returns {Child[]} */
const serviceBody = (at) => {
  const into = incoming.get(at) ?? [];
  const out = outgoing.get(at) ?? [];
  const threats = data.threats.filter((t) => t.about.includes(at));
  /** @param {...string} kinds */
  const of = (...kinds) => out.filter((f) => kinds.includes(f.kind));
  const show = h("button", { type: "button" }, "Show in the diagram");
  show.addEventListener("click", () => diagram.select([data.elements[at]?.id ?? ""]));
  return [
    h("p", {}, show),
    flowTable("Who talks to it", into.filter((f) => f.kind !== "store"), "from") ?? h("p", {}, "Nothing in this input talks to it."),
    flowTable("Whom it talks to", of("traffic", "exposure", "supply", "dns", "probe"), "to"),
    flowTable("What it stores and reads, and where", of("store"), "to"),
    flowTable("What it may do through the Kubernetes API", of("api"), "to"),
    h("h4", {}, threats.length > 0 ? "Threats" : "No threat was found"),
    threats.length > 0 && threatLinks(threats),
  ];
};

/** @param {number} at */
const serviceRow = (at) => {
  const e = /** @type {Element_} */ (data.elements[at]);
  const inner = data.boundaries[e.at];
  const where = inner?.kind === "workload" ? e.id.split("/")[1] : inner?.name;
  const counts = severityCounts(threatsOf.get(at) ?? []);
  return lazyDetails(
    { class: "service", id: `service-${e.id}` },
    [h("span", { class: "title" }, e.name), " ", h("small", {}, `${e.stencil}${where ? ` in ${where}` : ""}`), " ", ...counts],
    () => serviceBody(at),
  );
};

/** @param {Flow} flow @returns {Child[]} */
const flowBody = (flow) => {
  const threats = threatsOfFlow.get(flowAt.get(flow.id) ?? -1) ?? [];
  const crosses = flow.crosses.map((b) => data.boundaries[b]?.name).join(", ");
  /** @type {[string, Child][]} */
  const facts = [
    ["From", elementName(flow.from)],
    ["To", elementName(flow.to)],
    ["Crosses", crosses || "no boundary"],
    ["Confidence", flow.sure],
    ...flow.facts,
  ];
  return [
    h("dl", {}, facts.flatMap(([name, value]) => [h("dt", {}, name), h("dd", {}, value)])),
    flow.evidence.length > 0 && h("h4", {}, "Evidence"),
    flow.evidence.length > 0 && evidenceList(flow.evidence),
    h("h4", {}, threats.length > 0 ? "Threats" : "No threat was found"),
    threats.length > 0 && threatLinks(threats),
  ];
};

/** @param {Flow} flow */
const flowRow = (flow) => {
  const [from, to] = [data.elements[flow.from]?.name ?? "", data.elements[flow.to]?.name ?? ""];
  const counts = severityCounts(threatsOfFlow.get(flowAt.get(flow.id) ?? -1) ?? []);
  return lazyDetails(
    { class: "flow", id: `flow-${flow.id}` },
    [h("span", { class: "title" }, `${from} → ${to}`), " ", h("small", {}, wireOf(flow) || flow.kind), " ", ...counts],
    () => flowBody(flow),
  );
};

/**
 * A list with a search field over names.
 * @template T
 * @param {string} id
 * @param {T[]} items
 * @param {(item: T) => HTMLElement} row
 * @param {(item: T) => string} text
 * @param {string} noun
 */
const searchable = (id, items, row, text, noun) => {
  const list = paged(byId(`${id}-list`, HTMLElement), row, noun);
  const search = byId(`${id}-search`, HTMLInputElement);
  const update = () => {
    const words = search.value.toLowerCase().split(/\s+/).filter((w) => w);
    list.show(items.filter((item) => words.every((w) => text(item).toLowerCase().includes(w))));
  };
  search.addEventListener("input", update);
  update();
  return {
    ...list,
    /** @param {T} item */
    reveal: (item) => {
      if (!list.reveal(item)) {
        search.value = "";
        update();
        list.reveal(item);
      }
    },
  };
};

const services = searchable(
  "service",
  data.elements.flatMap((e, i) => (e.service ? [i] : [])),
  serviceRow,
  (at) => data.elements[at]?.id ?? "",
  "services",
);
const interactions = searchable(
  "flow",
  data.flows,
  flowRow,
  (f) => `${data.elements[f.from]?.name} ${data.elements[f.to]?.name} ${f.wire} ${f.kind}`,
  "interactions",
);
