/** `/status` over HTTP: JSON for programs, a table for people who ask for text. */
import type { IncomingHttpHeaders } from 'node:http';
import type { NodeStatus } from './client-protocol.js';
import { jsonReply, malformed, type Reply } from './http-reply.js';
import type { Target } from './http-target.js';
import { table } from './terminal.js';

/** `?format=` counts before the header `Accept`; without either it is JSON. */
export function statusReply(
  query: Target['query'],
  { accept = '' }: IncomingHttpHeaders,
  status: () => NodeStatus,
): Reply {
  const format = Buffer.from(query.get('format') ?? []).toString('latin1');
  const isAsked = query.size === 1 && (format === 'text' || format === 'json');
  if (query.size > 0 && !isAsked) {
    return malformed('/status takes ?format=text or ?format=json, and no other query');
  }
  const isText = isAsked ? format === 'text' : wantsText(accept);
  const reply = isText ? textReply(status()) : jsonReply(200, status(), 2);
  return { ...reply, headers: { ...reply.headers, vary: 'accept' } };
}

/** A head and a row, in the columns of `rxraft status`; `-`: nobody is known to lead. */
function textReply(status: NodeStatus): Reply {
  const { id, role, term, commit, applied, address, leader } = status;
  const head = ['node', 'role', 'term', 'commit', 'applied', 'address', 'leader'];
  const row = [id, role, ...[term, commit, applied].map(String), address, leader ?? '-'];
  const headers = { 'content-type': 'text/plain; charset=utf-8' };
  return { status: 200, headers, body: `${table([head, row])}\n` };
}

/**
 * Only where plain text is named, and preferred to JSON (RFC 9110, §12.5.1): whoever takes anything
 * gets JSON, and so does whoever likes both as much and names both, as some libraries do.
 */
function wantsText(accept: string): boolean {
  const weights = new Map(accept.toLowerCase().split(',').map(weighted));
  const text = weights.get('text/plain') ?? 0;
  const named = weights.get('application/json');
  const json = named ?? weights.get('application/*') ?? weights.get('*/*') ?? 0;
  return named === undefined ? text > 0 && text >= json : text > json;
}

/** A media range and its weight, from 0 to 1. */
function weighted(range: string): readonly [string, number] {
  const [type = '', ...parameters] = range.split(';').map((part) => part.trim());
  const weight = parameters.find((each) => each.startsWith('q='))?.slice(2);
  return [type, weight === undefined ? 1 : Number(weight) || 0];
}
