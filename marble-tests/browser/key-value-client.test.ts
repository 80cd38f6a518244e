/** The typed client of the store in a page of its own origin, through the loss of the leader. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import type { Browser, Page } from 'playwright';
import { chromium as driver } from 'playwright';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { cleanUp, Cluster } from '../cluster/cluster.js';
import { chromium } from './chromium.js';
import type { openStore, StorePage } from './store-page.js';

let browser: Browser;
let pages: Server;
let cluster: Cluster;
let script: string;

interface Global {
  readonly openStore: typeof openStore;
  store: StorePage;
}

const origin = (host: string): string => `http://${host}:${(pages.address() as AddressInfo).port}`;

beforeAll(async () => {
  browser = await driver.launch(chromium);
  const entry = fileURLToPath(new URL('store-page.ts', import.meta.url));
  const { outputFiles } = await build({ entryPoints: [entry], bundle: true, write: false });
  script = outputFiles.map(({ text }) => text).join('');
  pages = createServer((_, response) => {
    response.writeHead(200, { 'content-type': 'text/html' }).end('<!doctype html><title>a</title>');
  });
  await new Promise<void>((resolve) => pages.listen(0, '127.0.0.1', resolve));
  cluster = await Cluster.start({ allowOrigin: origin('127.0.0.1') });
});
afterAll(async () => {
  await browser.close();
  pages.closeAllConnections();
  pages.close();
  await cleanUp();
});

async function open(host: string): Promise<Page> {
  const page = await browser.newPage();
  page.setDefaultTimeout(60_000);
  await page.goto(origin(host));
  await page.addScriptTag({ content: script });
  await page.evaluate((nodes) => {
    const all = globalThis as unknown as Global;
    all.store = all.openStore(nodes);
  }, cluster.nodes);
  return page;
}

const put = (page: Page, value: string): Promise<string> =>
  page.evaluate((each) => (globalThis as unknown as Global).store.put(each), value);
const get = (page: Page): Promise<string | undefined> =>
  page.evaluate(() => (globalThis as unknown as Global).store.get());
const seen = (page: Page): Promise<(string | undefined)[]> =>
  page.evaluate(() => (globalThis as unknown as Global).store.seen);

it('puts, compares, gets and watches, and goes on when the leader is killed', async () => {
  const page = await open('127.0.0.1');
  expect(await put(page, 'blue')).toBe('done');
  expect(await page.evaluate(compare, ['green', 'red'])).toBe('conflict');
  expect(await page.evaluate(compare, ['blue', 'red'])).toBe('done');
  expect(await get(page)).toBe('red');
  await expect.poll(() => seen(page)).toContain('red');
  process.kill((await cluster.live()).leader.pid, 'SIGKILL');
  await expect.poll(() => put(page, 'green')).toBe('done');
  expect(await get(page)).toBe('green');
  await expect.poll(() => seen(page)).toContain('green');
});

function compare([expected = '', next = '']: string[]): Promise<string> {
  return (globalThis as unknown as Global).store.compareAndSet(expected, next);
}

it('of an origin that was not named is not let in (H3)', async () => {
  const page = await open('localhost');
  expect(await put(page, 'stolen')).toBe('notApplied');
  expect(await get(await open('127.0.0.1'))).not.toBe('stolen');
});
