/** The live page in a real Chromium, against a real cluster. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Browser, BrowserContextOptions, Locator, Page } from 'playwright';
import { chromium as driver } from 'playwright';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import {
  cleanUp,
  Cluster,
  freePorts,
  isAlive,
  Run,
  temporaryFolder,
  until,
} from '../cluster/cluster.js';
import { chromium } from './chromium.js';

let browser: Browser;
let cluster: Cluster;
/** Of `start`, with the secret. */
let address: string;
const faults: string[] = [];

beforeAll(async () => {
  browser = await driver.launch(chromium);
  cluster = await Cluster.start();
  address = /http:\S+\/#\S+/.exec(cluster.run.output)?.[0] ?? '';
});
afterAll(async () => {
  await browser.close();
  await cleanUp();
});
afterEach(async () => {
  for (const context of browser.contexts()) await context.close();
  expect(faults.splice(0)).toEqual([]);
});

async function open(url = address, options: BrowserContextOptions = {}): Promise<Page> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(60_000);
  page.on('pageerror', (error) => faults.push(error.stack ?? error.message));
  await page.goto(url);
  return page;
}

const headline = (page: Page): Locator => page.locator('#headline');

async function says(where: Locator, text: RegExp): Promise<void> {
  await where.filter({ hasText: text }).first().waitFor();
}

async function leaderOf(page: Page): Promise<string> {
  await says(headline(page), /leads in term \d+ · 3 of 3 nodes answer/);
  return (await headline(page).locator('b').first().textContent()) ?? '';
}

/** As often as it takes: on a busy machine a leader may be lost at any time. */
async function putDone(page: Page): Promise<void> {
  const newest = page.locator('.said li').first();
  await expect
    .poll(
      async () => {
        await page.getByRole('button', { name: 'Put' }).click();
        await page.locator('.said li:not(.waiting)').first().waitFor();
        return newest.textContent();
      },
      { timeout: 90_000, interval: 500 },
    )
    .toContain('done: on the disks of a majority');
}

const rowOf = (page: Page, id: string): Locator => page.locator(`[data-node="${id}"]`);

