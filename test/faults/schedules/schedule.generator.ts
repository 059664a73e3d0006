import { type Act, type Beginning, type Fault, type FaultSchedule, SITES, type Site, type Trigger, type Victim } from './fault.schedule.js';
import { SeededRandom } from './seeded.random.js';

const VICTIMS: readonly Victim[] = ['coordinator', ...SITES];
const FEWEST_FAULTS = 2;
const MOST_FAULTS = 4;

/** States that a watch shows. */
const SUM_STATES = ['training', 'ready', 'uploading', 'frozen', 'attesting', 'decrypting', 'applying', 'closed'];
const CEREMONY = ['offerSealingKey', 'approveRoster', 'deal', 'checkDealing', 'agreeEpoch'];
const IN_SUMS = ['prepareSum', 'encrypt', 'attest', 'releaseShare', 'applySum'];
const SENT_IN_SUMS = ['nonce', 'ciphertext', 'contribution', 'attestation', 'decryption-share', 'share'];

/**
 * The schedule of a seed. Half of the seeds have a run that waits for everybody, so that its model must be that of a run without faults; of eight, two
 * begin with the launch, so that faults hit the key ceremony too, which takes as long as all that comes after it.
 */
export function generateSchedule(seed: number, rounds: number): FaultSchedule {
  const random = new SeededRandom(seed);
  const from: Beginning = Math.floor(seed / 2) % 4 === 0 ? 'launch' : 'keys';
  const count = random.whole(FEWEST_FAULTS, MOST_FAULTS);
  const faults: Fault[] = Array.from({ length: count }, () => ({
    when: chooseTrigger(random, from, rounds),
    afterMs: random.of([0, 0, random.whole(1, 60), random.whole(60, 400)]),
    what: chooseAct(random),
  }));
  return { seed, patience: seed % 2 === 0 ? 'waiting' : 'quorum', from, faults };
}

function chooseTrigger(random: SeededRandom, from: Beginning, rounds: number): Trigger {
  const site = random.of(SITES);
  const inCeremony = from === 'launch' && random.whole(0, 1) === 0;
  switch (random.whole(0, 7)) {
    case 0:
      return { on: 'beginning' };
    case 1:
    case 2:
    case 3:
      if (inCeremony) return { on: 'asked', site, kind: random.of(CEREMONY), nth: 1 };
      return { on: 'asked', site, kind: random.of(IN_SUMS), nth: random.whole(1, 2 + rounds) };
    case 4:
      if (inCeremony) return { on: 'sent', site, name: random.of(['dealing-masked', 'dealing', 'dealing-ack', 'epoch-agreed']), nth: 1 };
      return { on: 'sent', site, name: random.of(SENT_IN_SUMS), nth: random.whole(1, 3) };
    default:
      return chooseSum(random, inCeremony, rounds);
  }
}

function chooseSum(random: SeededRandom, inCeremony: boolean, rounds: number): Trigger {
  const kind = inCeremony ? 'confirm' : random.of(['statistics', 'update', 'update', 'update', 'evaluate'] as const);
  return { on: 'sum', kind, round: kind === 'update' ? random.whole(1, rounds) : 0, state: random.of(SUM_STATES) };
}

function chooseAct(random: SeededRandom): Act {
  const site: Site = random.of(SITES);
  const downMs = random.of([0, random.whole(0, 500), random.whole(500, 2500)]);
  switch (random.whole(0, 9)) {
    case 0:
    case 1:
      return { act: 'kill', whom: ['coordinator'], downMs };
    case 2:
    case 3:
      return { act: 'kill', whom: [site], downMs };
    case 4:
    case 5:
      return { act: 'kill', whom: random.some(VICTIMS, random.whole(2, VICTIMS.length)), downMs };
    case 6:
      return { act: 'kill-in-start', whom: random.of(['coordinator', site]), downMs, againMs: random.whole(50, 1500) };
    case 7:
      return { act: 'freeze', whom: random.of(['coordinator', site]), forMs: random.whole(200, 2500) };
    case 8:
      return { act: 'cut', site, how: random.of(['reset', 'silent']), forMs: random.whole(100, 2500) };
    default:
      return { act: 'delay', site, delayMs: random.whole(20, 300), forMs: random.whole(500, 3000) };
  }
}
