import { peekStatement } from '@coferment/consortium';
import { bytesToHex, loadCrypto } from '@coferment/crypto';
import { leafHash, MerkleFrontier, publicKeyFromSeed } from '@coferment/ledger';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { AgentError } from '../agent.error.js';
import { BackoffSchedule } from '../connection/backoff.schedule.js';
import { CoordinatorRefusal } from '../connection/coordinator.errors.js';
import { ORIGIN, WitnessingSite, WordLog } from './forking.coordinator.fixture.js';
import { dismissEvidence } from './split.evidence.js';
import { witnessSigner } from './witness.key.js';
import { WITNESS_PACE, WitnessLoop } from './witness.loop.js';

const log = WordLog.counting(20);
let site: WitnessingSite;

/** Runs the loop until a test has seen what it waits for. */
async function witnessUntil(isDone: () => boolean, leastMs = 1): Promise<void> {
  const stop = new AbortController();
  const endMs = Date.now() + 10_000;
  const watch = setInterval(() => {
    if (isDone() || Date.now() > endMs) stop.abort();
  }, 2);
  await new WitnessLoop(site.context, { waitMs: 20, leastMs }, new BackoffSchedule(5, 40)).run(stop.signal);
  clearInterval(watch);
  expect(isDone(), 'the site did not come to it').toBe(true);
}

const cosignedSize = () => Number(site.journal.cosigned.latest()?.size ?? 0);
const undecided = () => site.journal.evidence.undecided().length;
const keys = () => site.board.acts.map(({ envelope }) => peekStatement(envelope)).filter(({ name }) => name === 'witness-key');

/** The site has read so many entries of a log. */
function read(shown: WordLog, entries: number): void {
  const tree = MerkleFrontier.empty();
  for (const word of shown.words.slice(0, entries)) tree.append(leafHash(Buffer.from(word)));
  site.journal.ownActs.moveTo({ entries, lastEntry: 'f'.repeat(64), subtrees: tree.subtrees });
}

beforeAll(loadCrypto);
beforeEach(() => {
  site = new WitnessingSite();
});

describe('the witness key', () => {
  /** The site reads a ledger of so many entries, with the key that was sent or, restored from a backup, without it. */
  function readLedger(entries: number, withKey: boolean): void {
    const { journal, board } = site;
    const payload = Buffer.from(board.acts[0]!.envelope.payload, 'base64');
    if (withKey) journal.roll.add({ entry: 0, name: 'witness-key', statement: payload.toString('utf8') });
    else journal.roll.clear();
    journal.ownActs.moveTo({ entries, lastEntry: entries.toString(16).padStart(64, '0'), subtrees: [] });
  }

  /** As the recorder of the agent does, the board notes what was accepted. */
  function recordWhatIsSent(): void {
    const { port } = site.context;
    const submitStatement: typeof port.submitStatement = (envelope) => {
      const { digest } = peekStatement(envelope);
      const { id } = site.journal.activity.sending({ name: 'witness-key', run: '', bytes: 1, digest });
      return port.submitStatement(envelope).then(() => site.journal.activity.noteOutcome(id, 'accepted'));
    };
    site.context = { ...site.context, port: { ...port, submitStatement } };
  }

  it('is signed by the site and not sent again, over restarts, once the ledger has it', async () => {
    site.offers = [() => log.offer(0, 1)];
    recordWhatIsSent();
    await witnessUntil(() => site.sent.length === 1);
    const key = bytesToHex(publicKeyFromSeed(witnessSigner(site.identity, ORIGIN, 'a').seed));
    expect(keys().map(({ predicate }) => predicate)).toEqual([{ consortium: 'acme', site: 'a', key }]);
    readLedger(1, true);
    site.restart();
    recordWhatIsSent();
    site.offers = [() => log.offer(1, 2)];
    await witnessUntil(() => site.sent.length === 2);
    expect(keys()).toHaveLength(1);
  });

  it('comes back, the same act, when the coordinator was restored and its ledger has it no more', async () => {
    recordWhatIsSent();
    let step = 0;
    await witnessUntil(() => {
      if (step === 0 && keys().length === 1) step = (readLedger(2, true), site.asked.length);
      else if (step > 0 && site.asked.length > step + 3 && keys().length === 1) readLedger(1, false);
      return keys().length === 2;
    });
    const [first, second] = site.board.acts.map(({ envelope }) => envelope);
    expect(second).toEqual(first);
    readLedger(3, true);
    site.restart();
    recordWhatIsSent();
    readLedger(1, false);
    await witnessUntil(() => keys().length === 3);
  });

  it('that the coordinator refuses is told once, and does not keep the site from watching the log', async () => {
    const { port } = site.context;
    const refusal = new CoordinatorRefusal('already-different', 'coordinator-refused', 'That key was replaced.');
    site.context = { ...site.context, port: { ...port, submitStatement: () => Promise.reject(refusal) } };
    site.offers = [() => log.offer(0, 8), () => ({ note: log.forked(3, 8).note(), proof: [] })];
    await witnessUntil(() => undecided() === 1);
    expect(site.events.filter(({ event }) => event === 'refused')).toHaveLength(1);
  });

  it('is sent again until it has arrived', async () => {
    site.board.failing = true;
    const stop = setTimeout(() => (site.board.failing = false), 30);
    site.offers = [() => log.offer(0, 1)];
    await witnessUntil(() => site.sent.length === 1);
    clearTimeout(stop);
    expect(keys()).toHaveLength(1);
  });
});