describe('the live page', () => {
  it('appears whole, from its own server only, and shows who leads', async () => {
    const context = await browser.newContext();
    const page = await context.newPage();
    const requests: string[] = [];
    let bytes = 0;
    page.on('request', (request) => requests.push(request.url()));
    page.on('websocket', (socket) => requests.push(socket.url()));
    page.on('pageerror', (error) => faults.push(error.message));
    page.on('response', (response) => {
      void response.body().then((body) => (bytes += body.length));
    });
    await page.goto(address);
    const leader = await leaderOf(page);
    await says(rowOf(page, leader), /leader/);
    expect(await page.locator('.row.follower').count()).toBe(2);
    const hosts = [new URL(address).host, ...cluster.nodes];
    const foreign = requests.filter((url) => !hosts.includes(new URL(url).host));
    expect(foreign.filter((url) => !url.startsWith('data:'))).toEqual([]);
    expect(requests.length).toBeGreaterThan(5);
    expect(bytes).toBeGreaterThan(10_000);
    expect(bytes).toBeLessThan(150_000);
  });

  it('puts and reads, and shows the entry in the logs and on its way', async () => {
    const page = await open();
    await leaderOf(page);
    await page.getByRole('textbox', { name: 'Key' }).fill('fruit');
    await page.getByRole('textbox', { name: 'Value' }).fill('pear <b>&');
    await page.getByRole('button', { name: 'Put' }).click();
    const answers = page.locator('.said li');
    await says(answers.first(), /put fruit.*done: on the disks of a majority/);
    await page.locator('.marble.append').first().waitFor({ state: 'attached' });
    await page.getByRole('button', { name: 'Read' }).click();
    await says(answers.first(), /read fruit.*pear <b>&/);
    const { stdout } = await cluster.client(['get', 'fruit']);
    expect(stdout.toString()).toBe('pear <b>&');
    await page.getByRole('textbox', { name: 'Key' }).fill('nothing of the kind');
    await page.getByRole('button', { name: 'Read' }).click();
    await says(answers.first(), /there is no such key/);
  });

  it('kills the leader, shows the election and the next one, and starts it again', async () => {
    const page = await open();
    const first = await leaderOf(page);
    await rowOf(page, first)
      .getByRole('button', { name: `Kill ${first}` })
      .click();
    await says(headline(page), new RegExp(`(?!${first})n\\d leads in term \\d+ · 2 of 3 nodes`));
    await says(rowOf(page, first), /killed/);
    await page.locator('.marble.voteCall').first().waitFor({ state: 'attached' });
    await page.locator('.marble.voteGranted').first().waitFor({ state: 'attached' });
    await page.locator('.stretch.away').first().waitFor({ state: 'attached' });
    await putDone(page);
    await rowOf(page, first)
      .getByRole('button', { name: `Start ${first}` })
      .click();
    expect(await leaderOf(page)).not.toBe(first);
    await says(rowOf(page, first), /follower/);
  });

  it('freezes a node and thaws it', async () => {
    const page = await open();
    const first = await leaderOf(page);
    await rowOf(page, first)
      .getByRole('button', { name: `Freeze ${first}` })
      .click();
    await says(rowOf(page, first), /frozen/);
    await page.locator(`.row.leader:not([data-node="${first}"])`).waitFor();
    await rowOf(page, first)
      .getByRole('button', { name: `Thaw ${first}` })
      .click();
    await says(rowOf(page, first), /follower/);
    expect(await leaderOf(page)).not.toBe(first);
  });

  it('goes on after a reload, with its buttons', async () => {
    const page = await open();
    const leader = await leaderOf(page);
    await page.reload();
    await says(headline(page), /leads in term/);
    await rowOf(page, leader)
      .getByRole('button', { name: `Kill ${leader}` })
      .waitFor();
    await expect.poll(() => page.locator('.marble').count()).toBeGreaterThan(0);
  });

  it('is served by every node too, where it stops nobody', async () => {
    for (const node of cluster.nodes) {
      const page = await open(`http://${node}/`);
      await says(headline(page), /leads in term \d+/);
      await putDone(page);
      expect(await page.getByRole('button', { name: /Kill/ }).count()).toBe(0);
    }
  });

  it('writes by itself, and draws how much and how fast', async () => {
    const page = await open();
    await leaderOf(page);
    await page.getByText('50 a second').click();
    const curve = page.locator('.curve.median');
    await expect.poll(() => curve.getAttribute('d'), { timeout: 60_000 }).toContain('L');
    await page.getByText('off', { exact: true }).click();
    await says(page.locator('figcaption').first(), /\b0 \/s/);
  });
});

/** Stops processes as SIGSTOP does, with their sockets open, and lets them go on at the end. */
async function whileStopped(pids: readonly number[], body: () => Promise<void>): Promise<void> {
  for (const pid of pids) process.kill(pid, 'SIGSTOP');
  try {
    await body();
  } finally {
    for (const pid of pids) process.kill(pid, 'SIGCONT');
  }
}

