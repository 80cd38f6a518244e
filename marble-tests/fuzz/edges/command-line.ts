/** What a user types, and what the environment says: texts that become options. */
import { keyOf, UsageError } from '../../../adapters/key-value/input.js';
import { nodeOptions, startMembers, type NodeFlags } from '../../../adapters/key-value/members.js';
import { targetOf } from '../../../adapters/key-value/http-target.js';
import type { Edge } from '../edge.js';
import { fateOf, ofValues, Violation } from '../edge.js';
import { mutateText } from '../mutate.js';

const flags: readonly Record<string, string>[] = [
  { id: 'a', data: 'd', listen: '127.0.0.1:7101', peers: 'b=127.0.0.1:2,c=[::1]:3' },
  { id: 'n1', data: './data/n1', listen: 'localhost:80', cluster: 'x', peers: 'b=h.example:9' },
];
const ports = ['7101,7102,7103', '1'];
const keys = ['color', 'deadbeef', '00ff'];

interface Typed {
  readonly flags: Record<string, string>;
  readonly ports: string;
  readonly key: string;
}

export const commandLineEdge: Edge<Typed> = {
  ...ofValues,
  name: 'command line',
  share: 6,
  generate(random) {
    const mutated = Object.entries(random.pick(flags) ?? {}).map(([name, text]) => [
      name,
      random.chance(0.4) ? mutateText(random, text) : text,
    ]);
    return {
      flags: Object.fromEntries(mutated) as Record<string, string>,
      ports: mutateText(random, random.pick(ports) ?? ''),
      key: mutateText(random, random.pick(keys) ?? ''),
    };
  },
  feed(typed) {
    fateOf(() => startMembers(typed.ports), UsageError);
    fateOf(() => keyOf(typed.key, true), UsageError);
    return fateOf(() => {
      const { id, cluster, members } = nodeOptions(typed.flags as unknown as NodeFlags);
      const isWhole = cluster !== '' && Object.hasOwn(members, id);
      if (!isWhole) throw new Violation(`a node without a cluster: ${cluster} ${id}`);
    }, UsageError);
  },
};

const targets = ['/kv/color', '/kv/a%2Fb?stale&if=%22x%22', '/status', '/?a=1&b=2'];

export const targetsEdge: Edge<string> = {
  ...ofValues,
  name: 'targets of HTTP',
  share: 6,
  generate: (random) => mutateText(random, mutateText(random, random.pick(targets) ?? '/')),
  feed: (url) => ('status' in targetOf(url) ? 'refused' : 'taken'),
};
