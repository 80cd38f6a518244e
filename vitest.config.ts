import { fileURLToPath } from 'node:url';
import { playwright } from '@vitest/browser-playwright';
import { defineConfig } from 'vitest/config';
import { chromium } from './marble-tests/browser/chromium.js';

/** Suites that need processes, browsers or patience. Each is a folder, and runs by `--mode`. */
const slowSuites = ['cluster', 'chaos', 'evidence', 'browser', 'fuzz', 'package', 'mutants'];

const source = (file: string): string => fileURLToPath(new URL(file, import.meta.url));

/** The package under its own name, from source: what documents show is run as it stands there. */
const resolve = {
  alias: [
    { find: /^rxraft$/, replacement: source('lib/index.ts') },
    { find: /^rxraft\/testing$/, replacement: source('adapters/testing/index.ts') },
    { find: /^rxraft\/(adapters\/.*)$/, replacement: source('$1.ts') },
  ],
};

const patient = {
  fileParallelism: false,
  testTimeout: 120_000,
  hookTimeout: 60_000,
  allowOnly: false,
};

/** The tests that also run within a page: all of the core but two, and of what works in pages. */
const inPages = [
  ...['lib/!(house|compile-errors)', 'determinism/*'],
  ...[
    'channel-network',
    'codec',
    'codec-references',
    'crc32',
    'during',
    'group-commit',
    'hidden-tab',
  ].map((name) => `adapters/${name}`),
  ...['idb-store', 'machine', 'memory-network', 'memory-store', 'message-codec', 'trace'].map(
    (name) => `adapters/${name}`,
  ),
  ...['bare-replica', 'gateway/conversation', 'observe-diagrams', 'recipes/locks'].map(
    (name) => `adapters/${name}`,
  ),
  ...['traps-machine', 'turn-scheduler'].map((name) => `adapters/${name}`),
].map((name) => `marble-tests/${name}.test.ts`);

/**
 * The browser suite: its folder drives pages from Node, and what also runs on Node runs in a page.
 */
const browserProjects = [
  {
    resolve,
    test: {
      name: 'pages',
      include: ['marble-tests/browser/**/*.test.ts'],
      ...patient,
      expect: { poll: { timeout: 60_000 } },
    },
  },
  {
    resolve,
    optimizeDeps: {
      include: ['fast-check', 'idb', 'msgpackr', 'rxjs', 'rxjs-marbles', 'valibot'],
    },
    test: {
      name: 'within a page',
      include: inPages,
      ...patient,
      expect: { requireAssertions: true },
      browser: {
        enabled: true,
        headless: true,
        screenshotFailures: false,
        provider: playwright({ launchOptions: chromium }),
        instances: [{ browser: 'chromium' as const }],
      },
    },
  },
];

/** Under mutation only what runs the core is of use; the rest reads sources, or takes too long. */
const withoutEffect =
  process.env['STRYKER_MUTATOR_WORKER'] === undefined
    ? []
    : [
        ...['adapters', 'simulation', 'testing', 'trace', 'linearizability'].map(
          (folder) => `marble-tests/${folder}/**`,
        ),
        ...['mutants', 'bench'].map((folder) => `marble-tests/${folder}/**`),
        ...['lib/house', 'lib/compile-errors', 'docs', 'marbles', 'bundles'].map(
          (file) => `marble-tests/${file}.test.ts`,
        ),
      ];

function suiteOf(mode: string) {
  if (mode === 'browser') return { projects: browserProjects };
  if (slowSuites.includes(mode))
    return { include: [`marble-tests/${mode}/**/*.test.ts`], ...patient };
  return {
    include: ['marble-tests/**/*.test.ts'],
    exclude: [...slowSuites.map((suite) => `marble-tests/${suite}/**`), ...withoutEffect],
    testTimeout: 20_000,
    allowOnly: false,
    // Files share what is loaded, which is most of their time. Whoever mocks a module resets them.
    isolate: false,
    maxWorkers: '100%',
    // A diagram that nothing is compared with would pass without looking.
    expect: { requireAssertions: true },
    coverage: {
      include: ['lib/**/*.ts'],
      reporter: ['text' as const],
      thresholds: { lines: 95, branches: 95 },
    },
  };
}

export default defineConfig(({ mode }) => ({
  resolve,
  test: suiteOf(mode),
}));
