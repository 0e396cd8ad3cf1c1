// The HTML report in Debian's Chromium: what people do with it, and what hostile input must not do.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";
import { chromium } from "playwright-core";

const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), "../..");
const PROGRAM = process.env.KUBESTRIDE ?? join(ROOT, "target/debug/kubestride");
const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const folder = mkdtempSync(join(tmpdir(), "kubestride-"));

/** @type {import("playwright-core").Browser} */
let browser;
let shop = "";

/** Analyses manifests; gives the address of the report. */
const report = (/** @type {string} */ name, /** @type {string} */ input) => {
  const page = join(folder, `${name}.html`);
  execFileSync(PROGRAM, ["analyze", input, "-q", "-o", page], { cwd: ROOT, stdio: "pipe" });
  return pathToFileURL(page).href;
};

before(async () => {
  shop = report("shop", "examples/online-shop");
  browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: ["--no-sandbox"],
  });
});
after(() => browser.close());

/**
 * Opens a page; anything that the browser complains about, and any request for something else, is a failure.
 * @param {string} address
 * @param {(page: import("playwright-core").Page) => Promise<void>} body
 * @param {import("playwright-core").BrowserContextOptions} [options]
 */
const visit = async (address, body, options = {}) => {
  const context = await browser.newContext({ viewport: { width: 1300, height: 900 }, ...options });
  const page = await context.newPage();
  /** @type {string[]} */
  const complaints = [];
  page.on("console", (message) => complaints.push(message.text()));
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("dialog", (dialog) => {
    complaints.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  page.on("request", (request) => {
    if (request.url().split("#")[0] !== address.split("#")[0]) complaints.push(`request: ${request.url()}`);
  });
  await page.addInitScript(() => {
    addEventListener("securitypolicyviolation", (e) => console.error(`policy: ${e.violatedDirective} ${e.blockedURI}`));
  });
  await page.goto(address);
  await page.waitForSelector("html.ready");
  await body(page);
  assert.deepEqual(complaints, []);
  await context.close();
};

const rows = (/** @type {import("playwright-core").Page} */ page) => page.locator("#threat-list details.threat");
const count = (/** @type {import("playwright-core").Page} */ page) =>
  page.locator("#threat-count").textContent().then((text) => Number(text?.split(" ")[0]));

test("filters and search narrow the list of threats", () =>
  visit(shop, async (page) => {
    const open = await count(page);
    assert.ok(open > 30);
    assert.equal(await rows(page).count(), Math.min(open, 100));
    await page.selectOption("#threat-severity", { label: "high" });
    const high = await count(page);
    assert.ok(high > 0 && high < open);
    for (const row of await rows(page).all()) assert.match((await row.textContent()) ?? "", /^high/);
    await page.selectOption("#threat-category", { label: "Elevation Of Privilege" });
    assert.ok((await count(page)) < high);
    await page.click("#threat-clear");
    assert.equal(await count(page), open);
    await page.selectOption("#threat-state", { label: "Mitigated" });
    assert.ok((await count(page)) > 0);
    await page.click("#threat-clear");
    await page.selectOption("#threat-place", { label: "Namespace payments" });
    assert.ok((await count(page)) > 0 && (await count(page)) < open);
    await page.click("#threat-clear");
    await page.selectOption("#threat-type", { label: "Cleartext traffic" });
    assert.ok((await count(page)) > 1);
    await page.click("#threat-clear");
    // A name of a file, and a word of the text.
    await page.fill("#threat-search", "log-shipper.yaml privileged");
    await page.waitForFunction((all) => !document.querySelector("#threat-count")?.textContent?.startsWith(`${all} `), open);
    assert.ok((await rows(page).allTextContents()).some((text) => text.includes("can take over its node")));
    await page.fill("#threat-search", "no such words");
    await page.waitForFunction(() => document.querySelector("#threat-count")?.textContent?.startsWith("0 "));
    assert.equal(await rows(page).count(), 0);
  }));

test("the list can be sorted", () =>
  visit(shop, async (page) => {
    const titles = () => page.locator("#threat-list .title").allTextContents();
    const severities = () => page.locator("#threat-list summary .severity").allTextContents();
    const order = ["critical", "high", "medium", "low"];
    const ranks = (await severities()).map((s) => order.indexOf(s));
    assert.deepEqual(ranks, [...ranks].sort((a, b) => a - b));
    await page.selectOption("#threat-order", "title");
    const sorted = await titles();
    assert.deepEqual(sorted, [...sorted].sort((a, b) => a.localeCompare(b)));
  }));

test("a click in the picture leads to a threat", () =>
  visit(shop, async (page) => {
    await page.locator('.ks-element[data-id="Deployment/shop/orders"]').click();
    const panel = page.locator("#panel");
    await panel.waitFor();
    assert.match((await panel.textContent()) ?? "", /orders.*Threats.*Neighbours/s);
    const threat = panel.locator("a", { hasText: "orders logs in to orders-db in clear text" });
    await threat.click();
    const opened = page.locator("details.threat[open]");
    assert.match((await opened.textContent()) ?? "", /Evidence.*What to do.*How to verify/s);
    assert.ok(await opened.locator("summary").evaluate((e) => e === document.activeElement));
  }));

test("a click on a flow shows the boundaries that it crosses", () =>
  visit(shop, async (page) => {
    await page.locator('.ks-flow[data-id*="Deployment/shop/orders->StatefulSet/shop-data/orders-db"] path').first().dispatchEvent("click");
    await page.locator("#panel").waitFor();
    assert.match((await page.locator("#panel").textContent()) ?? "", /Crosses.*Namespace shop.*Namespace shop-data/s);
  }));

test("links to threats, services, interactions and types open them", async () => {
  const open = async (/** @type {string} */ id, /** @type {string} */ selector) =>
    visit(`${shop}#${encodeURIComponent(id)}`, async (page) => {
      const target = page.locator(selector);
      await target.waitFor();
      assert.ok(await target.evaluate((e) => e instanceof HTMLDetailsElement && e.open));
      assert.ok(await target.evaluate((e) => Math.abs(e.getBoundingClientRect().top) < innerHeight));
    });
  const threat = "privileged-container@DaemonSet/shop-data/log-shipper#fluent-bit";
  await open(threat, "details.threat.target");
  await open("service-Deployment/shop/orders", "details.service.target");
  await open("flow-Deployment/shop/orders->StatefulSet/shop-data/orders-db:traffic:PostgreSQL/5432", "details.flow.target");
  await visit(`${shop}#type-cleartext-traffic`, async (page) => {
    assert.match((await rows(page).first().textContent()) ?? "", /in clear text/);
  });
  await visit(`${shop}#%zz`, async () => {});
  await visit(`${shop}#no-such-thing`, async () => {});
});

test("a fix can be copied", () =>
  visit(
    shop,
    async (page) => {
      await rows(page).first().locator("summary").click();
      await rows(page).first().locator(".code button").first().click();
      const copied = await page.evaluate(() => navigator.clipboard.readText());
      assert.match(copied, /apiVersion|kind|:/);
    },
    { permissions: ["clipboard-read", "clipboard-write"] },
  ));

test("everything can be done by keyboard", () =>
  visit(shop, async (page) => {
    const focused = () => page.evaluate(() => document.activeElement?.closest(".ks-element")?.getAttribute("data-id"));
    await page.locator("#diagram-search").focus();
    for (let i = 0; i < 10 && !(await focused()); i++) await page.keyboard.press("Tab");
    const first = await focused();
    assert.ok(first, "the picture is reached with the tab key");
    await page.keyboard.press("ArrowRight");
    assert.notEqual(await focused(), first);
    await page.keyboard.press("Enter");
    await page.locator("#panel").waitFor();
    await page.keyboard.press("Escape");
    await page.locator("#panel").waitFor({ state: "hidden" });
    assert.ok(await focused(), "the focus is back in the picture");
    await rows(page).nth(1).locator("summary").focus();
    await page.keyboard.press("Enter");
    await rows(page).nth(1).locator("h4").first().waitFor();
  }));

test("the picture can be zoomed, moved and searched", () =>
  visit(shop, async (page) => {
    const width = () => page.locator(".ks-diagram").evaluate((e) => e.getBoundingClientRect().width);
    const before = await width();
    await page.getByRole("button", { name: "Zoom in" }).click();
    assert.ok((await width()) > before);
    await page.getByRole("button", { name: "Fit" }).click();
    assert.ok(Math.abs((await width()) - before) < 2);
    await page.fill("#diagram-search", "orders-db");
    assert.ok((await page.locator(".ks-found").count()) > 0);
    await page.selectOption("#view", { label: "Namespace payments" });
    assert.equal(await page.locator('.ks-element[data-id="Deployment/payments/payment-gateway"]').count(), 1);
  }));

test("print shows the lists and leaves out what cannot be pressed", () =>
  visit(shop, async (page) => {
    await page.emulateMedia({ media: "print" });
    assert.equal(await page.locator(".tools").first().isVisible(), false);
    assert.equal(await page.locator(".ks-diagram").isVisible(), true);
    const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    assert.ok(overflow <= 0, `${overflow} px too wide`);
    await page.evaluate(() => dispatchEvent(new Event("beforeprint")));
    await rows(page).first().locator("h4").first().waitFor();
    const pdf = await page.pdf();
    assert.ok(pdf.length > 50_000);
    await page.evaluate(() => dispatchEvent(new Event("afterprint")));
  }));

test("a narrow screen shows all without scrolling sideways", () =>
  visit(
    shop,
    async (page) => {
      await rows(page).first().locator("summary").click();
      const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      assert.ok(overflow <= 0, `${overflow} px too wide`);
    },
    { viewport: { width: 360, height: 740 } },
  ));

for (const colorScheme of /** @type {const} */ (["light", "dark"])) {
  test(`axe finds nothing serious on a ${colorScheme} page`, () =>
    visit(
      shop,
      async (page) => {
        for (const row of [rows(page).first(), page.locator("details.service").first(), page.locator("details.flow").first()]) {
          await row.locator("summary").first().click();
        }
        await page.locator(".ks-element").first().press("Enter");
        await page.evaluate(AXE);
        const found = await page.evaluate(async () => {
          // @ts-expect-error: the script above defines it.
          const { violations } = await axe.run();
          return violations
            .filter((/** @type {any} */ v) => ["serious", "critical"].includes(v.impact))
            .map((/** @type {any} */ v) => `${v.id}: ${v.nodes.slice(0, 3).map((/** @type {any} */ n) => n.html).join(" | ")}`);
        });
        assert.deepEqual(found, []);
        const dark = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
        assert.equal(dark === "rgb(255, 255, 255)", colorScheme === "light");
      },
      { colorScheme },
    ));
}

test("nothing of the input runs or becomes markup", async () => {
  const bad = `'"></script></svg><script>alert(1)</script><img src=x onerror=alert(1)><svg onload=alert(1)>{{data}}`;
  const turned = "\u202egnp.exe\u2066";
  const object = (/** @type {string} */ name) => ({
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name, namespace: `ns-${bad}`, labels: { [bad]: bad }, annotations: { [bad]: `javascript:alert(1) ${bad}` } },
    spec: {
      selector: { matchLabels: { app: bad } },
      template: {
        metadata: { labels: { app: bad } },
        spec: {
          containers: [
            {
              name: `c-${bad}`,
              image: `registry.example/${bad}:latest`,
              securityContext: { privileged: true },
              env: [{ name: "URL", value: "http://other.example:80/" }, { name: bad, value: bad }],
            },
          ],
          volumes: [{ name: "v", hostPath: { path: `/${bad}` } }],
        },
      },
    },
  });
  const file = join(folder, "hostile.json");
  const items = [bad, `=cmd|' /C calc'!A0`, turned].map(object);
  writeFileSync(file, JSON.stringify({ apiVersion: "v1", kind: "List", items }));
  await visit(report("hostile", file), async (page) => {
    for (const list of ["threat", "service", "flow"]) {
      for (const row of await page.locator(`#${list}-list details`).all()) await row.locator("summary").first().click();
    }
    for (const shape of await page.locator(".ks-element").all()) await shape.dispatchEvent("click");
    assert.equal(await page.locator("img, iframe, object, embed").count(), 0);
    assert.equal(await page.locator("script").count(), 2);
    const text = await page.locator("body").innerText();
    assert.ok(!/[\u202a-\u202e\u2066-\u2069]/.test(text), "direction marks");
    assert.ok(text.includes("<img src=x"), "shown as text");
  });
});

test("ten thousand threats: a page of rows, and at most a kilobyte for each", async () => {
  const workloads = Array.from({ length: 1700 }, (_, i) =>
    JSON.stringify({
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name: `pod-${i}`, namespace: `n${i % 40}` },
      spec: {
        hostNetwork: true,
        hostPID: true,
        hostIPC: true,
        shareProcessNamespace: true,
        containers: [
          { name: "a", image: "registry.example/a", securityContext: { privileged: true, runAsUser: 0 } },
          { name: "b", image: "registry.example/b", securityContext: { procMount: "Unmasked", runAsUser: 0 } },
        ],
      },
    }),
  );
  const file = join(folder, "many.yaml");
  writeFileSync(file, workloads.join("\n---\n"));
  const address = report("many", file);
  await visit(address, async (page) => {
    const threats = await count(page);
    assert.ok(threats >= 10_000, `${threats} threats`);
    const bytes = readFileSync(new URL(address)).length;
    console.log(`${threats} threats: ${bytes} bytes, ${Math.round(bytes / threats)} for each`);
    assert.ok(bytes / threats <= 1024);
    assert.ok((await rows(page).count()) <= 100);
    await page.fill("#threat-search", "pod-17");
    await page.waitForFunction((all) => !document.querySelector("#threat-count")?.textContent?.startsWith(`${all} `), threats);
    assert.ok((await rows(page).count()) <= 100);
    const nodes = await page.evaluate(() => document.querySelectorAll("#threat-list *").length);
    assert.ok(nodes < 3000, `${nodes} nodes`);
  });
});
