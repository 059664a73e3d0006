import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

const MAPPING = (site: string): string => `schema: 1
site: ${site}
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

const BATCHES = 6;
const HOURS = 8;

/** A temperature and a product of a few batches: as little as a linear model can learn from. */
export function writeRecords(folder: string, site: string): { mappingFile: string; recordsFolder: string } {
  const online = ['run,t,T'];
  const laboratory = ['run,t,P'];
  for (let batch = 1; batch <= BATCHES; batch++) {
    for (let hour = 0; hour <= HOURS; hour++) {
      online.push(`B${batch},${hour},${(30 + batch + hour / 10).toFixed(2)}`);
      if (hour > 0) laboratory.push(`B${batch},${hour},${(hour * (1 + batch / 10)).toFixed(3)}`);
    }
  }
  const mappingFile = join(folder, 'mapping.yaml');
  writeFileSync(mappingFile, MAPPING(site));
  writeFileSync(join(folder, 'online.csv'), `${online.join('\n')}\n`);
  writeFileSync(join(folder, 'lab.csv'), `${laboratory.join('\n')}\n`);
  return { mappingFile, recordsFolder: folder };
}
