/** The live page: what a cluster does, while it does it. */
import { render } from 'lit/html.js';
import { BehaviorSubject, defer, interval, merge, of, retry, switchMap, tap, timer } from 'rxjs';
import { control } from './control.js';
import { curves } from './curves.js';
import { Diagram } from './diagram.js';
import type { Members } from './lines.js';
import { lines } from './lines.js';
import { Model } from './model.js';
import type { NodesOptions } from './nodes.js';
import { columnsOf, nodeRows, nodesHeading } from './nodes.js';
import type { Said } from './panel.js';
import { headline, legend, tryIt } from './panel.js';
import type { Pace } from './requests.js';
import { Requests } from './requests.js';
import { sampleMs } from './samples.js';
import { skeleton } from './skeleton.js';

const place = skeleton(document.getElementById('page') ?? document.body);
const model = new Model();

/** Where the nodes are: as the server of the page says at first, then as the nodes say. */
const members$ = new BehaviorSubject<Members>({});
const first$ = defer(async () => {
  const { members } = (await (await fetch('./cluster.json')).json()) as { members: Members };
  members$.next(members);
}).pipe(retry({ delay: () => timer(1000) }));

const event$ = lines(model, members$, { isSecure: location.protocol === 'https:' });
const requests = new Requests(model, event$);
const { frame$, send } = control();
let processes: NodesOptions['processes'] = null;
let isControlLost = false;

const pace$ = new BehaviorSubject<Pace>('off');
const writing$ = pace$.pipe(switchMap((pace) => requests.writing(pace)));

let said: readonly Said[] = [];
const maxSaid = 6;

function submit(event: SubmitEvent): void {
  event.preventDefault();
  const form = new FormData(event.target as HTMLFormElement);
  const field = (name: string): string => {
    const given = form.get(name);
    return typeof given === 'string' ? given : '';
  };
  const key = field('key');
  const value = field('value');
  const isPut = (event.submitter as HTMLButtonElement | null)?.value !== 'get';
  const asked = isPut ? ({ type: 'put', key, value } as const) : ({ type: 'get', key } as const);
  const what = isPut ? `put ${key} ${value}` : `read ${key}`;
  let line: Said = { what, outcome: null };
  said = [line, ...said].slice(0, maxSaid);
  requests.ask(asked).subscribe((outcome) => {
    const answered: Said = { what, outcome };
    said = said.map((each) => (each === line ? answered : each));
    line = answered;
    draw();
  });
  draw();
}

const diagram = new Diagram(place.diagram, model.timeline, () => draw());

function toggle(kind: Parameters<Parameters<typeof legend>[1]>[0]): void {
  if (!diagram.hidden.delete(kind)) diagram.hidden.add(kind);
  draw();
}

function draw(): void {
  diagram.order = model.order;
  diagram.draw();
  const rows: NodesOptions = {
    ...{ model, processes, isControlLost, send },
    columns: columnsOf(model, place.nodes.querySelector('[data-node] .log')?.clientWidth),
  };
  render(headline(model), place.headline);
  render(place.toolbar(diagram), place.tools);
  render(legend(diagram.hidden, toggle), place.legend);
  render(place.gutter(model), place.lanes);
  render(nodesHeading(rows), place.heading);
  render(nodeRows(rows), place.nodes);
  render(curves(model.samples.list, model.samples.newest), place.curves);
  const pace = pace$.value;
  render(tryIt({ pace, said, submit, setPace: (next) => pace$.next(next) }), place.tryIt);
  document.title = model.leader === null ? 'rxraft' : `${model.leader.id} leads · rxraft`;
}

const drawing$ = interval(120).pipe(
  tap(() => {
    const now = performance.now();
    model.watch(now);
    model.timeline.prune(now);
    if (document.visibilityState === 'visible') draw();
  }),
);
const sampling$ = interval(sampleMs).pipe(tap(() => model.samples.take()));
const controlling$ = frame$.pipe(
  tap((frame) => {
    isControlLost = frame === null;
    processes = frame?.processes ?? processes;
  }),
);

merge(event$, first$, writing$, controlling$, sampling$, drawing$, of(draw())).subscribe();
