/**
 * Makes docs/live.webp, the moving picture at the head of the README: `npm run picture`. It takes
 * down what a real cluster says, whose leader is killed and started again; then the real page is
 * shown just that, with a clock that waits for each frame. So it is smooth on any machine. Needs
 * Chromium and ffmpeg (Debian: apt-get install chromium ffmpeg).
 */
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright';
import { WebSocket } from 'ws';

const from = (path) => fileURLToPath(new URL(path, import.meta.url));
const result = from('live.webp');
const ports = (process.env['PICTURE_PORTS'] ?? '7301,7302,7303').split(',');
const members = Object.fromEntries(ports.map((port, at) => [`n${at + 1}`, `127.0.0.1:${port}`]));
const folder = mkdtempSync(join(tmpdir(), 'rxraft-picture-'));
const framesPerSecond = 12;
const size = { width: 1120, height: 668 };

/** The scenes, in milliseconds. What comes before `begin` fills the diagram. */
const scenes = { begin: 6000, kill: 7500, start: 11_500, end: 15_000 };

/** What was said, by whom, and when: `{ at, from, text }`; `text` is null where it fell silent. */
async function takeDown() {
  const program = from('../dist/adapters/key-value/command-line.js');
  const data = join(folder, 'data');
  const args = [program, 'start', '--ports', ports.join(','), '--data', data];
  const cluster = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const lines = createInterface({ input: cluster.stdout });
  let address = '';
  for await (const line of lines) {
    address = /http:\S+#\S+/.exec(line)?.[0] ?? address;
    if (line.includes('Ctrl-C')) break;
  }
  cluster.stdout.resume();
  const begin = performance.now();
  const now = () => performance.now() - begin;
  const said = [];
  const sockets = new Map();
  let leader = 'n1';
  let isOver = false;
  const listen = (name, url, protocol) => {
    if (isOver) return;
    const socket = new WebSocket(url, protocol);
    sockets.set(name, socket);
    socket.on('message', (bytes) => {
      const text = bytes.toString();
      said.push({ at: now(), from: name, text });
      const { type, role, node } = JSON.parse(text);
      if (type === 'status' && role === 'leader') leader = node;
    });
    socket.on('error', () => undefined);
    socket.on('close', () => {
      said.push({ at: now(), from: name, text: null });
      setTimeout(() => listen(name, url, protocol), 200);
    });
  };
  for (const [id, at] of Object.entries(members)) listen(id, `ws://${at}/live`, 'rxraft.live.1');
  const { host, hash } = new URL(address);
  listen('control', `ws://${host}/control?token=${hash.slice(1)}`);
  let id = 0;
  const writing = setInterval(() => {
    const socket = sockets.get(leader);
    if (socket?.readyState !== WebSocket.OPEN) return;
    socket.send(JSON.stringify({ type: 'put', id: (id += 1), key: 'color', value: `${id}` }));
  }, 300);
  const control = (type, node) => sockets.get('control').send(JSON.stringify({ type, node }));
  await sleep(scenes.kill);
  const killed = leader;
  control('stop', killed);
  await sleep(scenes.start - scenes.kill);
  control('start', killed);
  await sleep(scenes.end - scenes.start + 500);
  isOver = true;
  clearInterval(writing);
  for (const socket of sockets.values()) socket.terminate();
  cluster.kill('SIGINT');
  await new Promise((resolve) => cluster.once('close', resolve));
  return { said, killed };
}

async function film({ said, killed }) {
  const browser = await chromium.launch({
    executablePath: process.env['CHROMIUM'] ?? '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-sync'],
  });
  const page = await browser.newPage({ viewport: size, colorScheme: 'light' });
  await page.clock.install({ time: new Date('2025-01-01T12:00:00') });
  await page.route('http://page.test/**', (route) => {
    const path = new URL(route.request().url()).pathname;
    if (path === '/cluster.json') return route.fulfill({ json: { members } });
    const name = path === '/' ? 'index.html' : path.slice(1);
    return route.fulfill({ path: from(`../dist/adapters/page/${name}`) });
  });
  const live = new Map();
  /** Who can be reached at this moment of the picture. */
  const up = new Set(['control']);
  await page.routeWebSocket(/.*/, (socket) => {
    const { host, pathname } = new URL(socket.url());
    const [id] = Object.entries(members).find(([, address]) => address === host) ?? ['control'];
    if (pathname === '/live' && !up.has(id)) void socket.close();
    else live.set(id, socket);
  });
  for (const id of Object.keys(members)) up.add(id);
  await page.goto('http://page.test/#0123456789abcdef');
  await page.clock.pauseAt(new Date('2025-01-01T12:05:00'));
  await page.evaluate(`
    document.body.style.overflow = 'hidden';
    const hand = document.body.appendChild(document.createElement('div'));
    hand.id = 'hand';
    hand.style.cssText = 'position: fixed; z-index: 9; width: 24px; height: 24px; margin: -12px;' +
      'pointer-events: none; border-radius: 50%; background: rgb(28 34 48 / 40%); opacity: 0';
  `);
  let next = 0;
  let count = 0;
  const stepMs = 1000 / framesPerSecond;
  for (let at = 0; at < scenes.end; at += stepMs) {
    for (; next < said.length && said[next].at <= at; next += 1) {
      const { from: id, text } = said[next];
      if (text === null) {
        up.delete(id);
        void live.get(id)?.close();
      } else {
        up.add(id);
        live.get(id)?.send(text);
      }
    }
    await page.evaluate('0');
    await page.clock.runFor(Math.round(at + stepMs) - Math.round(at));
    if (at < scenes.begin) continue;
    await point(page, at, scenes.kill, page.getByRole('button', { name: 'Kill the leader' }));
    await point(page, at, scenes.start, page.getByRole('button', { name: `Start ${killed}` }));
    const path = join(folder, `${String((count += 1)).padStart(4, '0')}.png`);
    await page.screenshot({ path, animations: 'allow' });
  }
  await browser.close();
}

/** A dot on the button, for a moment before and after it is pressed. */
async function point(page, at, when, button) {
  if (Math.abs(at - when) > 500) return;
  const box = await button.boundingBox({ timeout: 1000 }).catch(() => null);
  const opacity = Math.max(0, 1 - Math.abs(at - when) / 450);
  const place = box === null ? '' : `left: ${box.x + box.width / 2}px; top: ${box.y + 14}px;`;
  const style = JSON.stringify(`${place} opacity: ${opacity.toFixed(2)}`);
  await page.evaluate(`for (const part of ${style}.split(';')) {
    const [name, value] = part.split(':');
    document.getElementById('hand').style.setProperty(name.trim(), value.trim());
  }`);
}

function develop() {
  const { status } = spawnSync(
    'ffmpeg',
    [
      ...['-y', '-loglevel', 'error', '-framerate', String(framesPerSecond)],
      ...['-i', join(folder, '%04d.png'), '-c:v', 'libwebp_anim', '-quality', '60'],
      ...['-compression_level', '3', '-loop', '0', '-an', result],
    ],
    { stdio: 'inherit' },
  );
  if (status !== 0) throw new Error('ffmpeg could not make the picture: is it installed?');
  console.log(`docs/live.webp: ${Math.round(statSync(result).size / 1000)} kB`);
}

try {
  // Before anything is started: the page must have been built.
  readFileSync(from('../dist/adapters/page/page.js'));
  await film(await takeDown());
  develop();
} finally {
  rmSync(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
}
