/** The simulator's source of chance, for the tests that roll their own dice. */
export { Random } from '../../adapters/testing/simulation/random.js';
