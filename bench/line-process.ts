/**
 * A process that does one round when it is told to, by a line on its standard input, and answers by
 * a line of numbers.
 */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

export interface LineProcess {
  /** Rejects when the process ends instead of answering, or answers with something else. */
  ask(line: string): Promise<readonly number[]>;
  stop(): void;
}

interface Question {
  readonly resolve: (answer: readonly number[]) => void;
  readonly reject: (error: Error) => void;
}

export function lineProcess(command: string, args: readonly string[]): LineProcess {
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  const questions: Question[] = [];
  let ended: Error | null = null;
  const end = (why: string): void => {
    ended ??= new Error(`${command}: ${why}`);
    for (const question of questions.splice(0)) question.reject(ended);
  };
  child.on('error', (error) => end(error.message));
  child.on('exit', (code, signal) => end(`ended with ${signal ?? code}`));
  child.stdin.on('error', (error) => end(error.message));
  createInterface({ input: child.stdout }).on('line', (line) => {
    const question = questions.shift();
    if (/^\d+(\.\d+)?( \d+(\.\d+)?)*$/.test(line)) question?.resolve(line.split(' ').map(Number));
    else question?.reject(new Error(`${command} answered ${JSON.stringify(line)}`));
  });
  return {
    ask: (line) =>
      new Promise((resolve, reject) => {
        if (ended !== null) {
          reject(ended);
          return;
        }
        questions.push({ resolve, reject });
        child.stdin.write(`${line}\n`);
      }),
    stop: () => void child.kill(),
  };
}
