/**
 * Who may ask over HTTP. The browser of anybody who works on this machine reaches its loopback, and
 * so does every page that it shows (OWASP: DNS rebinding, cross-site requests). Loopback is not
 * trust.
 */
import type { IncomingHttpHeaders } from 'node:http';
import { isOwn, nameOf } from '../gateway/origin.js';
import { errorReply, type Reply } from './http-reply.js';

/**
 * Why a request is turned away, or null. A page of another origin may not ask; nor may one that has
 * made its own name point here: such a request names a host that is not this node's. An IP address
 * can't be made to point elsewhere. `names`: further hosts that are this node's.
 */
export function refusalOf(headers: IncomingHttpHeaders, names: readonly string[]): Reply | null {
  const host = (headers.host ?? '').toLowerCase();
  const name = nameOf(host);
  if (!isOwn(name, names)) {
    const mend = 'ask by its IP address, by localhost, or by the name that it listens on';
    return errorReply(403, 'host', `this node is not ${JSON.stringify(name)}: ${mend}`);
  }
  const { origin } = headers;
  if (origin === undefined || [`http://${host}`, `https://${host}`].includes(origin)) return null;
  return errorReply(403, 'origin', 'web pages of another origin are not let in');
}
