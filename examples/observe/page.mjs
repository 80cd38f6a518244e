/**
 * A page that follows the tally: no member of the cluster, but with its state at the same entries,
 * from the same reducer, through every loss of a node.
 */
import { combineLatest, map, startWith, timer } from 'rxjs';
import { observe } from 'rxraft/adapters/observe';
import { bannerOf } from './banner.mjs';
import { reducer } from './reducer.mjs';

const { state$, status$ } = observe(NODES, { reducer, cluster: 'tally' });

const place = (id) => document.getElementById(id);

/** Only what has changed: a screen reader says it again otherwise. */
const show = (element, text) => {
  if (element.textContent !== text) element.textContent = text;
};

function showTally(tally) {
  const counts = Object.entries(tally);
  const most = Math.max(1, ...counts.map(([, count]) => count));
  show(place('sum'), String(counts.reduce((sum, [, count]) => sum + count, 0)));
  for (const [node, count] of counts) {
    show(place(node), String(count));
    place(`bar-${node}`).style.width = `${(100 * count) / most}%`;
  }
}

function showBanner({ tone, word, text }) {
  document.documentElement.dataset.tone = tone;
  document.title = `${word} · tally`;
  show(place('word'), word);
  show(place('text'), text);
}

state$.subscribe(showTally);

const changedAt$ = state$.pipe(
  map(() => performance.now()),
  startWith(null),
);
combineLatest([status$, changedAt$, timer(0, 250)]).subscribe(([status, changedAt]) => {
  showBanner(bannerOf(status, changedAt === null ? null : performance.now() - changedAt));
});
