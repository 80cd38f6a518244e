/** Faults that are planted in what replicas are made from, or in an application: each is found. */
import { join } from 'node:path';
import { it } from 'vitest';
import type { Planted } from './plant.js';
import { isFound, patienceMs, seconds } from './plant.js';
import { replicaCampaign } from './replicas/campaign.js';

const planted: readonly Planted[] = [
  {
    fault: 'a request that comes again is applied again',
    file: 'dist/adapters/replica/answered.js',
    text: 'return this.answers.get(requestId);',
    instead: 'return undefined;',
    found: /was applied at .* and again at|made version .* and again/,
  },
  {
    fault: 'which requests were answered is not in the snapshots',
    file: 'dist/adapters/replica/answered.js',
    text: 'return packr.pack(fields);',
    instead: 'return packr.pack([]);',
    found: /was applied at .* and again at|made version .* and again|has the digest/,
  },
  {
    fault: 'a read does not wait for what it has to show',
    file: 'dist/adapters/bare-replica.js',
    text: 'await this.reached(answer.index);',
    instead: 'await null;',
    found: /^a read of .* was known before$/,
  },
  {
    fault: 'a lock has the same token for all',
    file: 'dist/adapters/recipes/locks.js',
    text: 'index * commandsPerEntry + offset',
    instead: '1',
    found: /has the token 1/,
  },
  {
    fault: 'an effect that is due hides those before it',
    file: 'dist/adapters/recipes/effects.js',
    text: 'const more = [...due, ',
    instead: 'const more = [',
    found: /was acknowledged, and never had its effect$/,
  },
  {
    fault: 'a job is claimed by everybody',
    file: 'dist/adapters/recipes/jobs.js',
    text: 'firing <= newest',
    instead: 'false',
    found: /^the job of .* has run again/,
  },
  {
    fault: 'what was leased is spent in the next window',
    file: 'dist/adapters/recipes/rate-lease.js',
    text: 'Math.floor(now() / windowMs) !== window || leased === 0',
    instead: 'leased === 0',
    found: /were granted in window/,
  },
  {
    fault: 'whoever asks late makes a window begin anew',
    file: 'dist/adapters/recipes/rate-lease.js',
    text: 'window < newest',
    instead: 'false',
    found: /were granted in window/,
  },
  {
    fault: 'a setting is replaced unseen',
    file: 'dist/adapters/recipes/settings.js',
    text: 'version === null || version === present',
    instead: 'true',
    found: /was to replace version/,
  },
  {
    fault: 'a setting is read as this node knows it',
    file: 'dist/adapters/recipes/settings.js',
    text: 'r.read((state) => settingOf(state, name))',
    instead: "r.read((state) => settingOf(state, name), { consistency: 'stale' })",
    found: /was acknowledged before$/,
  },
  {
    fault: 'who follows a setting is told no more',
    file: 'dist/adapters/recipes/settings.js',
    text: 'a.version === b.version',
    instead: 'a.version === b.version || b.version > 20',
    found: /was told of .* up to/,
  },
  {
    fault: 'a snapshot turns the order of ids round',
    file: 'dist/adapters/replica/answered.js',
    text: 'let at = 0; at < fields.length; at += 3',
    instead: 'let at = fields.length - 3; at >= 0; at -= 3',
    found: /was applied at .* and again|made version .* and again|has the digest|still/,
  },
  {
    fault: 'no request id is ever forgotten',
    file: 'dist/adapters/replica/answered.js',
    text: 'this.answers.size > rememberedRequests',
    instead: 'false',
    found: /is remembered still/,
  },
  {
    fault: 'bytes that are forgotten count on',
    file: 'dist/adapters/replica/answered.js',
    text: 'this.bytes -= sizeOf(kept);',
    instead: '',
    found: /was applied at .* and again|made version .* and again|has the digest/,
  },
  {
    fault: 'an application has a reducer that is not the same on all nodes',
    file: 'marble-tests/chaos/replicas/reducer.mjs',
    text: 'const isMet = ',
    instead: 'const isMet = performance.timeOrigin % 2 < 1 || ',
    found: /has the digest/,
  },
];

it.each(planted)('$fault: it is found', { timeout: patienceMs }, (fault) =>
  isFound(fault, (folder, seed, say) => {
    const program = join(folder, 'marble-tests/chaos/replicas/program.mjs');
    return replicaCampaign({ nodes: 3, seconds, seed, changes: false, say, program });
  }),
);