describe('a node that is cut off', () => {
  it('is shown as silent, nothing of it as live, and as live again when it goes on', async () => {
    const page = await open();
    await leaderOf(page);
    const { followers } = await cluster.live();
    const [{ id, pid } = { id: '', pid: 0 }] = followers;
    const row = rowOf(page, id);
    let isDialled = false;
    const address = new URL(`ws://${cluster.nodes[Number(id.slice(1)) - 1] ?? ''}`).host;
    await whileStopped([pid], async () => {
      await says(row, /silent\s*for \d+ s/);
      await says(headline(page), /leads in term \d+ · 2 of 3 nodes answer/);
      expect(await row.locator('.number').allTextContents()).toEqual(['commit–', 'applied–']);
      expect(await row.locator('.cell.committed, .cell.open').count()).toBe(0);
      await says(page.locator('.lane.away'), new RegExp(`${id}\\s*silent`));
      await page.locator('.stretch.away').first().waitFor({ state: 'attached' });
      // In time the page gives that line up: it may have broken without a sign.
      page.on('websocket', (socket) => (isDialled ||= new URL(socket.url()).host === address));
      await expect.poll(() => isDialled).toBe(true);
      await says(row, /silent/);
      await putDone(page);
    });
    await leaderOf(page);
    await says(row, /follower/);
    await page.locator('.lane.away').waitFor({ state: 'detached' });
  });

  it('leads no more on the page when it led, though it has not heard of the next one', async () => {
    const page = await open();
    await leaderOf(page);
    const { leader } = await cluster.live();
    await whileStopped([leader.pid], async () => {
      const next = new RegExp(`(?!${leader.id})n\\d leads in term \\d+ · 2 of 3 nodes answer`);
      await says(headline(page), next);
      await says(rowOf(page, leader.id), /silent/);
      expect(await page.locator(`.row.leader[data-node="${leader.id}"]`).count()).toBe(0);
    });
    await says(rowOf(page, leader.id), /follower/);
    await leaderOf(page);
  });

  it('leaves the others without a majority: the page says that nothing is decided', async () => {
    const { leader, followers } = await cluster.live();
    const page = await open(`http://${cluster.nodes[Number(leader.id.slice(1)) - 1] ?? ''}/`);
    await leaderOf(page);
    const pids = followers.map(({ pid }) => pid);
    await whileStopped(pids, async () => {
      await says(headline(page), /Nothing is decided.* · 1 of 3 nodes answer/);
      await page.getByRole('button', { name: 'Put' }).click();
      await says(page.locator('.said li').first(), /refused|nobody knows whether it was done/);
      await says(headline(page), /Nothing is decided/);
      // Whatever they say, the rows stay as high as they were.
      await page.locator('.row.candidate').waitFor();
      const heights = await page.evaluate<number[]>(
        '[...document.querySelectorAll(".row[data-node]")].map((each) => each.offsetHeight)',
      );
      expect(new Set(heights).size).toBe(1);
    });
    await leaderOf(page);
    await putDone(page);
  });

  it('was killed, and served the page: the page goes on with the others, and finds it', async () => {
    const controls = await open();
    const id = await leaderOf(controls);
    const page = await open(`http://${cluster.nodes[Number(id.slice(1)) - 1] ?? ''}/`);
    await leaderOf(page);
    const row = rowOf(controls, id);
    await row.getByRole('button', { name: `Kill ${id}` }).click();
    await says(rowOf(page, id), /out of reach/);
    await says(headline(page), new RegExp(`(?!${id})n\\d leads in term \\d+ · 2 of 3`));
    await putDone(page);
    await row.getByRole('button', { name: `Start ${id}` }).click();
    await leaderOf(page);
    await says(rowOf(page, id), /follower/);
  });
});

/** Texts of the rows that need more room than they have. */
const clipped =
  '[...document.querySelectorAll(".row:not(.titles) > span:not(.log), .cell")]' +
  '.filter((each) => each.scrollWidth > each.clientWidth).map((each) => each.textContent)';

/** Texts with less contrast to what is behind them than WCAG 2.1 asks for (1.4.3). */
const faint = `[...document.querySelectorAll('main *')].flatMap((each) => {
  const texts = [...each.childNodes].filter((child) => child.nodeType === 3);
  const own = texts.map((child) => child.data);
  const isDrawn = each instanceof SVGElement;
  if (own.join('').trim() === '' || each.disabled || each.matches('.tip, .honesty p')) return [];
  const style = getComputedStyle(each);
  const rgb = (text) => text.match(/[\\d.]+/g).map(Number);
  const light = (text) => {
    const [r, g, b] = rgb(text).map((part) => part / 255)
      .map((part) => (part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const use = isDrawn ? each.closest('.marble')?.querySelector('use, path') : null;
  const isOnMarble = use && !each.matches('.count');
  let behind = isOnMarble ? getComputedStyle(use).fill : null;
  for (let at = each; behind === null; at = at.parentElement) {
    const color = at === null ? 'rgb(255, 255, 255)' : getComputedStyle(at).backgroundColor;
    if (rgb(color)[3] !== 0) behind = color;
  }
  const [a, b] = [light(isDrawn ? style.fill : style.color), light(behind)];
  const contrast = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
  return contrast < 4.5 ? [own.join('').trim() + ': ' + contrast.toFixed(2)] : [];
})`;