describe('the loop', () => {
  it('asks from the last size on, sends what it has stored, and goes on', async () => {
    site.offers = [3, 7, 20].map((size) => (oldSize) => log.offer(oldSize, size));
    await witnessUntil(() => site.sent.length === 3);
    expect(site.asked.slice(0, 3)).toEqual([0, 3, 7]);
    expect(site.sent.at(-1)).toBe(site.journal.cosigned.latest()!.note);
    expect(site.journal.cosigned.latest()!.isSent).toBe(true);
  });

  it('stores nothing while the line is quiet or down, and tells nobody', async () => {
    await witnessUntil(() => site.asked.length > 3);
    const before = site.journal.record.lines().length;
    site.offers = [
      () => {
        throw new AgentError('unreachable', 'the line is cut');
      },
    ];
    const asked = site.asked.length;
    await witnessUntil(() => site.asked.length > asked + 3);
    expect(site.journal.record.lines()).toHaveLength(before);
    expect(site.events).toEqual([]);
  });

  it('sends after a restart what was stored and never left: the same bytes', async () => {
    site.offers = [() => log.offer(0, 5)];
    let tried = '';
    site.onCosignature = (note) => {
      tried = note;
      throw new AgentError('unreachable', 'the power is cut');
    };
    await witnessUntil(() => tried !== '');
    expect(site.sent).toEqual([]);
    expect(cosignedSize()).toBe(5);
    site.onCosignature = () => {};
    site.restart();
    await witnessUntil(() => site.sent.length > 0 && site.journal.cosigned.latest()!.isSent);
    expect(site.sent).toEqual([tried]);
  });

  it.each(['forbidden', 'malformed', 'bad-signature'])('takes the refusal %s as an answer, shows it once, and goes on', async (code) => {
    site.offers = [3, 4, 5].map((size) => (oldSize) => log.offer(oldSize, size));
    site.onCosignature = () => {
      throw new CoordinatorRefusal(code, 'coordinator-refused', 'A cosignature was refused.');
    };
    await witnessUntil(() => cosignedSize() === 5 && site.journal.cosigned.latest()!.isSent);
    expect(site.events.filter(({ event }) => event === 'refused')).toHaveLength(1);
    expect(site.sent).toEqual([]);
  });

  it.each([
    ['clock-off', 'clock-off'],
    ['unauthenticated', 'certificate-refused'],
  ] as const)('sends again what was refused for %s, and watches the log meanwhile', async (refusal, code) => {
    site.offers = [3, 4].map((size) => (oldSize) => log.offer(oldSize, size));
    let tries = 0;
    site.onCosignature = () => {
      tries += 1;
      if (tries < 5) throw new CoordinatorRefusal(refusal, code, 'Not now.');
    };
    await witnessUntil(() => site.sent.length === 1 && site.journal.cosigned.latest()!.isSent);
    expect(cosignedSize()).toBe(4);
    expect(tries).toBe(5);
  });

  it('is not troubled when its cosignature comes too late', async () => {
    site.offers = [3, 4].map((size) => (oldSize) => log.offer(oldSize, size));
    site.onCosignature = () => {
      throw new CoordinatorRefusal('not-owed', 'coordinator-refused', 'Another one is offered by now.');
    };
    await witnessUntil(() => cosignedSize() === 4 && site.journal.cosigned.latest()!.isSent);
    expect(site.events.filter(({ event }) => event === 'refused')).toEqual([]);
  });

  it('tells people of what is no checkpoint, once', async () => {
    site.offers = Array.from({ length: 3 }, () => () => ({ note: 'garbage', proof: [] }));
    await witnessUntil(() => site.offers.length === 0);
    expect(site.events.filter(({ event }) => event === 'refused')).toMatchObject([{ code: 'checkpoint-refused' }]);
  });

  it('takes its time: one checkpoint a second at most', async () => {
    expect(WITNESS_PACE.leastMs).toBe(1000);
    site.offers = Array.from({ length: 20 }, (_, index) => (oldSize: number) => log.offer(oldSize, index + 1));
    const before = performance.now();
    await witnessUntil(() => site.sent.length === 4, 60);
    expect(performance.now() - before).toBeGreaterThan(175);
  });
});

