/**
 * The example of three tabs, in real ones: they agree, they survive the end of the leader's tab and
 * its freezing, and they find everything again.
 */
import { fileURLToPath } from 'node:url';
import { context } from 'esbuild';
import type { Browser, BrowserContext, Page } from 'playwright';
import { chromium as engine } from 'playwright';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { chromium } from './chromium.js';

const folder = fileURLToPath(new URL('../../examples/tabs', import.meta.url));

let browser: Browser;
let address = '';
let stop: () => Promise<void>;

beforeAll(async () => {
  const bundle = await context({
    entryPoints: [`${folder}/tab.ts`],
    bundle: true,
    outdir: folder,
    write: false,
  });
  const { port } = await bundle.serve({ servedir: folder, host: '127.0.0.1', port: 0 });
  address = `http://127.0.0.1:${port}/`;
  stop = () => bundle.dispose();
  browser = await engine.launch(chromium);
});

afterAll(async () => {
  await browser.close();
  await stop();
});

/** One user's tabs: they share a disk and its locks, and nothing with those of another test. */
let tabs: BrowserContext;
beforeEach(async () => {
  tabs = await browser.newContext();
});
afterEach(() => tabs.close());

async function visit(): Promise<Page> {
  const page = await tabs.newPage();
  await page.goto(address);
  return page;
}

const text = (page: Page, id: string): Promise<string> => page.locator(`#${id}`).innerText();
const texts = (pages: Page[], id: string) => Promise.all(pages.map((page) => text(page, id)));
const sums = async (pages: Page[]) => (await texts(pages, 'sum')).map(Number);
const isSeated = async (page: Page) => /^[abc]$/.test(await text(page, 'node'));

/** Tabs that have become nodes. */
async function open(count: number): Promise<Page[]> {
  const pages: Page[] = [];
  while (pages.length < count) {
    const page = await visit();
    await expect.poll(() => isSeated(page)).toBe(true);
    pages.push(page);
  }
  return pages;
}

/** Until these tabs agree that one of them leads. */
async function leaderOf(pages: Page[]): Promise<Page> {
  let found: Page | undefined;
  const isAgreed = async (): Promise<boolean> => {
    const at = (await texts(pages, 'role')).indexOf('leader');
    const [nodes, told] = [await texts(pages, 'node'), await texts(pages, 'leader')];
    found = pages[at];
    return at >= 0 && told.every((each) => each === nodes[at]);
  };
  await expect.poll(isAgreed).toBe(true);
  if (found === undefined) throw new Error('no leader');
  return found;
}

/** Adds until that is acknowledged: the sum that the tab is told then. */
async function add(page: Page): Promise<number> {
  for (let tries = 0; tries < 100; tries += 1) {
    await page.locator('#said').evaluate((element) => (element.textContent = ''));
    await page.locator('#add').click();
    await expect.poll(() => text(page, 'said')).not.toBe('');
    const [, sum] = /^it is (\d+)$/.exec(await text(page, 'said')) ?? [];
    if (sum !== undefined) return Number(sum);
  }
  throw new Error('nothing was acknowledged');
}

async function addInEach(pages: Page[]): Promise<number> {
  let sum = 0;
  for (const page of pages) {
    const next = await add(page);
    expect(next).toBeGreaterThan(sum);
    sum = next;
  }
  return sum;
}

describe('three tabs', () => {
  it('agree; when the leader is closed another leads, and nothing acknowledged is lost', async () => {
    const pages = await open(3);
    expect((await texts(pages, 'node')).sort()).toEqual(['a', 'b', 'c']);
    const first = await leaderOf(pages);
    const before = await addInEach(pages);
    expect(before).toBeGreaterThanOrEqual(3);
    await expect.poll(() => sums(pages)).toEqual([before, before, before]);

    await first.close();
    const rest = pages.filter((page) => page !== first);
    await leaderOf(rest);
    const after = await addInEach(rest);
    expect(after).toBeGreaterThanOrEqual(before + 2);
    const [third] = await open(1);
    if (third !== undefined) rest.push(third);
    await expect.poll(() => sums(rest)).toEqual([after, after, after]);
  });

  it('find it all in IndexedDB again: reloaded, each as who it was, and closed and opened', async () => {
    const pages = await open(3);
    await leaderOf(pages);
    const sum = await addInEach(pages);
    const nodes = await texts(pages, 'node');
    await Promise.all(pages.map((page) => page.reload()));
    await leaderOf(pages);
    await expect.poll(() => sums(pages)).toEqual([sum, sum, sum]);
    expect(await texts(pages, 'node')).toEqual(nodes);
    await Promise.all(pages.map((page) => page.close()));
    const again = await open(3);
    await leaderOf(again);
    await expect.poll(() => sums(again)).toEqual([sum, sum, sum]);
  });

  it('are all: a fourth is told so, and takes the seat of one that goes (G10)', async () => {
    const [first] = await open(3);
    const fourth = await visit();
    await expect.poll(() => text(fourth, 'said')).toContain('three tabs are open already');
    await first?.close();
    const isSeatedNow = async (): Promise<boolean> => {
      await fourth.reload();
      const isDecided = async () => (await isSeated(fourth)) || (await text(fourth, 'said')) !== '';
      await expect.poll(isDecided).toBe(true);
      return isSeated(fourth);
    };
    await expect.poll(isSeatedNow).toBe(true);
  });

  it('I2: a leader whose tab stands still gives way, and follows when it goes on', async () => {
    const pages = await open(3);
    const first = await leaderOf(pages);
    const before = await add(first);
    const session = await tabs.newCDPSession(first);
    await session.send('Debugger.enable');
    await session.send('Debugger.pause');
    const second = await leaderOf(pages.filter((page) => page !== first));
    const after = await add(second);
    expect(after).toBeGreaterThan(before);
    await session.send('Debugger.disable');
    expect(await leaderOf(pages)).toBe(second);
    await expect.poll(() => sums(pages)).toEqual([after, after, after]);
  });
});