describe('everybody', () => {
  it('sees all of it on a narrow screen, without scrolling sideways', async () => {
    for (const width of [320, 390, 768, 1061, 1280]) {
      const page = await open(address, { viewport: { width, height: 700 } });
      await leaderOf(page);
      await page.locator('.marble').first().waitFor({ state: 'attached' });
      const [inner, scroll] = await page.evaluate<[number, number]>(
        'new Promise((done) => requestAnimationFrame(() => ' +
          'done([innerWidth, document.documentElement.scrollWidth])))',
      );
      expect(scroll, `${width}`).toBeLessThanOrEqual(inner);
      expect(await page.evaluate(clipped), `${width}`).toEqual([]);
      const log = page.locator('[data-node] .log').first();
      expect(await log.locator('.cell').count(), `${width}`).toBeGreaterThanOrEqual(8);
    }
  });

  it('reaches every control by keyboard', async () => {
    const page = await open();
    const leader = await leaderOf(page);
    await rowOf(page, leader)
      .getByRole('button', { name: `Kill ${leader}` })
      .waitFor();
    const all = await page.evaluate<string[]>(
      '[...document.querySelectorAll("button, input, summary, [tabindex]")]' +
        '.filter((each) => each.type !== "radio" || each.checked)' +
        '.map((each, at) => (each.id ||= "control-" + at))',
    );
    const reached = new Set<string>();
    /** The ring of the focused control: of radios the one around their word. */
    const outline =
      '(({ type, nextElementSibling: word }) => { const style = getComputedStyle(' +
      'type === "radio" ? word : document.activeElement);' +
      'return [style.outlineStyle, style.outlineWidth].join(" "); })(document.activeElement)';
    for (let each = 0; each < all.length + 3; each += 1) {
      await page.keyboard.press('Tab');
      const id = await page.evaluate<string>('document.activeElement.id');
      reached.add(id);
      if (all.includes(id)) expect(await page.evaluate(outline), id).toBe('solid 2px');
    }
    expect(all.filter((id) => !reached.has(id))).toEqual([]);
    expect(all.length).toBeGreaterThan(20);
  });

  it('hears what a message is, by keyboard and by pointer', async () => {
    const page = await open();
    await leaderOf(page);
    const diagram = page.locator('#diagram');
    await page.locator('.marble').nth(40).waitFor({ state: 'attached' });
    await diagram.focus();
    await page.keyboard.press('ArrowLeft');
    await says(page.locator('.tip.shown'), /n\d → /);
    expect(await page.locator('.tip').textContent()).toMatch(/\n[\d:.]+ by n\d’s clock/);
    expect(await page.locator('.pause').getAttribute('aria-pressed')).toBe('true');
    const first = await page.locator('.tip').textContent();
    await page.keyboard.press('ArrowLeft');
    await expect.poll(() => page.locator('.tip').textContent()).not.toBe(first);
    await page.keyboard.press('ArrowUp');
    await page.keyboard.press('ArrowUp');
    await page.keyboard.press('ArrowDown');
    await says(page.locator('.tip.shown'), /n2 → /);
    await page.keyboard.press('Escape');
    expect(await page.locator('.tip.shown').count()).toBe(0);
    const middle = Math.floor((await page.locator('.marble').count()) / 2);
    await page.locator('.marble').nth(middle).hover();
    await says(page.locator('.tip.shown'), /term \d+/);
  });

  it('sees it move, or in steps of a second who asked for less motion', async () => {
    /** Pairs of a second and where the drawing stood, of some frames: how many are different. */
    const watch =
      'new Promise((done) => { const seen = new Set(), seconds = new Set(); let left = 40;' +
      'const look = () => {' +
      'const at = document.querySelector(".moving").getAttribute("transform");' +
      'seen.add(at); seconds.add(Math.floor(performance.now() / 1000)); left -= 1;' +
      'left > 0 ? requestAnimationFrame(look) : done([seen.size, seconds.size]); }; look(); })';
    const still = await open(address, { reducedMotion: 'reduce' });
    await leaderOf(still);
    const [steps = 0, seconds = 0] = await still.evaluate<number[]>(watch);
    expect(steps).toBeLessThanOrEqual(seconds + 1);
    const moving = await open(address, { reducedMotion: 'no-preference' });
    await leaderOf(moving);
    const [places = 0] = await moving.evaluate<number[]>(watch);
    expect(places).toBeGreaterThan(20);
  });

  it('sees it light or dark, as the system is', async () => {
    const color = async (colorScheme: 'light' | 'dark'): Promise<unknown> => {
      const page = await open(address, { colorScheme });
      return page.evaluate('getComputedStyle(document.body).backgroundColor');
    };
    expect(await color('light')).toBe('rgb(247, 246, 243)');
    expect(await color('dark')).toBe('rgb(18, 21, 28)');
  });

  it('can read all of it, light or dark (WCAG 1.4.3)', async () => {
    for (const colorScheme of ['light', 'dark'] as const) {
      const page = await open(address, { colorScheme });
      const leader = await leaderOf(page);
      await rowOf(page, leader)
        .getByRole('button', { name: `Kill ${leader}` })
        .waitFor();
      await page.locator('.marble').first().waitFor({ state: 'attached' });
      await page.getByRole('button', { name: 'asks for votes' }).click();
      await putDone(page);
      expect(await page.evaluate(faint), colorScheme).toEqual([]);
    }
  });
});

