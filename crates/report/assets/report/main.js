// Where addresses lead to, and what happens around printing.

/** Opens what an address names: a threat, a service, a flow, a type of threat, a picture. */
const openAddress = () => {
  let id = location.hash.slice(1);
  try {
    id = decodeURIComponent(id);
  } catch {
    return;
  }
  if (id === "") return;
  const threat = data.threats.find((t) => threatId(t) === id);
  const element = id.startsWith("service-") ? elementAt.get(id.slice("service-".length)) : undefined;
  const flow = id.startsWith("flow-") ? data.flows[flowAt.get(id.slice("flow-".length)) ?? -1] : undefined;
  const type = id.startsWith("type-") ? data.types.findIndex((t) => t?.id === id.slice("type-".length)) : -1;
  if (threat) threatList.reveal(threat);
  if (element !== undefined) services.reveal(element);
  if (flow) interactions.reveal(flow);
  if (type >= 0) {
    threatList.onlyType(type);
    byId("threats", HTMLElement).scrollIntoView();
    return;
  }
  const target = document.getElementById(id);
  if (!target) return;
  for (const old of document.querySelectorAll(".target")) old.classList.remove("target");
  if (target instanceof HTMLDetailsElement) {
    target.classList.add("target");
    openNow(target);
    target.querySelector("summary")?.focus({ preventScroll: true });
  }
  target.scrollIntoView();
};

addEventListener("hashchange", openAddress);
// The same link again is no change of the address.
addEventListener("click", (e) => {
  const link = e.target instanceof Element ? e.target.closest("a[href^='#']") : null;
  if (link instanceof HTMLAnchorElement && link.hash === location.hash) openAddress();
});

addEventListener("beforeprint", () => {
  for (const list of [threatList, services, interactions]) list.all();
  for (const details of document.querySelectorAll("details")) {
    if (!details.closest("#interactions")) openNow(details);
  }
});
addEventListener("afterprint", () => {
  for (const list of [threatList, services, interactions]) list.some();
});

document.documentElement.classList.add("ready");
openAddress();
