import type { BudgetStep } from '@coferment/consortium';
import { several } from './collusion.statement.js';
import type { PlanExplanation } from './plan.explanation.js';

const MARGIN = 21;
const WIDTH = 150;
const UNITS = ['bytes', 'kB', 'MB', 'GB', 'TB'];

/** Bytes for people, in powers of a thousand. */
function size(bytes: number): string {
  let unit = 0;
  let value = bytes;
  for (; value >= 1000 && unit < UNITS.length - 1; unit++) value /= 1000;
  return unit === 0 ? `${value} bytes` : `${value.toFixed(value < 10 ? 2 : 1)} ${UNITS[unit]}`;
}

/** A label and sentences beside it, broken at spaces. */
function paragraph(label: string, ...sentences: string[]): string[] {
  const lines: string[] = [];
  for (const sentence of sentences) {
    let line = '';
    for (const word of sentence.split(' ')) {
      if (line !== '' && line.length + word.length >= WIDTH - MARGIN) {
        lines.push(line);
        line = sentences.length > 1 ? `  ${word}` : word;
      } else line = line === '' ? word : `${line} ${word}`;
    }
    lines.push(line);
  }
  return lines.map((line, index) => `  ${(index === 0 ? label : '').padEnd(MARGIN)}${line}`);
}

const CHOICE_NAMES: Record<BudgetStep['name'], string> = {
  valueBits: 'value bits v',
  kappa: 'drowning κ',
  droppedBits: 'dropped bits d',
  shareDroppedBits: "of a share, d'",
};

export function explanationText(explanation: PlanExplanation): string {
  const { numbers, parameters, absences, lattice, advantage, collusion, traffic, effectiveBits } = explanation;
  const { set, digitsPerCoefficient, digitBits, valueBits, keptBits, smudgingBits } = parameters;
  const within = (fits: boolean, limit: number, name: string): string => `${fits ? 'within' : 'BEYOND'} ${limit} (${name})`;
  const left = effectiveBits.meanSite;
  const kept =
    left === null
      ? ''
      : `a site of mean weight keeps ${left.least === left.most ? left.most : `${left.least} to ${left.most}`} of ${valueBits}; `;
  return [
    `Plan "${explanation.name}" among ${explanation.sites} sites`,
    ...paragraph('digest', explanation.plan),
    ...paragraph('model', `${explanation.inputs} inputs, ${explanation.modelParameters} parameters, ${explanation.rounds} rounds`),
    ...paragraph(
      'a sum needs',
      `${numbers.minContributors} contributors; ${numbers.rho} of ${numbers.n} sites sign it; ${numbers.tau} of ${numbers.m} key holders open it`,
    ),
    ...paragraph(
      'may be away',
      `${several(absences.attesting, 'site')} while a sum is signed, ${several(absences.opening, 'key holder')} while it is opened; at the deadline of ${explanation.deadline}: ${explanation.onDeadline}`,
    ),
    '',
    `What the operator together with ${several(collusion.sites, 'site')}`,
    ...paragraph('could not', ...collusion.cannot),
    ...paragraph('could', ...collusion.can),
    ...paragraph(
      'no promise beyond',
      `${collusion.breaksAt.keyHolders} key holders together with the operator open every update of the epoch`,
    ),
    '',
    'Encryption',
    ...paragraph(
      'lattice',
      `${set}: N = ${lattice.degree}, ${lattice.secret} secret, log2 q = ${lattice.ciphertextModulusBits} (${lattice.contextModulusBits} with the special prime, which nothing uses): ` +
        `${within(lattice.within.classical128, lattice.limits.classical128, '128 bits')}, ${within(lattice.within.postQuantum128, lattice.limits.postQuantum128, '128 bits post-quantum')}. Limits: ${lattice.source}`,
    ),
    ...paragraph(
      'shares tell nothing',
      `estimated advantage 2^${advantage.wholeRunLog2.toFixed(1)} over the whole run (${advantage.blocks} blocks); 2^${advantage.mostLog2.toFixed(1)} at ${advantage.mostBlocks} blocks, the most of any key epoch`,
    ),
    ...paragraph(
      'a coefficient',
      `carries ${digitsPerCoefficient} values of ${valueBits} bits in digits of ${digitBits}; ${keptBits} of its bits are uploaded; shares are smudged with ${smudgingBits} bits`,
    ),
    ...explanation.choices.flatMap((choice) =>
      paragraph(
        CHOICE_NAMES[choice.name],
        `${choice.value}: ${choice.rule}, ${choice.uses.toFixed(2)} of ${choice.limit.toFixed(2)} bits; ${choice.oneMore === null ? choice.because : `no more, for ${choice.because}`}`,
      ),
    ),
    ...paragraph('effective bits', `${kept}${effectiveBits.rule}`),
    ...paragraph(
      'or, by asking for',
      explanation.packingOffers
        .map((offer) => `${offer.valueBits} value bits: ${offer.bytesPerParameter.toFixed(2)} bytes a parameter`)
        .join(' · '),
    ),
    '',
    'A round, when all take part (objects; the signed statements beside them are a few kB a site)',
    ...paragraph(
      'an upload',
      `${size(traffic.objects.upload)}, ${explanation.bytesPerParameter.toFixed(2)} bytes a parameter, in ${several(explanation.blocksPerUpdate, 'block')}`,
    ),
    ...paragraph('a share', `${size(traffic.objects.share)}, ${explanation.shareBytesPerParameter.toFixed(2)} bytes a parameter`),
    ...paragraph(
      'a site',
      `sends ${size(traffic.site.sends)}, receives ${size(traffic.site.receives)}, of which ${size(traffic.site.ofThatSpotCheck)} to open blocks of the sum again`,
    ),
    ...paragraph('a key holder', `sends ${size(traffic.keyHolder.sends)}, receives ${size(traffic.keyHolder.receives)}`),
    ...paragraph('the coordinator', `receives ${size(traffic.coordinator.receives)}, sends ${size(traffic.coordinator.sends)}`),
  ].join('\n');
}