describe('start', () => {
  it('was killed with its nodes: the page says so, presses nothing, and finds the nodes', async () => {
    const ports = await freePorts(4);
    const folder = temporaryFolder();
    const [pagePort, ...nodes] = ports.map(String);
    const args = ['start', '--ports', nodes.join(','), '--page', pagePort ?? ''];
    const first = new Run(args, { folder });
    await first.says(/Ctrl-C stops it/);
    const page = await open(/http:\S+\/#\S+/.exec(first.output)?.[0]);
    await leaderOf(page);
    const kill = page.getByRole('button', { name: /^Kill n\d/ });
    await expect.poll(() => kill.count()).toBe(3);
    const titles = await page.evaluate<string[]>(
      '[...document.querySelectorAll(".row .id[title]")].map((each) => each.title)',
    );
    const pids = titles.map((title) => Number(/process (\d+)/.exec(title)?.[1]));
    first.kill('SIGKILL');
    await says(headline(page), /No node answers, the page goes on trying · 0 of 3 nodes answer/);
    await says(page.locator('.heading'), /start does not answer/);
    await says(page.locator('.row.away').nth(2), /out of reach/);
    await expect.poll(() => page.locator('.row button:enabled').count()).toBe(0);
    await until('the nodes have ended', async () => !pids.some(isAlive));
    // Its secret is another one now: it obeys the page that it has opened the door for.
    const second = new Run(args, { folder });
    await second.says(/Ctrl-C stops it/);
    await leaderOf(page);
    await says(page.locator('.heading'), /open the address that it has printed last/);
    second.kill('SIGINT');
    await second.ended;
  });
});

describe('a page of another site', () => {
  it('is not let in by a node, whatever it tries (H3)', async () => {
    const server = createServer((_, response) => {
      response.setHeader('content-type', 'text/html');
      response.end('<!doctype html><title>evil</title>');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const page = await open(`http://127.0.0.1:${port}/`);
    const [node] = cluster.nodes;
    const secret = new URL(address);
    const tries: readonly (readonly string[])[] = [
      [`ws://${node}/live`, 'rxraft.live.1'],
      [`ws://${secret.host}/control?token=${secret.hash.slice(1)}`],
    ];
    for (const [url = '', protocol = ''] of tries) {
      const args = [url, protocol]
        .filter((each) => each !== '')
        .map((each) => JSON.stringify(each));
      const end = await page.evaluate(
        `new Promise((done) => { const socket = new WebSocket(${args.join(', ')});` +
          'socket.onopen = () => done("open"); socket.onerror = () => done("refused"); })',
      );
      expect(end, url).toBe('refused');
    }
    server.closeAllConnections();
    server.close();
  });
});
