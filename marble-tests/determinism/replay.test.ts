/**
 * "The same inputs give the same actions" (law 1), here, on every other Node and in a page: what
 * the recorded inputs gave on the day of the recording.
 */
import { expect, it } from 'vitest';
import expected from './expected.json' with { type: 'json' };
import recordedJson from './recorded.json' with { type: 'json' };
import { replay, type Recorded } from './replay.js';

const recorded = recordedJson as unknown as Recorded;

it('the recorded inputs give the recorded actions, byte for byte (law 1)', () => {
  expect(recorded.inputs.length).toBeGreaterThan(400);
  // A change of the protocol changes them: then this line is recorded anew, on purpose.
  expect(replay(recorded)).toEqual(expected);
});

it('another input gives other actions: the digest would notice', () => {
  const inputs = recorded.inputs.filter((_, at) => at !== 200);
  expect(replay({ ...recorded, inputs }).digest).not.toBe(replay(recorded).digest);
});
