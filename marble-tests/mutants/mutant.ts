/** A bug that is planted: a small change of the source, and who must find it. */

/** A test, by its file under `marble-tests` and its title. */
export interface NamedTest {
  readonly file: string;
  readonly title: string;
}

export interface Mutant {
  /** What the changed program does, in words. Differs from every other's. */
  readonly name: string;
  /** The rows of the list of traps, or the defects of the reference, whose guard is taken away. */
  readonly trap: string;
  /** Below the root of the project. */
  readonly file: string;
  /** Stands exactly once in the file. */
  readonly before: string;
  readonly after: string;
  /** Who finds it where the simulator does not. Without it the simulator must. */
  readonly test?: NamedTest;
  /** Why the simulator does not. */
  readonly because?: Blindness;
}

/** What the simulator does not see, by its nature. */
export const blindness = {
  honest: 'nobody in the simulator lies, or asks for nonsense',
  keeping: 'no disk of the simulator forgets what it acknowledged',
  elsewhere: 'the simulator has a model in its place',
  small: 'no campaign reaches this limit',
  slow: 'the cluster lives, and takes longer',
  cost: 'the same happens, and costs more',
  guarded: 'another guard stands behind this one',
  rare: 'it takes more luck than a campaign has',
} as const;

export type Blindness = keyof typeof blindness;
