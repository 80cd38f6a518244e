/**
 * The core in process: each case with 3 and 5 nodes, void and with 128 bytes, beside the crate
 * noraft when peers are asked for.
 */
import { fileURLToPath } from 'node:url';
import type { LineProcess } from '../line-process.js';
import { lineProcess } from '../line-process.js';
import type { Context, Part } from '../part.js';
import { noraft } from '../peers/noraft.js';
import { alternate } from '../rounds.js';
import type { Row } from '../row.js';
import { rowOf } from '../row.js';
import type { CoreCase, Payload } from './cases.js';
import { coreCases } from './cases.js';

/** Entries or heartbeats of a round. */
const counts: Record<CoreCase, number> = {
  single: 40_000,
  merged: 900_000,
  apart: 20_000,
  terms: 4_000,
  heartbeat: 60_000,
};

/** How many times as fast as noraft, whose log carries nothing (DESIGN.md, "Speed"). */
const aims: Record<CoreCase, { readonly [P in Payload]?: number }> = {
  single: { void: 1, '128 bytes': 0.8 },
  merged: { void: 5, '128 bytes': 1 },
  apart: { void: 2.5, '128 bytes': 2 },
  terms: { void: 50 },
  heartbeat: { void: 0.9 },
};

const payloads: readonly Payload[] = ['void', '128 bytes'];

export const corePart: Part = {
  name: 'core',
  about: 'the core in process, without I/O: CPU time of one entry, or of one heartbeat round',
  async run(context) {
    const worker = fileURLToPath(new URL('worker.js', import.meta.url));
    const own = payloads.map((payload) => lineProcess(process.execPath, [worker, payload]));
    const peer = context.peers ? noraft(context) : null;
    const all = peer === null ? own : [...own, peer];
    try {
      const rows: Row[] = [];
      for (const size of [3, 5]) {
        for (const name of Object.keys(coreCases) as CoreCase[]) {
          rows.push(...(await rowsOf(context, all, name, size)));
        }
      }
      return rows;
    } finally {
      for (const each of all) each.stop();
    }
  },
};

/** The contenders: without payload, with it, and the peer if it is there. */
async function rowsOf(
  { patience, progress }: Context,
  contenders: readonly LineProcess[],
  name: CoreCase,
  size: number,
): Promise<Row[]> {
  const title = `${coreCases[name]}, ${size} nodes`;
  const count = (at: number): number => {
    // The reference takes 50 times as long there.
    const few = name === 'terms' && at === payloads.length ? 0.1 : 1;
    return Math.max(100, Math.round((counts[name] * patience.share * few) / 100) * 100);
  };
  const times = await alternate(
    contenders.map((contender, at) => async () => {
      const [time = NaN] = await contender.ask(`${name} ${size} ${count(at)}`);
      return time / count(at);
    }),
    patience,
    (round) => progress(`${title}: round ${round} of ${patience.rounds}`),
  );
  const beside = times[payloads.length];
  return payloads.flatMap((payload, at) => {
    if (name === 'heartbeat' && payload !== 'void') return [];
    const least = aims[name][payload];
    const heading = {
      part: 'core',
      case: `${title}, ${payload}`,
      unit: 'ns' as const,
      ...(least !== undefined && { aim: { of: 'ratio' as const, least } }),
    };
    const values = times[at] ?? [];
    return [rowOf(heading, values, beside && { name: 'noraft', values: beside })];
  });
}
