/** Whole requests of HTTP: method, target, headers and body of whoever speaks it, or almost. */
import type { Answer, Request } from '../../../adapters/key-value/client-protocol.js';
import { refusalOf } from '../../../adapters/key-value/http-guard.js';
import { keyReply } from '../../../adapters/key-value/http-keys.js';
import { etagOf } from '../../../adapters/key-value/http-reply.js';
import { targetOf } from '../../../adapters/key-value/http-target.js';
import type { Random } from '../../../adapters/testing/simulation/random.js';
import type { Edge, Fate } from '../edge.js';
import { ofValues, Violation } from '../edge.js';
import { mutateText } from '../mutate.js';

const value = Uint8Array.from([118, 118]);

const methods = ['GET', 'HEAD', 'PUT', 'DELETE'];
const targets = ['/kv/color', '/kv/color?stale', '/kv/color?if=vv', '/kv/color?if-absent'];
const headers: readonly Readonly<Record<string, string>>[] = [
  { host: '127.0.0.1:7101' },
  { host: 'localhost:7101', 'if-match': etagOf(value) },
  { host: '[::1]:7101', 'if-none-match': '*' },
  { host: '127.0.0.1:7101', origin: 'http://127.0.0.1:7101', 'content-encoding': 'identity' },
];

interface Asked {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

function mutated(random: Random, text: string): string {
  return random.chance(0.3) ? mutateText(random, text) : text;
}

export const httpEdge: Edge<Asked> = {
  ...ofValues,
  name: 'requests of HTTP',
  share: 4,
  generate(random) {
    const honest = Object.entries(random.pick(headers) ?? {});
    return {
      method: random.pick(methods) ?? 'GET',
      url: mutated(random, random.pick(targets) ?? '/'),
      headers: Object.fromEntries(honest.map(([name, text]) => [name, mutated(random, text)])),
      body: mutated(random, 'vv'),
    };
  },
  async feed({ method, url, headers, body }): Promise<Fate> {
    if (refusalOf(headers, []) !== null) return 'refused';
    const target = targetOf(url);
    if ('status' in target || target.key === null) return 'refused';
    const { key, query } = target;
    let changes = 0;
    const answer = async (request: Request): Promise<Answer> => {
      if (request.type !== 'command') return { type: 'value', value };
      changes += 1;
      return { type: 'done' };
    };
    const bytes = async (): Promise<Uint8Array> => Buffer.from(body);
    const reply = await keyReply({ method, key, query, headers, body: bytes, answer });
    if (!(reply.status >= 200 && reply.status < 600)) throw new Violation('an answer of no status');
    const reads = method === 'GET' || method === 'HEAD';
    if (changes > (reads ? 0 : 1)) throw new Violation(`${method} has changed ${changes} times`);
    if (changes === 1 && reply.status >= 300) throw new Violation('changed, and refused');
    return reply.status < 300 ? 'taken' : 'refused';
  },
};
