// The data of the page, as `src/html/data` writes it.

/** @typedef {{ id: string, name: string, kind: string }} Boundary */
/** @typedef {{ id: string, name: string, kind: "process" | "external" | "store", stencil: string, at: number, service?: boolean }} Element_ */
/** How it is known, what it shows, and its place in `snippets`. @typedef {[string, string, number | null]} Piece */
/**
 * @typedef {{ id: string, from: number, to: number, kind: string, wire: string, access?: string, sure: string,
 *   crosses: number[], facts: [string, string][], evidence: Piece[] }} Flow
 */
/** The texts are HTML that the maker of the page has escaped.
 * @typedef {{ id: string, name: string, category: number, why: string, fix: string, verify: string, listed: string }} Type */
/**
 * @typedef {{ type: number, id: string, severity: number, state: number, title: string, subject: string, text: string, why: string,
 *   about: number[], place?: number, flow?: string, evidence: Piece[],
 *   decision?: [string, string, string, boolean], controls?: { name: string, effect: string, evidence: Piece[] }[] }} Threat
 */
/** File, line, column, template, lines. @typedef {[number, number, number, string | null, string[]]} Snippet */
/** @typedef {{ id: string, name: string, note: string, elements: number, flows: number, states: number[], svg?: string }} View */
/**
 * @typedef {{ severities: string[], states: string[], categories: string[], types: (Type | null)[], boundaries: Boundary[],
 *   elements: Element_[], flows: Flow[], threats: Threat[], files: string[], snippets: Snippet[], views: View[] }} Data
 */

/** @type {Data} */
const data = JSON.parse(document.getElementById("data")?.textContent ?? "{}");

/** States with something left to do: the first two. */
const OPEN_STATES = 2;

/** @param {Threat} threat */
const isOpen = (threat) => threat.state < OPEN_STATES;

/** @param {Threat} threat @returns {Type} */
const typeOf = (threat) => /** @type {Type} */ (data.types[threat.type]);

/** @param {Threat} threat */
const threatId = (threat) => `${typeOf(threat).id}@${threat.id}`;

/** Positions of elements and flows by identity. */
const elementAt = new Map(data.elements.map((e, i) => [e.id, i]));
const flowAt = new Map(data.flows.map((f, i) => [f.id, i]));

/**
 * Lists by key.
 * @template T
 * @param {T[]} items
 * @param {(item: T) => Iterable<number>} keys
 * @returns {Map<number, T[]>}
 */
const groupBy = (items, keys) => {
  const groups = new Map();
  for (const item of items) {
    for (const key of keys(item)) {
      const group = groups.get(key);
      if (group) group.push(item);
      else groups.set(key, [item]);
    }
  }
  return groups;
};

const incoming = groupBy(data.flows, (f) => [f.to]);
const outgoing = groupBy(data.flows, (f) => [f.from]);
/** Threats by the element that they count for. */
const threatsOf = groupBy(data.threats, (t) => t.about.slice(0, 1));
/** Threats by flow. */
const threatsOfFlow = groupBy(data.threats, (t) => (t.flow === undefined ? [] : [flowAt.get(t.flow) ?? -1]));
