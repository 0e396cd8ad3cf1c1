// The picture: choosing one, zooming, moving, searching, and what is said about what is selected.

const diagram = (() => {
  const frame = byId("picture", HTMLElement);
  const panel = byId("panel", HTMLElement);
  const choice = byId("view", HTMLSelectElement);
  const note = byId("view-note", HTMLElement);
  const search = byId("diagram-search", HTMLInputElement);
  const found = byId("diagram-found", HTMLElement);
  const first = frame.querySelector("svg");
  /** @type {SVGSVGElement | null} */
  let svg = first;
  let scale = 1;
  /** Identities of what is selected. @type {string[]} */
  let selected = [];

  for (const view of data.views) choice.append(h("option", { value: view.id }, view.name));
  choice.closest("label")?.toggleAttribute("hidden", data.views.length < 2);

  /** Identities that a shape, line or border stands for. @param {Element} part */
  const identities = (part) => part.getAttribute("data-id")?.split("\n") ?? [];
  const parts = () => [...(svg?.querySelectorAll(".ks-element, .ks-flow") ?? [])];
  const shapes = () => [...(svg?.querySelectorAll(".ks-element") ?? [])];

  /** @param {number} wanted @param {{ x: number, y: number }} [at] where in the frame the picture stays put */
  const zoom = (wanted, at = { x: frame.clientWidth / 2, y: frame.clientHeight / 2 }) => {
    if (!svg) return;
    const next = Math.min(4, Math.max(0.1, wanted));
    const [x, y] = [(frame.scrollLeft + at.x) / scale, (frame.scrollTop + at.y) / scale];
    scale = next;
    svg.style.width = `${svg.viewBox.baseVal.width * scale}px`;
    svg.style.height = `${svg.viewBox.baseVal.height * scale}px`;
    frame.scrollLeft = x * scale - at.x;
    frame.scrollTop = y * scale - at.y;
  };
  const fit = () => {
    if (svg) zoom(Math.min(1.25, (frame.clientWidth - 2) / svg.viewBox.baseVal.width));
  };

  /** @param {string} id */
  const showView = (id) => {
    const view = data.views.find((v) => v.id === id) ?? data.views[0];
    if (!view) return;
    choice.value = view.id;
    note.textContent = view.note;
    let next = first;
    if (view.svg !== undefined) {
      const node = new DOMParser().parseFromString(view.svg, "text/html").querySelector("svg");
      next = node && document.importNode(node, true);
    }
    if (next && next !== svg) {
      svg?.replaceWith(next);
      svg = next;
    }
    prepare();
    // What is too small to read is no picture: it starts at a size that can be read, and scrolls.
    scale = 1;
    fit();
    if (scale < 0.55) zoom(0.55);
  };

  /** Shapes are reached by arrow keys; the picture is one stop on the way of the tab key. */
  const prepare = () => {
    for (const [i, shape] of shapes().entries()) {
      shape.setAttribute("tabindex", i === 0 ? "0" : "-1");
      shape.setAttribute("role", "button");
    }
    // It is a picture until its shapes can be pressed.
    svg?.setAttribute("role", "group");
    mark();
  };

  /** Shows what is selected with its neighbours, and the rest pale. */
  const mark = () => {
    const wanted = new Set(selected);
    const near = new Set(selected);
    for (const id of selected) {
      const flow = data.flows[flowAt.get(id) ?? -1];
      const at = elementAt.get(id);
      const flows = flow ? [flow] : at === undefined ? [] : [...(incoming.get(at) ?? []), ...(outgoing.get(at) ?? [])];
      for (const f of flows) near.add(f.id).add(data.elements[f.from]?.id ?? "").add(data.elements[f.to]?.id ?? "");
    }
    for (const part of parts()) {
      const ids = identities(part);
      part.classList.toggle("ks-selected", ids.some((id) => wanted.has(id)));
      part.classList.toggle("ks-pale", selected.length > 0 && !ids.some((id) => near.has(id)));
    }
    const lines = [...(svg?.querySelectorAll(".ks-flow") ?? [])];
    for (const label of svg?.querySelectorAll(".ks-label") ?? []) {
      const about = (label.getAttribute("data-lines") ?? "").split(" ").map((i) => lines[Number(i)]);
      label.classList.toggle("ks-pale", about.every((line) => line?.classList.contains("ks-pale")));
    }
  };

  /** @param {string} id @returns {Child[]} */
  const about = (id) => {
    const at = elementAt.get(id);
    const element = at === undefined ? undefined : data.elements[at];
    const flow = data.flows[flowAt.get(id) ?? -1];
    if (flow) {
      const [from, to] = [data.elements[flow.from]?.name ?? "", data.elements[flow.to]?.name ?? ""];
      return [h("h3", {}, `${from} → ${to}`, h("small", {}, ` ${wireOf(flow) || flow.kind}`)), ...flowBody(flow)];
    }
    if (!element || at === undefined) {
      const boundary = data.boundaries.find((b) => b.id === id);
      const inside = data.views.find((v) => v.id === id);
      const open = h("button", { type: "button" }, "Open its picture");
      open.addEventListener("click", () => showView(id));
      return [h("h3", {}, boundary?.name ?? id), inside && h("p", {}, open)];
    }
    const flows = [...(incoming.get(at) ?? []), ...(outgoing.get(at) ?? [])];
    const place = data.boundaries[element.at];
    const threats = data.threats.filter((t) => t.about.includes(at));
    const lines = flows.map((f) => {
      const other = f.from === at ? f.to : f.from;
      const arrow = f.from === at ? "→ " : "← ";
      return h("li", {}, arrow, elementName(other), " ", linkTo(`flow-${f.id}`, h("small", {}, wireOf(f) || f.kind)));
    });
    return [
      h("h3", {}, element.name),
      h("p", {}, `${element.stencil}${place && place.kind !== "workload" ? ` in ${place.name}` : ""}`),
      element.service && h("p", {}, linkTo(`service-${element.id}`, "All about this service")),
      h("h4", {}, threats.length > 0 ? "Threats" : "No threat was found"),
      threats.length > 0 && threatLinks(threats),
      lines.length > 0 && h("h4", {}, "Neighbours"),
      h("ul", { class: "plain" }, lines),
    ];
  };

  /** Ends the selection; who came by keyboard goes on where he was. */
  const leave = () => {
    const shape = shapes().find((s) => s.classList.contains("ks-selected"));
    select([]);
    if (shape instanceof SVGElement) shape.focus({ preventScroll: true });
  };

  /** Selects by identity; nothing to end it. @param {string[]} ids */
  const select = (ids) => {
    selected = ids;
    const missing = ids.length > 0 && !parts().some((p) => identities(p).some((id) => ids.includes(id)));
    if (missing) {
      const at = elementAt.get(ids[0] ?? "");
      const inner = at === undefined ? undefined : data.boundaries[data.elements[at]?.at ?? -1];
      const view = data.views.find((v) => v.id === inner?.id || (at !== undefined && v.svg?.includes(`data-id="${data.elements[at]?.id}"`)));
      if (view) showView(view.id);
    }
    mark();
    panel.hidden = ids.length === 0;
    if (ids.length === 0) return;
    const close = h("button", { type: "button", class: "close", "aria-label": "Close" }, "×");
    close.addEventListener("click", leave);
    panel.replaceChildren(close, ...ids.slice(0, 20).flatMap((id) => about(id).filter((c) => c instanceof Node)));
    const part = parts().find((p) => p.classList.contains("ks-selected"));
    const box = part?.getBoundingClientRect();
    const around = frame.getBoundingClientRect();
    if (box && (box.right < around.left || box.left > around.right || box.bottom < around.top || box.top > around.bottom)) {
      frame.scrollLeft += box.left + box.width / 2 - (around.left + around.width / 2);
      frame.scrollTop += box.top + box.height / 2 - (around.top + around.height / 2);
    }
    if (around.bottom < 0 || around.top > innerHeight) frame.scrollIntoView({ block: "center" });
  };

  // Moving by the pointer, and clicking what did not move.
  /** @type {{ x: number, y: number, left: number, top: number, moved: boolean } | null} */
  let drag = null;
  frame.addEventListener("pointerdown", (e) => {
    if (e.pointerType === "mouse" && e.button === 0) {
      drag = { x: e.clientX, y: e.clientY, left: frame.scrollLeft, top: frame.scrollTop, moved: false };
    }
  });
  addEventListener("pointermove", (e) => {
    if (!drag) return;
    const [dx, dy] = [e.clientX - drag.x, e.clientY - drag.y];
    if (Math.abs(dx) + Math.abs(dy) > 4) drag.moved = true;
    if (drag.moved) {
      frame.classList.add("moving");
      frame.scrollLeft = drag.left - dx;
      frame.scrollTop = drag.top - dy;
    }
  });
  let justMoved = false;
  addEventListener("pointerup", () => {
    justMoved = drag?.moved ?? false;
    drag = null;
    frame.classList.remove("moving");
  });
  frame.addEventListener("click", (e) => {
    if (justMoved || !(e.target instanceof Element)) return;
    const part = e.target.closest(".ks-element, .ks-flow");
    select(part ? identities(part) : []);
  });
  frame.addEventListener(
    "wheel",
    (e) => {
      if (!e.ctrlKey && !e.metaKey) return;
      e.preventDefault();
      const around = frame.getBoundingClientRect();
      zoom(scale * Math.exp(-e.deltaY / 300), { x: e.clientX - around.left, y: e.clientY - around.top });
    },
    { passive: false },
  );

  /** The nearest shape in a direction. @param {Element} from @param {number} dx @param {number} dy */
  const neighbour = (from, dx, dy) => {
    /** @param {Element} e */
    const middle = (e) => {
      const box = e.getBoundingClientRect();
      return { x: box.left + box.width / 2, y: box.top + box.height / 2 };
    };
    const here = middle(from);
    let best = { cost: Infinity, shape: from };
    for (const shape of shapes()) {
      const there = middle(shape);
      const along = (there.x - here.x) * dx + (there.y - here.y) * dy;
      const aside = Math.abs((there.x - here.x) * dy) + Math.abs((there.y - here.y) * dx);
      if (shape !== from && along > 1 && along + 2 * aside < best.cost) best = { cost: along + 2 * aside, shape };
    }
    return best.shape;
  };
  frame.addEventListener("keydown", (e) => {
    const shape = e.target instanceof Element ? e.target.closest(".ks-element") : null;
    const [dx, dy] = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowDown: [0, 1], ArrowUp: [0, -1] }[e.key] ?? [0, 0];
    if (shape && (dx || dy)) {
      const next = neighbour(shape, dx ?? 0, dy ?? 0);
      shape.setAttribute("tabindex", "-1");
      next.setAttribute("tabindex", "0");
      if (next instanceof SVGElement) next.focus();
    } else if (shape && (e.key === "Enter" || e.key === " ")) {
      select(identities(shape));
      panel.focus();
    } else if (e.key === "+" || e.key === "=") zoom(scale * 1.25);
    else if (e.key === "-") zoom(scale / 1.25);
    else if (e.key === "0") fit();
    else return;
    e.preventDefault();
  });
  addEventListener("keydown", (e) => {
    if (e.key === "Escape" && selected.length > 0) leave();
  });

  const look = () => {
    const words = search.value.toLowerCase().trim();
    const hits = shapes().filter((s) => {
      const hit = words !== "" && `${s.querySelector("title")?.textContent}`.toLowerCase().includes(words);
      s.classList.toggle("ks-found", hit);
      return hit;
    });
    found.textContent = words === "" ? "" : counted(hits.length, "shape", "shapes");
    return hits;
  };
  search.addEventListener("input", look);
  search.addEventListener("keydown", (e) => {
    const hit = look()[0];
    if (e.key === "Enter" && hit) select(identities(hit));
  });
  choice.addEventListener("change", () => {
    select([]);
    showView(choice.value);
    look();
  });
  byId("zoom-in", HTMLButtonElement).addEventListener("click", () => zoom(scale * 1.25));
  byId("zoom-out", HTMLButtonElement).addEventListener("click", () => zoom(scale / 1.25));
  byId("zoom-fit", HTMLButtonElement).addEventListener("click", fit);
  frame.classList.add("live");
  showView("whole");
  return { select, showView };
})();
