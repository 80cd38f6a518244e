/** Three workers of one page, with a port between each two and a database each. */
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import type { Browser, Page } from 'playwright';
import { chromium as engine } from 'playwright';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { chromium } from './chromium.js';
import type { Said } from './worker-node.js';

let browser: Browser;
beforeAll(async () => {
  browser = await engine.launch(chromium);
});
afterAll(() => browser.close());

async function script(): Promise<string> {
  const entry = fileURLToPath(new URL('worker-node.ts', import.meta.url));
  const { outputFiles } = await build({ entryPoints: [entry], bundle: true, write: false });
  return outputFiles.map(({ text }) => text).join('');
}

/** A page on an origin with a secure context, which no server needs to serve. */
async function openPage(): Promise<Page> {
  const page = await (await browser.newContext()).newPage();
  const html = '<!doctype html><title>workers</title>';
  await page.route('https://workers.test/', (route) =>
    route.fulfill({ contentType: 'text/html', body: html }),
  );
  await page.goto('https://workers.test/');
  return page;
}

interface Running {
  readonly worker: Worker;
  role: string;
  sum: number;
  added: number;
  failed: string;
}

interface Global {
  running: Record<string, Running>;
}

/** Starts the three, with a port between each two. */
async function startAll(page: Page, source: string): Promise<void> {
  await page.evaluate((text) => {
    const url = URL.createObjectURL(new Blob([text], { type: 'text/javascript' }));
    const ids = ['a', 'b', 'c'];
    const running: Record<string, Running> = {};
    const ports: Record<string, Record<string, MessagePort>> = { a: {}, b: {}, c: {} };
    for (const one of ids) {
      for (const other of ids.filter((id) => id > one)) {
        const { port1, port2 } = new MessageChannel();
        Object.assign(ports[one] ?? {}, { [other]: port1 });
        Object.assign(ports[other] ?? {}, { [one]: port2 });
      }
    }
    for (const id of ids) {
      const worker = new Worker(url);
      const state: Running = { worker, role: '', sum: 0, added: 0, failed: '' };
      worker.onmessage = ({ data }: MessageEvent<Said>) => void Object.assign(state, data);
      running[id] = state;
      const own = ports[id] ?? {};
      worker.postMessage({ id, database: `worker ${id}`, ports: own }, Object.values(own));
    }
    (globalThis as unknown as Global).running = running;
  }, source);
}

/** What all say, in the order of their names. */
const told = <K extends 'role' | 'sum' | 'added' | 'failed'>(page: Page, key: K) =>
  page.evaluate(
    (each) => Object.values((globalThis as unknown as Global).running).map((state) => state[each]),
    key,
  ) as Promise<Running[K][]>;

const leaders = async (page: Page) =>
  (await told(page, 'role')).filter((each) => each === 'leader');

/** Adds one where the leader is. */
const add = (page: Page) =>
  page.evaluate(() => {
    const { running } = globalThis as unknown as Global;
    Object.values(running)
      .find(({ role }) => role === 'leader')
      ?.worker.postMessage(1);
  });

it('agree over ports; when the leader is ended another leads, and all is found again', async () => {
  const [page, source] = [await openPage(), await script()];
  await startAll(page, source);
  await expect.poll(() => leaders(page)).toEqual(['leader']);
  await add(page);
  await expect.poll(() => told(page, 'sum')).toEqual([1, 1, 1]);
  await page.evaluate(() => {
    const { running } = globalThis as unknown as Global;
    const [id, leader] = Object.entries(running).find(([, { role }]) => role === 'leader') ?? [];
    leader?.worker.terminate();
    if (id !== undefined) Reflect.deleteProperty(running, id);
  });
  await expect.poll(() => leaders(page)).toEqual(['leader']);
  await add(page);
  await expect.poll(() => told(page, 'sum')).toEqual([2, 2]);
  expect(await told(page, 'failed')).toEqual(['', '']);
  await page.reload();
  await startAll(page, source);
  await expect.poll(() => leaders(page)).toEqual(['leader']);
  await expect.poll(() => told(page, 'sum')).toEqual([2, 2, 2]);
});
