/**
 * Which web pages may speak to a node. A browser lets any page open a WebSocket to any address,
 * this machine's included, and says only where the page comes from.
 */
import type { IncomingMessage } from 'node:http';

/**
 * Why a page is not let in, in words, or null. Its origin must be that of a node, at one of these
 * addresses (`host:port`; `localhost` stands for 127.0.0.1), or one of `allowed`, exactly. What has
 * no origin is no page: a program, which could say anything.
 */
export function faultOfOrigin(
  { headers }: Pick<IncomingMessage, 'headers'>,
  addresses: readonly string[],
  allowed: readonly string[] = [],
): string | null {
  const { origin } = headers;
  if (origin === undefined || allowed.includes(origin)) return null;
  if (addresses.some((address) => originsOf(address).includes(origin))) return null;
  return 'this page is of another site: only those that a node serves are let in';
}

function originsOf(address: string): readonly string[] {
  const local = address.replace(/^127\.0\.0\.1:/, 'localhost:');
  // A browser leaves out the port that goes without saying.
  return [address, local].map((each) => `http://${each.replace(/:80$/, '')}`);
}

/** Of a page within an app, whose scheme has no origins by the standard. */
const appOrigin = /^(?!file:)[a-z][a-z\d+.-]*:\/\/[^\s/?#@]+$/;

/** What is wrong with an origin that a user gives, in words, or null. */
export function faultOfAllowedOrigin(text: string): string | null {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url !== null && /^https?:$/.test(url.protocol) && url.origin === text) return null;
  if (url?.origin === 'null' && appOrigin.test(text)) return null;
  return `${JSON.stringify(text)} is no origin of a page: as in https://cluster.example.org`;
}
