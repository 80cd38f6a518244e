/** Who this process is: `node examples/counter.mjs a`, in three terminals with a, b and c. */
const [id = 'a'] = process.argv.slice(2);
const example = process.argv[1]?.match(/(\w+)\.mjs$/)?.[1];

const ports = (process.env.PORTS ?? '7001,7002,7003').split(',');

export const place = {
  id,
  nodes: Object.fromEntries(['a', 'b', 'c'].map((each, i) => [each, `127.0.0.1:${ports[i]}`])),
  folder: `${process.env.DATA ?? './data'}/${example}-${id}`,
};