describe('a split view', () => {
  const fork = log.forked(4, 20);

  async function findFork(): Promise<void> {
    site.offers = [() => log.offer(0, 8), () => fork.offer(8, 12), () => fork.offer(8, 12)];
    await witnessUntil(() => undecided() === 1);
  }

  it('is kept when the coordinator has been asked again; nothing more is asked or cosigned, also after a restart', async () => {
    await findFork();
    const asked = site.asked.length;
    site.offers = [(oldSize) => log.offer(oldSize)];
    site.restart();
    let turns = 0;
    await witnessUntil(() => ++turns > 20);
    expect(site.asked).toHaveLength(asked);
    expect([cosignedSize(), undecided(), site.sent.length]).toEqual([8, 1, 1]);
  });

  it('stops the site again each time that the log goes to and fro between its histories', async () => {
    site.offers = [() => log.offer(0, 8)];
    await witnessUntil(() => cosignedSize() === 8);
    const [one, other] = [log, log.forked(2, 8)].map((shown) => () => ({ note: shown.note(8), proof: [] }));
    for (let times = 1; times <= 4; times++) {
      site.offers = [times % 2 === 1 ? other! : one!];
      await witnessUntil(() => undecided() === 1);
      expect(site.journal.evidence.all()).toHaveLength(times);
      dismissEvidence(site.journal, times, `time ${times}`);
    }
  });

  describe('of a coordinator that has fewer entries than before, and refuses', () => {
    const refuse = () => {
      throw new CoordinatorRefusal('malformed', 'coordinator-refused', 'You have cosigned more.');
    };

    it('is kept with the shorter checkpoint that it has signed', async () => {
      site.offers = [() => log.offer(0, 8), refuse, refuse];
      site.newest = () => log.note(5);
      // Of what it has lost it has no proofs either.
      read(log, 7);
      site.proofs = refuse;
      await witnessUntil(() => undecided() === 1);
      expect(site.journal.evidence.undecided()).toMatchObject([{ what: expect.stringContaining('older state') }]);
      dismissEvidence(site.journal, 1, 'restored from a backup');
      site.offers = [() => fork.offer(5, 6), () => fork.offer(5, 6)];
      await witnessUntil(() => undecided() === 1);
      // What it shows must extend what a person has let it go on from.
      expect(cosignedSize()).toBe(5);
    });

    it.each([
      ['as many as before', () => log.note(8)],
      ['more', () => log.note(9)],
      ['no checkpoint', () => 'garbage'],
      ['one that another key has signed', () => log.note(5, new Uint8Array(32).fill(2))],
    ])('is none while what it has signed is %s', async (_, newest) => {
      site.offers = [() => log.offer(0, 8), refuse, refuse, refuse];
      site.newest = newest;
      await witnessUntil(() => site.offers.length === 0);
      expect(site.journal.evidence.all()).toEqual([]);
      expect(site.events.filter(({ event }) => event === 'refused')).toHaveLength(1);
    });
  });

  it('is none when the second answer is right', async () => {
    site.offers = [() => log.offer(0, 8), () => ({ note: log.note(12), proof: [] }), () => undefined, () => log.offer(8, 12)];
    await witnessUntil(() => cosignedSize() === 12);
    // The doubt is over: the next spoiled answer is asked about again.
    site.offers = [() => ({ note: log.note(14), proof: [] }), () => log.offer(12, 14)];
    await witnessUntil(() => cosignedSize() === 14);
    expect(site.journal.evidence.all()).toEqual([]);
  });

  it('goes on where a person has decided so, from what the log shows now, and keeps the evidence', async () => {
    await findFork();
    dismissEvidence(site.journal, 1, 'the operator restored a backup');
    expect(cosignedSize()).toBe(12);
    // With the next one it would wait for another entry, which may be long in coming: till then no site would vouch for this one.
    await witnessUntil(() => site.sent.length === 2);
    expect(site.sent[1]).toContain(fork.note(12));
    expect(site.sent[1]).toContain(`${ORIGIN}/a`);
    site.offers = [(oldSize) => fork.offer(oldSize, 15)];
    await witnessUntil(() => cosignedSize() === 15 && site.sent.length === 3);
    expect(site.journal.evidence.all()).toMatchObject([{ id: 1, dismissed: { reason: 'the operator restored a backup' } }]);
    // The first history is now the contradiction.
    site.offers = [() => log.offer(8, 20), () => log.offer(8, 20)];
    await witnessUntil(() => undecided() === 1);
    expect(site.journal.evidence.all()).toHaveLength(2);
    expect(() => dismissEvidence(site.journal, 1, 'again')).toThrow(expect.objectContaining({ code: 'evidence-unknown' }));
    expect(() => dismissEvidence(site.journal, 9, 'none')).toThrow(/Undecided: 2/);
  });
});

