/** A thread that runs parts of a campaign. */
import { parentPort } from 'node:worker_threads';
import type { Campaign } from './campaign.js';
import { runCampaign } from './campaign.js';

// A refusal is an error, and most of what an error costs is its stack.
Error.stackTraceLimit = 0;

parentPort?.on('message', (campaign: Campaign) => {
  void runCampaign(campaign).then((totals) => parentPort?.postMessage(totals));
});
