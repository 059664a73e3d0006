import { digestSchema, MAX_KEY_HOLDERS, MAX_SITES, siteIdSchema, sumKindSchema } from '@coferment/consortium';
import { sha256Hex } from '@coferment/crypto';
import { Instruction as WireInstruction, type RunView } from '@coferment/proto';
import { z } from 'zod';
import { printable } from '../printable.text.js';
import { wireEnvelopeSchema } from './envelope.codec.js';

const run = z.string().regex(/^r[0-9]{1,6}-[0-9a-f]{16}$/, 'must be a run id');
const number = z.number().int().min(1).max(1_000_000);
const sites = z.array(siteIdSchema).min(1).max(MAX_SITES);
const envelopes = (most: number) => z.array(wireEnvelopeSchema).max(most);

const sumName = z.object({
  run,
  epoch: number,
  sum: number,
  kind: sumKindSchema,
  round: z.number().int().min(0).max(1_000_000),
  attempt: number,
});
const nonces = z.array(z.object({ site: siteIdSchema, nonce: digestSchema })).max(MAX_SITES);
/** `newSet`: a proposal of another set and everybody's approval of it. */
const frozenSum = z.object({
  name: sumName,
  nonces,
  contributions: envelopes(MAX_SITES),
  newSet: envelopes(1 + MAX_SITES).default([]),
});

const parsers = {
  approvePlan: z.object({ run, ordinal: number, plan: digestSchema, sites }),
  offerSealingKey: z.object({ run, ordinal: number, plan: digestSchema, epoch: number }),
  approveRoster: z.object({ run, epoch: number, roster: digestSchema }),
  deal: z.object({ run, epoch: number }),
  checkDealing: z.object({ run, epoch: number, dealing: wireEnvelopeSchema }),
  agreeEpoch: z.object({ run, epoch: number, dealings: envelopes(MAX_SITES), acknowledgements: envelopes(MAX_SITES * MAX_KEY_HOLDERS) }),
  prepareSum: z.object({ name: sumName }),
  encrypt: z.object({ name: sumName, nonces }),
  attest: z.object({ sums: z.array(frozenSum).min(1).max(MAX_SITES) }),
  releaseShare: z.object({ frozen: frozenSum, certificate: envelopes(MAX_SITES) }),
  applySum: z.object({
    frozen: frozenSum,
    certificate: envelopes(MAX_SITES),
    shares: envelopes(MAX_KEY_HOLDERS),
    aggregate: wireEnvelopeSchema,
  }),
  closeRun: z.object({ run, closing: wireEnvelopeSchema }),
  approveNewSet: z.object({ run, proposal: wireEnvelopeSchema }),
} as const;

type Parsers = typeof parsers;
export type InstructionKind = keyof Parsers;
export type SumName = z.output<typeof sumName>;
export type FrozenSum = z.output<typeof frozenSum>;
export type InstructionBody<K extends InstructionKind> = z.output<Parsers[K]>;

/** One thing this site is asked to do, with every field checked for form and size. What it asks for is believed nowhere. */
export type Instruction = { [K in InstructionKind]: { kind: K; id: string; run: string; body: InstructionBody<K> } }[InstructionKind];

export interface MalformedInstruction {
  kind: 'malformed';
  id: string;
  run: string;
  reason: string;
}

/** Reads one instruction; `id` names its exact bytes, so the same request is recognised when it comes again. */
export function parseInstruction(wire: WireInstruction): Instruction | MalformedInstruction {
  const id = sha256Hex(WireInstruction.encode(wire).finish());
  const kind = wire.kind?.$case;
  if (kind === undefined || !Object.hasOwn(parsers, kind)) {
    return { kind: 'malformed', id, run: '', reason: 'it is of a kind that this agent does not know; a newer agent may be needed' };
  }
  const parsed = parsers[kind].safeParse((wire.kind as Record<string, unknown>)[kind]);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    return { kind: 'malformed', id, run: '', reason: `"${kind}.${issue?.path.join('.') ?? ''}" ${issue?.message ?? 'is malformed'}` };
  }
  return { kind, id, run: runOf(parsed.data), body: parsed.data } as Instruction;
}

function runOf(body: object): string {
  if ('run' in body) return String(body.run);
  const [first] = 'sums' in body ? (body.sums as FrozenSum[]) : [];
  const name = first?.name ?? ('frozen' in body ? (body.frozen as FrozenSum).name : (body as { name: SumName }).name);
  return name.run;
}

const runViewSchema = z.object({
  run,
  plan: digestSchema,
  state: z.string().max(40),
  round: z.number().int().min(0),
  rounds: z.number().int().min(0),
  roundState: z.string().max(40),
  waitingFor: z.array(z.string().max(100)).max(MAX_SITES),
  deadlineMs: z.number().int().min(0),
  withoutThisSite: z.boolean().default(false),
  cause: z.string().max(4000).default(''),
});

/** Views are shown to people and decide nothing; a malformed one is left out. */
export function parseRunViews(views: readonly RunView[]): RunView[] {
  return views.slice(0, 1000).flatMap((view) => {
    const parsed = runViewSchema.safeParse(view);
    if (!parsed.success) return [];
    const { state, roundState, waitingFor, cause, ...rest } = parsed.data;
    const shown = {
      state: printable(state),
      roundState: printable(roundState),
      waitingFor: waitingFor.map((name) => printable(name)),
      cause: printable(cause),
    };
    return [{ ...rest, ...shown }];
  });
}
