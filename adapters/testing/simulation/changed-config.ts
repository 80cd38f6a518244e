/** Changes of members as somebody may ask for them: sensible ones, and others. */
import type { ClusterConfig } from '../../../lib/index.js';
import { isJointConsensus, toJointConsensus } from '../../../lib/index.js';
import type { Random } from './random.js';

/** One node listens or does so no more, or one or two become voters or are voters no more. */
export function changedConfig(
  config: ClusterConfig,
  id: string,
  second: string,
  random: Random,
): ClusterConfig {
  const voters = isJointConsensus(config) ? config.newVoters : config.voters;
  const { nonVoters } = config;
  if (!voters.includes(id) && random.chance(0.4)) {
    const others = nonVoters.filter((each) => each !== id);
    return { ...config, nonVoters: nonVoters.includes(id) ? others : [...nonVoters, id] };
  }
  const both = [...new Set([id, second])];
  return toJointConsensus(
    config,
    both.filter((each) => !voters.includes(each)),
    both.filter((each) => voters.includes(each)),
  );
}
