/**
 * Which web pages may connect. The browser of anybody who works on this machine reaches its
 * loopback, and so does every page that it shows: loopback is not trust (H3).
 */
import type { IncomingHttpHeaders } from 'node:http';
import { isIP } from 'node:net';

/**
 * Is this request from no page at all, from a page that is listed, or from one that this server has
 * served? A page may have made its own name point here (DNS rebinding): then it names a host that
 * is not this server's. An IP address can't be made to point elsewhere. `names`: further hosts that
 * are this server's.
 */
export function isWelcome(
  { origin, host = '' }: IncomingHttpHeaders,
  origins: readonly string[],
  names: readonly string[] = [],
): boolean {
  if (origin === undefined || origins.includes(origin)) return true;
  const isSame = origin === `http://${host}` || origin === `https://${host}`;
  return isSame && isOwn(nameOf(host), names);
}

/** The name in a `Host` header: without its port, in lower case. */
export function nameOf(host: string): string {
  return /^(.*?)(?::\d*)?$/.exec(host.toLowerCase())?.[1] ?? '';
}

/** Can nobody but this server have the name: an address, this machine's own, or one of `names`? */
export function isOwn(name: string, names: readonly string[]): boolean {
  if (name === 'localhost' || name.endsWith('.localhost')) return true;
  const inBrackets = /^\[(.*)\]$/.exec(name)?.[1];
  if (inBrackets !== undefined) return isIP(inBrackets) === 6;
  return isIP(name) === 4 || names.includes(name);
}
