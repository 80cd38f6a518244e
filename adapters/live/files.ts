/** The files of the live page, as the build has left them beside this program. */
import { readFileSync } from 'node:fs';

export interface PageFile {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array | string;
}

const files: Readonly<Record<string, readonly [name: string, type: string]>> = {
  '/': ['index.html', 'text/html; charset=utf-8'],
  '/page.js': ['page.js', 'text/javascript; charset=utf-8'],
  '/page.css': ['page.css', 'text/css; charset=utf-8'],
};

/** Nothing from elsewhere, and in nobody's frame. WebSockets: to every node of the cluster. */
const policy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self' ws: wss:",
  'img-src data:',
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

const read = new Map<string, Uint8Array>();

/** What is answered to a GET of this path, or null where the page has no file. */
export function pageFile(path: string): PageFile | null {
  if (!Object.hasOwn(files, path)) return null;
  const [name, type] = files[path] as (typeof files)[string];
  try {
    const body = read.get(name) ?? readFileSync(new URL(`../page/${name}`, import.meta.url));
    read.set(name, body);
    const headers = { 'content-security-policy': policy, 'referrer-policy': 'no-referrer' };
    return { status: 200, headers: { ...headers, 'content-type': type }, body };
  } catch {
    const body = 'The live page has not been built: npm run build\n';
    return { status: 503, headers: { 'content-type': 'text/plain; charset=utf-8' }, body };
  }
}

/** Where the page finds the nodes, before any of them has said so. */
export function clusterFile(members: Readonly<Record<string, string>>): PageFile {
  const headers = { 'content-type': 'application/json; charset=utf-8' };
  return { status: 200, headers, body: JSON.stringify({ members }) };
}
