/** The example of a page that follows: its one command, and nodes that are killed and come back. */
import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Browser, BrowserContextOptions, Page } from 'playwright';
import { chromium as engine } from 'playwright';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { freeAddresses } from '../adapters/free-addresses.js';
import { until } from '../cluster/cluster.js';
import { chromium } from './chromium.js';

const root = fileURLToPath(new URL('../..', import.meta.url));

let browser: Browser;
let data: string;
let example: ChildProcess;
let output = '';

beforeAll(async () => {
  browser = await engine.launch(chromium);
  data = await mkdtemp(join(tmpdir(), 'observe-'));
  const ports = (await freeAddresses(3)).map((address) => address.split(':')[1]).join();
  const env = { ...process.env, DATA: data, PORTS: ports, PAGE: '0' };
  example = spawn(process.execPath, ['examples/observe/start.mjs'], { cwd: root, env });
  example.stdout?.on('data', (chunk: Buffer) => (output += chunk.toString()));
  example.stderr?.resume();
  await until('it has started', async () => output.includes('Ctrl-C stops it'));
});

afterAll(async () => {
  await browser.close();
  const closed = once(example, 'close');
  example.kill('SIGINT');
  // Its nodes hold its output open: they stop with it.
  await closed;
  await rm(data, { recursive: true, force: true });
});

async function open(options: BrowserContextOptions = {}): Promise<Page> {
  const page = await (await browser.newContext(options)).newPage();
  await page.goto(/http:\S+/.exec(output)?.[0] ?? '');
  return page;
}

const text = (page: Page, id: string): Promise<string> => page.locator(`#${id}`).innerText();
const sum = async (page: Page): Promise<number> => Number(await text(page, 'sum'));
const word = (page: Page) => () => text(page, 'word');

it('follows through the loss of all nodes, says that it is stale, and goes on where it was', async () => {
  const page = await open();
  await expect.poll(word(page)).toBe('Live');
  await expect.poll(() => sum(page)).toBeGreaterThan(3);
  const pids = /stale: +kill -9 (.*)/.exec(output)?.[1]?.split(' ').map(Number) ?? [];
  expect(pids.length).toBe(3);
  for (const pid of pids) process.kill(pid, 'SIGKILL');
  await expect.poll(word(page), { interval: 20 }).toBe('Reconnecting');
  await expect.poll(word(page)).toBe('Stale');
  expect(await text(page, 'text')).toMatch(/^this is \d+ seconds old: no node answers/);
  const before = await sum(page);
  await expect.poll(word(page)).toBe('Live');
  await expect.poll(() => sum(page)).toBeGreaterThan(before);
  await page.reload();
  await expect.poll(() => sum(page)).toBeGreaterThan(before);
});

it('has room on a narrow screen, light and dark', async () => {
  for (const colorScheme of ['light', 'dark'] as const) {
    const page = await open({ colorScheme, viewport: { width: 320, height: 640 } });
    await expect.poll(word(page)).toBe('Live');
    const [inner, scroll] = await page.evaluate<[number, number]>(
      '[innerWidth, document.documentElement.scrollWidth]',
    );
    expect(scroll).toBeLessThanOrEqual(inner);
    const paper = await page.evaluate('getComputedStyle(document.documentElement).backgroundColor');
    expect(paper).toBe(colorScheme === 'light' ? 'rgb(247, 246, 243)' : 'rgb(18, 21, 28)');
  }
});
