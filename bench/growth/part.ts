/**
 * How the cost of one operation grows: with the length of the log, and with the number of nodes.
 */
import { fileURLToPath } from 'node:url';
import { lineProcess } from '../line-process.js';
import type { Part } from '../part.js';
import { alternate } from '../rounds.js';
import { rowOf } from '../row.js';

const lengths = [1e3, 1e4, 1e5, 1e6, 1e7];

const sizes = [3, 5, 7];

/** Proposals of a round, one at a time. */
const count = 20_000;

export const growthPart: Part = {
  name: 'growth',
  about: 'one proposal until committed, by the length of the log and by the number of nodes',
  async run({ patience, progress }) {
    const worker = fileURLToPath(new URL('worker.js', import.meta.url));
    const longest = patience.share < 1 ? 1e5 : 1e7;
    const shapes = [
      ...lengths.filter((length) => length <= longest).map((length) => ({ size: 3, length })),
      ...sizes.slice(1).map((size) => ({ size, length: 1e3 })),
    ];
    const processes = shapes.map(({ size, length }) =>
      lineProcess(process.execPath, [worker, String(size), String(length)]),
    );
    try {
      const proposals = count * patience.share;
      const times = await alternate(
        processes.map((each) => async () => {
          const [time = NaN] = await each.ask(String(proposals));
          return time / proposals;
        }),
        patience,
        (round) => progress(`round ${round} of ${patience.rounds}`),
      );
      const values = times[0] ?? [];
      return shapes.map(({ size, length }, at) => {
        const name = `${length.toLocaleString('en-US')} entries, ${size} nodes`;
        const heading = { part: 'growth', case: name, unit: 'ns' as const };
        if (at === 0) return rowOf(heading, values);
        return rowOf(heading, times[at] ?? [], { name: '1,000 entries, 3 nodes:', values });
      });
    } finally {
      for (const each of processes) each.stop();
    }
  },
};
