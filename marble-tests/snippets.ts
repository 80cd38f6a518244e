/**
 * The programs in a document: a block without imports continues the one before it. They are written
 * to files in the package, so that their imports are found as a user's are.
 */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

const root = fileURLToPath(new URL('../', import.meta.url));

export class Snippets {
  /** The TypeScript programs of the document, in order. */
  readonly programs: readonly string[];
  private readonly folder: string;

  constructor(document: string, name: string) {
    this.folder = join(root, 'dist', name);
    const text = readFileSync(join(root, document), 'utf8');
    this.programs = [...text.matchAll(/```ts\n([\s\S]*?)```/g)].reduce<string[]>(
      (list, [, block = '']) => {
        if (/^import /m.test(block)) list.push(block);
        else list.push(`${list.pop() ?? ''}\n${block}`);
        return list;
      },
      [],
    );
  }

  write(text: string, name: string): string {
    mkdirSync(this.folder, { recursive: true });
    const file = join(this.folder, `${name}.ts`);
    writeFileSync(file, text);
    return file;
  }

  async start<T>(text: string, name: string): Promise<T> {
    return (await import(/* @vite-ignore */ this.write(text, name))) as T;
  }

  /** What the compiler says to the programs as files of a user. */
  complaints(): string[] {
    return complaintsOf(this.programs.map((text, at) => this.write(text, `compiled-${at + 1}`)));
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

function complaintsOf(files: readonly string[]): string[] {
  const { config } = ts.readConfigFile(join(root, 'tsconfig.json'), (name) =>
    ts.sys.readFile(name),
  ) as { config: unknown };
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, root);
  const paths = {
    rxraft: [join(root, 'lib/index.ts')],
    'rxraft/testing': [join(root, 'adapters/testing/index.ts')],
    'rxraft/*': [join(root, '*.ts')],
  };
  const program = ts.createProgram(files, { ...options, paths, noUnusedLocals: false });
  return ts
    .getPreEmitDiagnostics(program)
    .map(({ file, messageText }) => `${file?.fileName}: ${JSON.stringify(messageText)}`);
}
