/**
 * What a reader would have to look for, looked for: faults that the types reveal, streams that
 * leak, and the laws of `lib/` (no clock, no chance, no I/O, nothing of the world).
 * `marble-tests/lib/house.test.ts` shows each of these a bad example.
 */
import rxjsX from 'eslint-plugin-rxjs-x';
import { defineConfig } from 'eslint/config';
import typescript from 'typescript-eslint';

const plainModules = [
  { selector: 'ExportAllDeclaration', message: 'List the names: a door is narrow.' },
  { selector: 'ExportDefaultDeclaration', message: 'Named exports only.' },
  { selector: 'TSEnumDeclaration', message: 'A union of names: it is plain data.' },
];

const outsideWorld = [
  ...['Date', 'performance', 'crypto', 'navigator', 'process', 'console', 'fetch', 'Buffer'],
  ...['setTimeout', 'setInterval', 'setImmediate', 'clearTimeout', 'clearInterval'],
  ...['queueMicrotask', 'MessageChannel', 'Promise', 'WeakRef', 'FinalizationRegistry', 'Intl'],
  ...['globalThis', 'global', 'window', 'self', 'eval', 'Function', 'require'],
].map((name) => ({
  name,
  message: 'lib has no clock, no chance and no I/O: it belongs to an adapter.',
}));

const timeOfRxjs = [
  ...['asyncScheduler', 'asapScheduler', 'queueScheduler', 'animationFrameScheduler'],
  ...['timer', 'interval', 'animationFrames', 'delay', 'delayWhen', 'timeout', 'timestamp'],
  ...['timeInterval', 'debounceTime', 'throttleTime', 'auditTime', 'sampleTime', 'bufferTime'],
  ...['windowTime', 'firstValueFrom', 'lastValueFrom'],
];

/** Only these files of lib know rxjs. */
const operatorFiles = ['lib/raft.ts', 'lib/loop.ts', 'lib/selectors.ts'];

const importsOfLib = (packages) => [
  'error',
  {
    paths: [{ name: 'rxjs', importNames: timeOfRxjs, message: 'lib has no clock and one queue.' }],
    patterns: [
      {
        regex: packages,
        message: 'The core imports itself only; its operator files rxjs as well.',
      },
      { regex: '^\\.\\./', message: 'Imports point one way: adapters to lib, never back.' },
    ],
  },
];

export default defineConfig(
  { ignores: ['dist/', 'coverage/', 'data/'] },
  { linterOptions: { reportUnusedDisableDirectives: 'error' } },
  {
    rules: {
      eqeqeq: 'error',
      'no-cond-assign': ['error', 'always'],
      'no-duplicate-imports': ['error', { allowSeparateTypeImports: true }],
      'no-loss-of-precision': 'error',
      'no-self-compare': 'error',
      'no-sparse-arrays': 'error',
      'no-template-curly-in-string': 'error',
      'no-unmodified-loop-condition': 'error',
      'no-unsafe-finally': 'error',
      'no-unsafe-optional-chaining': 'error',
      'no-unused-labels': 'error',
      'prefer-const': 'error',
      'no-restricted-syntax': ['error', ...plainModules],
    },
  },
  {
    files: ['**/*.ts'],
    extends: [typescript.configs.strictTypeChecked, rxjsX.configs.recommended],
    languageOptions: {
      parserOptions: {
        project: ['tsconfig.json', 'adapters/page/tsconfig.json'],
        tsconfigRootDir: import.meta.dirname,
      },
    },
    rules: {
      // Arrow functions that only call, and promises answered without waiting, are the style here.
      '@typescript-eslint/no-confusing-void-expression': 'off',
      '@typescript-eslint/require-await': 'off',
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      // The caller of `memoryStore<C, S>()` says what it will hold; no argument could.
      '@typescript-eslint/no-unnecessary-type-parameters': 'off',
      // What comes from outside is checked whatever its type promises.
      '@typescript-eslint/no-unnecessary-condition': 'off',
      // There are none, and looking for them takes a while.
      '@typescript-eslint/no-unsafe-enum-assignment': 'off',
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true },
      ],
      'rxjs-x/no-floating-observables': 'error',
      'rxjs-x/no-misused-observables': 'error',
    },
  },
  {
    files: ['lib/**/*.ts'],
    rules: {
      'no-restricted-globals': ['error', ...outsideWorld],
      'no-restricted-properties': [
        'error',
        { object: 'Math', property: 'random', message: 'lib has no chance.' },
        { property: 'localeCompare', message: 'It differs from machine to machine.' },
        { property: 'toLocaleString', message: 'It differs from machine to machine.' },
      ],
      'no-restricted-imports': importsOfLib('^[^.]'),
      'no-restricted-syntax': [
        'error',
        ...plainModules,
        { selector: ':function[async=true]', message: 'lib is synchronous.' },
        { selector: 'ImportExpression', message: 'lib is synchronous.' },
        { selector: 'MetaProperty', message: 'lib knows nothing of where it runs.' },
      ],
    },
  },
  { files: operatorFiles, rules: { 'no-restricted-imports': importsOfLib('^(?!rxjs$)[^.]') } },
  {
    files: ['**/*.config.{js,ts}'],
    rules: { 'no-restricted-syntax': 'off' },
  },
);
