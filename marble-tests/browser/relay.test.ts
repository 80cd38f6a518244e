/**
 * Through a relay pages of two browsers and a process of Node are one cluster. The pages are served
 * from another origin than the relay's, and must be allowed to dial it (H3).
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import type { Page } from 'playwright';
import { chromium as engine } from 'playwright';
import { afterEach, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { relay } from '../../adapters/relay.js';
import { chromium } from './chromium.js';
import { runNode, type RelayedNode } from './relayed-node.js';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function listening(
  body = '',
): Promise<{ server: ReturnType<typeof createServer>; port: number }> {
  const server = createServer((_, response) => {
    response.writeHead(200, { 'content-type': 'text/html' }).end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  cleanups.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return { server, port: (server.address() as AddressInfo).port };
}

async function script(): Promise<string> {
  const entry = fileURLToPath(new URL('relayed-node.ts', import.meta.url));
  const { outputFiles } = await build({ entryPoints: [entry], bundle: true, write: false });
  return outputFiles.map(({ text }) => text).join('');
}

interface Global {
  readonly runNode: typeof runNode;
  node: RelayedNode;
}

/** A node in a browser of its own. */
async function inPage(page: Page, id: string, url: string) {
  await page.evaluate(
    (options) => {
      const all = globalThis as unknown as Global;
      all.node = all.runNode(options);
    },
    { id, url, token: 'secret' },
  );
  return {
    role: () => page.evaluate(() => (globalThis as unknown as Global).node.role),
    sum: () => page.evaluate(() => (globalThis as unknown as Global).node.sum),
    lost: () => page.evaluate(() => (globalThis as unknown as Global).node.lost),
    add: () => page.evaluate(() => (globalThis as unknown as Global).node.add(1)),
  };
}

async function pages(address: string, count: number): Promise<Page[]> {
  const browser = await engine.launch(chromium);
  cleanups.push(() => browser.close());
  const opened: Page[] = [];
  for (; count > 0; count -= 1) {
    const page = await (await browser.newContext()).newPage();
    await page.goto(address);
    await page.addScriptTag({ content: await script() });
    opened.push(page);
  }
  return opened;
}

it('two browsers and a process agree through a relay', async () => {
  const { port } = await listening('<!doctype html><title>a node</title>');
  const origin = `http://127.0.0.1:${port}`;
  const hub = await listening();
  const url = `ws://127.0.0.1:${hub.port}/relay`;
  const relaying = relay(hub.server, { cluster: 'relayed', token: 'secret', origins: [origin] });
  const subscription = relaying.subscribe();
  cleanups.push(() => subscription.unsubscribe());
  const [first, second] = await pages(origin, 2);
  if (first === undefined || second === undefined) throw new Error('two pages were opened');
  const here = runNode({ id: 'a', url, token: 'secret', WebSocket: WebSocket as never });
  cleanups.push(() => here.stop());
  const nodes = [
    { role: () => here.role, sum: () => here.sum, add: () => here.add(1) },
    await inPage(first, 'b', url),
    await inPage(second, 'c', url),
  ];
  /** Adds where the leader is, which may change meanwhile. */
  const add = async (): Promise<number> => {
    for (const { role, add } of nodes) if ((await role()) === 'leader') return add().catch(() => 0);
    return 0;
  };
  await expect.poll(add).toBeGreaterThan(0);
  const sum = await add();
  await expect
    .poll(() => Promise.all(nodes.map(async (node) => node.sum())))
    .toEqual([sum, sum, sum].map(() => expect.toSatisfy((each: number) => each >= sum) as number));
});

it('a page of an origin that is not on the list is refused (H3)', async () => {
  const { port } = await listening('<!doctype html><title>a stranger</title>');
  const hub = await listening();
  const events: unknown[] = [];
  const onEvent = (event: unknown): void => void events.push(event);
  const relaying = relay(hub.server, { cluster: 'relayed', token: 'secret', onEvent }).subscribe();
  cleanups.push(() => relaying.unsubscribe());
  const [page] = await pages(`http://127.0.0.1:${port}`, 1);
  if (page === undefined) throw new Error('a page was opened');
  const node = await inPage(page, 'a', `ws://127.0.0.1:${hub.port}/relay`);
  await expect.poll(() => node.lost()).toContain('it can not be reached');
  expect(events).toContainEqual({ type: 'refused', from: null, reason: 'origin' });
});
