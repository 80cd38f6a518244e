/**
 * The CPU time of this process in nanoseconds, of all of its threads: other work on the machine
 * does not count, and the garbage collector does.
 */
export function cpuTimeOf(work: () => void): number {
  const start = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(start);
  return (user + system) * 1000;
}
