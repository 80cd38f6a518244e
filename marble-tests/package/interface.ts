/** The interface of each door of the package, as texts in which a reviewer sees what changed. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  CompilerState,
  Extractor,
  ExtractorConfig,
  ExtractorLogLevel,
} from '@microsoft/api-extractor';

const silent = { default: { logLevel: ExtractorLogLevel.None } };

function configOf(root: string, types: string, folder: string): ExtractorConfig {
  return ExtractorConfig.prepare({
    configObject: {
      projectFolder: root,
      mainEntryPointFilePath: types,
      compiler: { tsconfigFilePath: join(root, 'tsconfig.json') },
      apiReport: {
        enabled: true,
        reportFolder: folder,
        reportTempFolder: join(folder, 'new'),
        reportFileName: 'report',
      },
      docModel: { enabled: false },
      dtsRollup: { enabled: false },
      tsdocMetadata: { enabled: false },
      messages: {
        compilerMessageReporting: silent,
        extractorMessageReporting: silent,
        tsdocMessageReporting: silent,
      },
    },
    configObjectFullPath: undefined,
    packageJsonFullPath: join(root, 'package.json'),
  });
}

/** `doors`: their `.d.ts` files, whose interfaces come in the same order. */
export function interfacesOf(root: string, doors: readonly string[]): string[] {
  const folder = mkdtempSync(join(tmpdir(), 'rxraft-interface-'));
  try {
    const configs = doors.map((types) => configOf(root, types, folder));
    const [first] = configs;
    if (first === undefined) return [];
    const compilerState = CompilerState.create(first, { additionalEntryPoints: [...doors] });
    return configs.map((config) => {
      Extractor.invoke(config, {
        compilerState,
        localBuild: true,
        messageCallback: (message) => {
          message.handled = true;
        },
      });
      return readFileSync(join(folder, 'report.api.md'), 'utf8');
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
