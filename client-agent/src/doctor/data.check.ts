import { describeFailure } from '../agent.error.js';
import { failed, type Finding, passed, skipped } from '../connection/finding.js';
import { importSite } from '../data/index.js';

/** Whether the records can be read through the mapping. What is in them is for `check data` to show. */
export async function checkData(mapping: string | undefined, records: string | undefined): Promise<Finding> {
  if (mapping === undefined || records === undefined)
    return skipped('data mapping', 'not read', 'Give --mapping and --records to have them read.');
  try {
    const { report } = await importSite({ mappingFile: mapping, dataDir: records });
    const batches = `${report.batches.length} ${report.batches.length === 1 ? 'batch' : 'batches'} from ${report.files.length} files`;
    const flags = report.flags.length === 0 ? '' : `; ${report.flags.length} things to look at: coferment-agent check data`;
    return passed('data mapping', `${batches}${flags}`);
  } catch (error) {
    return failed('data mapping', describeFailure(error).message, 'See docs/mapping-file.md; nothing was changed.');
  }
}
