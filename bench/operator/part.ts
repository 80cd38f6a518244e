/**
 * What the operator and the loop cost above the direct call.
 */
import { fileURLToPath } from 'node:url';
import { lineProcess } from '../line-process.js';
import type { Part } from '../part.js';
import { alternate } from '../rounds.js';
import { rowOf } from '../row.js';
import { eventsPerProposal } from './contenders.js';
import type { Way } from './worker.js';

const ways: readonly Way[] = ['direct', 'operator', 'loop'];

/** Proposals of a round: its log is within 100,000 entries. */
const count = 90_000;

export const operatorPart: Part = {
  name: 'operator',
  about: 'a proposal of a single node, by calling it, through the operator, and through the loop',
  async run({ patience, progress }) {
    const worker = fileURLToPath(new URL('worker.js', import.meta.url));
    const workers = ways.map((way) => lineProcess(process.execPath, [worker, way]));
    const proposals = count * patience.share;
    try {
      const times = await alternate(
        workers.map((each) => async () => {
          const [time = NaN] = await each.ask(String(proposals));
          return time / proposals;
        }),
        patience,
        (round) => progress(`round ${round} of ${patience.rounds}`),
      );
      const [direct = [], operator = [], loop = []] = times;
      const above = (times: readonly number[], per: number): number[] =>
        times.map((time, at) => (time - (direct[at] ?? NaN)) / per);
      const perEvent = above(operator, eventsPerProposal);
      const heading = { part: 'operator', unit: 'ns' as const };
      const beside = { name: 'direct', values: direct };
      const most = (limit: number) => ({ of: 'value' as const, most: limit });
      return [
        rowOf({ ...heading, case: 'a proposal by direct calls' }, direct),
        rowOf({ ...heading, case: 'through raft(config)' }, operator, beside),
        rowOf({ ...heading, case: 'of which above the call, an event', aim: most(100) }, perEvent),
        rowOf({ ...heading, case: 'through loop(…)', aim: most(450) }, loop, beside),
        rowOf({ ...heading, case: 'of which above the calls, a proposal' }, above(loop, 1)),
      ];
    } finally {
      for (const each of workers) each.stop();
    }
  },
};
