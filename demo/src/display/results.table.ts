import Table from 'cli-table3';
import pc from 'picocolors';
import type { Summary } from '../summary/summary.schema.js';

/** The end of the demo: what training together was worth, what it cost, and whether the ledger holds. */
export function resultsTable(summary: Summary, colour: boolean): string {
  const { bold, green, red } = pc.createColors(colour);
  const { metric, aggregation, ledger, audit } = summary;
  const error = (value: number): string => value.toPrecision(4);
  const table = new Table({
    head: ['', 'own test batches:\nlocal-only', '\nfederated', "all sites' test batches:\nlocal-only", '\nfederated', '\npooled'],
    style: { head: [], border: [] },
    colAligns: ['left', 'right', 'right', 'right', 'right', 'right'],
  });
  for (const site of summary.sites) {
    table.push([site.id, error(site.ownTest.localOnly), error(site.ownTest.federated), error(site.localOnly), '', '']);
  }
  table.push([bold('overall (local-only: mean)'), '', '', error(metric.localOnly), bold(error(metric.federated)), error(metric.pooled)]);
  return [
    `Error (${metric.name}, ${metric.unit}). Local-only: each site alone. Pooled: possible only here, because the demo owns every site's records.`,
    table.toString(),
    `Uploaded per update   ${aggregation.uploadBytesPerParameter.toFixed(2)} bytes a parameter (${aggregation.modelParameters} parameters; the encrypted weight and error sums that go with them weigh most in a small model)`,
    `Who can open a sum    ${aggregation.threshold} of ${aggregation.keyHolders} key holders, after ${aggregation.attestQuorum} sites signed the set; up to ${aggregation.collusionBound} may collude`,
    `Ledger                ${ledger.size} entries, ${ledger.verified ? green('verified by the auditor') : red('DOES NOT VERIFY')}, root ${ledger.rootHash}`,
    `Audit                 ${audit.sumsRecomputed} sums opened again ${audit.recomputedBitForBit ? green('bit for bit') : red('AND NOT ALL THE SAME')}; ${audit.witnesses} witnesses cosigned; the receipt of ${audit.receipt.site} ${audit.receipt.holds ? green('holds') : red('DOES NOT HOLD')}`,
    `Time                  ${summary.seconds.total.toFixed(0)} s in all, ${summary.seconds.perRoundMedian.toFixed(1)} s a round (median)`,
  ].join('\n');
}

/** Where to look now, and commands that can be copied. */
export function nextSteps(summary: Summary, out: string): string {
  return [
    'What to look at next',
    `  ${out}/summary.json             everything above as JSON`,
    `  ${out}/model/model.json         the model, in the TensorFlow.js layers format`,
    `  ${out}/ledger/                  the ledger; verify it again:`,
    `      npx coferment-audit verify ${out}/ledger --key "$(cat ${out}/ledger.vkey)"`,
    `  ${out}/report.html              the auditor's report, for a browser or a printer`,
    `  ${out}/receipts/                what two sites can show anybody as proof of their contributions`,
    `  ${out}/logs/                    one log per process; every byte class that left a site is in the site's log`,
    `  npx coferment-agent status --data ${out}/sites/${summary.sites[0]?.id ?? ''}`,
    '  npm run demo -- --fault drop-site             a site dies in mid-training and comes back',
    '  npm run demo -- --fault kill-coordinator      the coordinator dies while updates arrive',
  ].join('\n');
}
