import Fastify, { type FastifyInstance } from 'fastify';
import { parseAddCheckpoint } from './add-checkpoint.request.js';
import type { DeskAnswer, WitnessDesk } from './witness.desk.js';

// 63 hashes and a checkpoint with a hundred signature lines are a third of it.
const MAX_BODY_BYTES = 65_536;
const REQUEST_MS = 10_000;

const statuses: Readonly<Record<Exclude<DeskAnswer['kind'], 'cosigned' | 'conflict'>, number>> = {
  malformed: 400,
  'not-signed': 403,
  'unknown-origin': 404,
  unproven: 422,
};

/**
 * The HTTP interface of C2SP tlog-witness v1.0.0: `POST /add-checkpoint`. There is no authentication beside the log's signature on its checkpoint, as the protocol has it.
 * @param heard told every answer, e.g. for a line on the screen
 */
export function witnessServer(desk: WitnessDesk, heard: (answer: DeskAnswer) => void = () => {}): FastifyInstance {
  const server = Fastify({ bodyLimit: MAX_BODY_BYTES, requestTimeout: REQUEST_MS, connectionTimeout: 2 * REQUEST_MS });
  // Whatever type a log gives its request, the body is read as bytes.
  server.removeAllContentTypeParsers();
  server.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
  server.post('/add-checkpoint', async (request, reply) => {
    const answer = answerTo(desk, request.body);
    heard(answer);
    switch (answer.kind) {
      case 'cosigned':
        return reply.code(200).type('text/plain; charset=utf-8').send(answer.lines);
      case 'conflict':
        return reply.code(409).type('text/x.tlog.size').send(`${answer.size}\n`);
      case 'malformed':
      case 'not-signed':
      case 'unknown-origin':
      case 'unproven':
        return reply.code(statuses[answer.kind]).type('text/plain; charset=utf-8').send(`${answer.reason}\n`);
    }
  });
  return server;
}

function answerTo(desk: WitnessDesk, body: unknown): DeskAnswer {
  let request: ReturnType<typeof parseAddCheckpoint>;
  try {
    request = parseAddCheckpoint(body instanceof Uint8Array ? body : new Uint8Array());
  } catch (error) {
    return { kind: 'malformed', reason: (error as Error).message };
  }
  return desk.add(request);
}
