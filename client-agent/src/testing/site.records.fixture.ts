import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const MAPPING = `schema: 1
site: a
scale: bench
sources:
  - name: online
    role: online
    type: csv
    path: online.csv
    batch: { column: run }
    time: { column: t, format: hours }
    columns:
      temperature: { column: T, unit: Cel }
  - name: laboratory
    role: offline
    type: csv
    path: lab.csv
    batch: { column: run }
    time: { column: t, format: hours }
    columns:
      product_concentration: { column: P, unit: g/L }
`;

/** Records of one site with a temperature and a product, and their mapping. @param change of the laboratory's file, for records that were altered */
export function writeRecords(
  folder: string,
  change: (laboratory: string) => string = (text) => text,
): { mappingFile: string; dataDir: string } {
  const online = ['run,t,T'];
  const laboratory = ['run,t,P'];
  for (let batch = 1; batch <= 12; batch++) {
    for (let hour = 0; hour <= 8; hour++) {
      online.push(`B${batch},${hour},${(30 + (batch % 5) + hour / 10).toFixed(2)}`);
      if (hour > 0) laboratory.push(`B${batch},${hour},${(hour * (1 + (batch % 5) / 10)).toFixed(3)}`);
    }
  }
  const mappingFile = join(folder, 'mapping.yaml');
  writeFileSync(mappingFile, MAPPING);
  writeFileSync(join(folder, 'online.csv'), `${online.join('\n')}\n`);
  writeFileSync(join(folder, 'lab.csv'), change(`${laboratory.join('\n')}\n`));
  return { mappingFile, dataDir: folder };
}

/** Takes one batch out of records that were written. */
export function leaveOut(folder: string, batch: string): void {
  for (const name of ['online.csv', 'lab.csv']) {
    const file = join(folder, name);
    const lines = readFileSync(file, 'utf8').split('\n');
    writeFileSync(file, lines.filter((line) => !line.startsWith(`${batch},`)).join('\n'));
  }
}