describe('the entries that this site was shown', () => {
  it.each([5, 8])('are those that it cosigns: %i of 8, compared once', async (entries) => {
    let proofs = 0;
    site.proofs = (oldSize, newSize) => (proofs++, log.proof(oldSize, newSize));
    read(log, entries);
    site.offers = [() => log.offer(0, 8)];
    await witnessUntil(() => site.sent.length === 1 && site.asked.length > 4);
    expect(proofs).toBe(entries === 8 ? 0 : 1);
    expect(undecided()).toBe(0);
  });

  it('wait, when there are more of them than were cosigned, for the next checkpoint', async () => {
    site.proofs = log.proof.bind(log);
    read(log.forked(9, 20), 10);
    site.offers = [() => log.offer(0, 8)];
    await witnessUntil(() => site.sent.length === 1 && site.asked.length > 4);
    expect(undecided()).toBe(0);
    site.offers = [() => log.offer(8, 12)];
    await witnessUntil(() => undecided() === 1);
  });

  it.each([5, 8])('are evidence when they are others (%i of 8), and are read anew when a person goes on', async (entries) => {
    read(log.forked(2, 20), entries);
    site.proofs = log.proof.bind(log);
    site.offers = [() => log.offer(0, 8)];
    await witnessUntil(() => undecided() === 1);
    const [kept] = site.journal.evidence.undecided();
    expect(kept).toMatchObject({ foundBy: 'entries', what: expect.stringContaining(`entries 0 to ${entries - 1}`) });
    expect(JSON.parse(kept!.evidence)).toMatchObject({ entries, checkpoint: site.journal.cosigned.latest()!.note });
    dismissEvidence(site.journal, kept!.id, 'for a test');
    expect(site.journal.ownActs.position()).toEqual({ entries: 0, lastEntry: '', subtrees: [] });
    expect(cosignedSize()).toBe(8);
    await witnessUntil(() => site.asked.length > 4);
    expect(undecided()).toBe(0);
  });

  it('are not held against the coordinator for one spoiled answer', async () => {
    read(log, 5);
    const answers = [[], [new Uint8Array(3)]] as Uint8Array[][];
    site.proofs = (oldSize, newSize) => (answers.length > 1 ? answers.pop()! : log.proof(oldSize, newSize));
    site.offers = [() => log.offer(0, 8)];
    await witnessUntil(() => site.sent.length === 1 && site.asked.length > 5);
    expect(undecided()).toBe(0);
  });
});
