/** What an HTTP request is about: its path and query, byte for byte. */
import { malformed, type Reply } from './http-reply.js';

export interface Target {
  /** Without a key and without the query. */
  readonly path: string;
  /** Everything behind `/kv/`, slashes too, or null. */
  readonly key: Uint8Array | null;
  /** By name; without `=` an empty value. */
  readonly query: ReadonlyMap<string, Uint8Array>;
}

const keyPath = '/kv/';

/** Of the target of a request, one character for each byte; or why it is none. */
export function targetOf(url: string): Target | Reply {
  if (!url.startsWith('/')) return malformed('the target must be a path, such as /kv/color');
  const at = url.indexOf('?');
  const path = at === -1 ? url : url.slice(0, at);
  const query = queryOf(at === -1 ? '' : url.slice(at + 1));
  if (query === null) {
    return malformed('the query: a % without two hexadecimal digits, or a name twice');
  }
  if (!path.startsWith(keyPath)) return { path, key: null, query };
  const key = bytesOf(path.slice(keyPath.length));
  return key === null
    ? malformed('the key: a % must be followed by two hexadecimal digits; % itself is %25')
    : { path: keyPath, key, query };
}

function queryOf(text: string): Map<string, Uint8Array> | null {
  const query = new Map<string, Uint8Array>();
  for (const part of text.split('&')) {
    if (part === '') continue;
    const at = part.indexOf('=');
    const name = bytesOf(at === -1 ? part : part.slice(0, at));
    // As forms write it, and URLSearchParams: a + is a space.
    const value = bytesOf(at === -1 ? '' : part.slice(at + 1).replaceAll('+', ' '));
    if (name === null || value === null) return null;
    const known = Buffer.from(name).toString('latin1');
    if (query.has(known)) return null;
    query.set(known, value);
  }
  return query;
}

/** Null where a `%` is not followed by two digits. */
function bytesOf(text: string): Uint8Array | null {
  if (/%(?![0-9a-f]{2})/i.test(text)) return null;
  const decoded = text.replace(/%(..)/g, (_, digits: string) =>
    String.fromCharCode(parseInt(digits, 16)),
  );
  return new Uint8Array(Buffer.from(decoded, 'latin1'));
}
