/** How many each node has added. The nodes and the page have the same reducer. */
export const initialState = { a: 0, b: 0, c: 0 };

export const reducer = (tally, { by }) => ({
  state: { ...tally, [by]: tally[by] + 1 },
  result: tally[by] + 1,
});
