/**
 * A node with a replicated reducer, as a program that uses the package: for the nemesis it has the
 * options of `rxraft node`, and says the same. Its clients speak JSON over HTTP, by `onRequest`:
 *
 *     POST /dispatch   { command, requestId }    result, or name, outcome and text of its error
 *     POST /read       { key, consistency }      the value of a key, version and digest
 *     POST /voters     [id, …]
 *     POST /fill       see `fill.mjs`
 *     POST /quiet                              nothing new is asked for by the recipes
 *     GET  /status     GET /nodes
 *
 * Every state that it has goes to the file `<data>.states`, as lines `[version, digest, bytes]`. In
 * between: `"start"` of a run, `"received"` when it has the leader's snapshot, and `"restored"`
 * before a state that comes out of a snapshot.
 */
import { createHash } from 'node:crypto';
import { appendFileSync } from 'node:fs';
import { dirname } from 'node:path';
import process from 'node:process';
import { text as textOf } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { distinctUntilChanged, filter, map, take } from 'rxjs';
import { slice, slices } from 'rxraft/adapters/recipes/slices';
import { replica } from 'rxraft/adapters/replica';
import { traceFile } from 'rxraft/adapters/trace-file';
import { AddressBook } from './address-book.mjs';
import { fill } from './fill.mjs';
import { partsWith } from './parts.mjs';
import { useRecipes } from './recipes.mjs';

const text = { type: 'string' };
const { values } = parseArgs({
  allowPositionals: true,
  options: {
    ...{ id: text, data: text, listen: text, peers: text, join: text, trace: text },
    ...{ alone: { type: 'boolean' }, 'snapshot-every': text, 'trace-limit': text },
  },
});
const { id, data, listen } = values;

/** This process: no other one has it. */
const run = `${id} of ${performance.timeOrigin}`;

/** A removed node stays for a moment: who asked for that is to hear that it is done. */
const farewellMs = 1000;

function say(line) {
  process.stdout.write(`${id} ${line}\n`);
}

function alarm(text) {
  say(`finds an error: ${text}`);
}

const parts = partsWith(alarm);

const contacts = values.join?.split(',') ?? [];
const peers = Object.fromEntries(values.peers?.split(',').map((each) => each.split('=')) ?? []);
const founders = { ...peers, [id]: listen };
const book = new AddressBook(`${data}.nodes`, listen);

function known() {
  return { ...book.nodes, ...keys.state.nodes, ...founders };
}

function inquire() {
  void book.inquire([...contacts, ...Object.values(known())]);
}

const node = replica({
  ...{ id, folder: data, ...slices(parts) },
  nodes: founders,
  ...(contacts.length > 0 && { initialVoters: [] }),
  addressOf: (peer) => keys.state.nodes[peer] ?? book.addressOf(peer),
  snapshotEvery: { entries: Number(values['snapshot-every']) },
  trace: traced(traceFile({ path: values.trace, limitBytes: Number(values['trace-limit']) })),
  onRequest: (request, response) => void serve(request, response),
  onNetworkEvent: ({ type, reason }) => {
    if (type === 'refused' || (type === 'unsent' && reason === 'unknownPeer')) inquire();
  },
});

const keys = slice(node, parts, 'keys');
const recipes = useRecipes(node, parts, { folder: dirname(data), run, alarm });

/** The trace tells of a snapshot that has come; a replica does not say so otherwise. */
function traced(file) {
  return (line) => {
    file.write(line);
    if (line.includes('"event":"restore"')) note('"restored"');
    if (!line.includes('"event":"receiveSnapshot"')) return;
    note('"received"');
    say("has the leader's snapshot");
  };
}

function note(line) {
  try {
    appendFileSync(`${data}.states`, `${line}\n`);
  } catch {
    // A small disk: the line is missing, or torn.
  }
}

async function serve(request, response) {
  let answer;
  try {
    answer = await answerTo(request.url, await textOf(request));
  } catch ({ name, message, outcome = 'unknown' }) {
    answer = { name, outcome, text: message };
  }
  response.setHeader('content-type', 'application/json');
  response.end(JSON.stringify(answer));
}

async function answerTo(url, body) {
  switch (url) {
    case '/dispatch': {
      const { command, requestId } = JSON.parse(body);
      return { outcome: 'done', ...(await keys.dispatch(command, { requestId })) };
    }
    case '/read': {
      const { key, consistency } = JSON.parse(body);
      const look = ({ keys, ...state }) => ({ ...seenOf(state), found: keys[key] ?? null });
      const seen = await keys.read(look, { consistency });
      return { outcome: 'done', ...seen, run };
    }
    case '/fill':
      return { outcome: 'done', samples: await fill(keys, JSON.parse(body)) };
    case '/voters':
      await node.changeVoters(JSON.parse(body));
      return { outcome: 'done' };
    case '/nodes':
      return known();
    case '/quiet':
      recipes.quiet();
      return { outcome: 'done' };
    default:
      return { ...status, ...overview() };
  }
}

/** Of the keys, and of all of the state. */
function overview() {
  const { granted } = recipes;
  const whole = createHash('sha256').update(JSON.stringify(node.state)).digest('hex');
  return { ...seenOf(keys.state), whole, due: node.state.tasks.due.length, granted };
}

function seenOf({ version, digest, bytes }) {
  return { version, digest, bytes };
}

let status = null;
// A line that a kill or a small disk has torn ends here.
note('\n"start"');
keys.state$
  .pipe(
    map(({ nodes }) => nodes),
    distinctUntilChanged(),
  )
  .subscribe({
    next: (nodes) => book.learn(nodes),
    error: () => undefined,
  });
keys.state$.subscribe({
  next: ({ version, digest, bytes }) => note(JSON.stringify([version, digest, bytes])),
  error: (error) => end(error),
  complete: () => end(null),
});
node.status$.subscribe({ next: (each) => (status = each), error: () => undefined });
node.status$
  .pipe(
    map(({ role, term }) => (role === 'leader' ? term : null)),
    distinctUntilChanged(),
    filter((term) => term !== null),
  )
  .subscribe({ next: (term) => say(`leads in term ${term}`), error: () => undefined });
node.status$
  .pipe(
    filter(({ isRemoved }) => isRemoved),
    take(1),
  )
  .subscribe({ next: () => void leave(), error: () => undefined });

async function leave() {
  say('was removed from the cluster, and stops');
  await sleep(farewellMs);
  await node.stop();
}

function end(error) {
  if (error !== null) say(`has ended: ${error.stack}`);
  node.stop().then(
    () => process.exit(error === null ? 0 : 1),
    () => process.exit(1),
  );
}

for (const signal of ['SIGTERM', 'SIGINT']) {
  process.on(signal, () => node.stop().catch(() => undefined));
}

/** A replica does not say when its server is there: it is asked. */
for (let isThere = false; !isThere; await sleep(20)) {
  isThere = await fetch(`http://${listen}/status`).then(
    () => true,
    () => false,
  );
}
say(`listens on ${listen}: process ${process.pid}`);
// A newcomer asks until it knows somebody.
for (; contacts.length > 0 && Object.keys(known()).length === 1; await sleep(300)) inquire();
